// A bar for each series, from the least to the greatest value.

import { deriveBounds } from "../data/bounds.ts";
import { configureSeries, reduceSeries, show } from "../data/fields.ts";
import { h } from "../dom.ts";
import { resolveColor } from "../theme.ts";
import { allSeries, type Draw, readOptions } from "./kind.ts";

interface Options {
  reduceOptions: { calcs?: string[] };
  orientation: string;
  showUnfilled: boolean;
}

export const drawBargauge: Draw = (host, view) => {
  const options = readOptions<Options>(view.panel);
  const calcs = options.reduceOptions?.calcs ?? [];
  const series = allSeries(view);
  if (series.length === 0) {
    host.append(h("p", { class: "empty" }, show(null, view.panel.fieldConfig?.defaults ?? {}).text));
    return;
  }
  const rows = series.map((one) => {
    const config = configureSeries(view.panel, one);
    const [min, max] = deriveBounds(config, series, calcs);
    const value = reduceSeries(one, calcs);
    const shown = show(value, config);
    const share = value === null ? 0 : Math.min(Math.max((value - min) / (max - min || 1), 0), 1);
    const name = config.displayName || one.name;
    const bar = h(
      "div",
      { class: options.showUnfilled === false ? "bar" : "bar track" },
      h("div", { style: { "--share": `${share * 100}%`, background: resolveColor(shown.color) } }),
    );
    return h(
      "li",
      {},
      h("span", { class: "bar-name", title: name }, name),
      bar,
      h("b", { style: { color: resolveColor(shown.color) } }, shown.text),
    );
  });
  host.append(h("ul", { class: options.orientation === "vertical" ? "bars vertical" : "bars" }, ...rows));
};
