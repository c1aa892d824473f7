// One large figure for each series, coloured by its threshold; with its course below where the panel says so.

import { configureSeries, reduceSeries, show, type Shown } from "../data/fields.ts";
import { h, svg } from "../dom.ts";
import type { FieldConfig, Series } from "../model.ts";
import { fade, resolveColor } from "../theme.ts";
import { allSeries, type Draw, readOptions } from "./kind.ts";

interface Options {
  reduceOptions: { calcs?: string[] };
  graphMode: string;
  colorMode: string;
  textMode: string;
}

export const drawStat: Draw = (host, view) => {
  const options = readOptions<Options>(view.panel);
  const series = allSeries(view);
  const grid = h("div", { class: "stats" });
  if (series.length === 0)
    grid.append(buildStat(show(null, configureNone(view.panel.fieldConfig?.defaults)), "", undefined, options));
  for (const one of series) {
    const config = configureSeries(view.panel, one);
    const shown = show(reduceSeries(one, options.reduceOptions?.calcs), config);
    const named =
      options.textMode === "value_and_name" ||
      options.textMode === "name" ||
      (series.length > 1 && options.textMode !== "value");
    grid.append(
      buildStat(
        shown,
        named ? config.displayName || one.name : "",
        options.graphMode === "area" ? one : undefined,
        options,
      ),
    );
  }
  host.append(grid);
};

const configureNone = (defaults: FieldConfig | undefined): FieldConfig => defaults ?? {};

function buildStat(shown: Shown, name: string, course: Series | undefined, options: Partial<Options>): HTMLElement {
  const color = resolveColor(shown.color);
  const ground = (options.colorMode ?? "value").startsWith("background");
  const plain = options.colorMode === "none";
  return h(
    "div",
    {
      class: ground ? "stat ground" : "stat",
      style: {
        "--length": String(Math.max(shown.text.length, 3)),
        ...(ground ? { background: fade(color, 0.28) } : {}),
        ...(plain || ground ? {} : { color }),
      },
    },
    name && h("span", { class: "stat-name", title: name }, name),
    h(
      "span",
      { class: "stat-value" },
      shown.value,
      shown.unit && h("small", {}, /^%/.test(shown.unit) ? shown.unit : ` ${shown.unit}`),
    ),
    course && course.times.length > 1 && buildCourse(course, color),
  );
}

/** The course of a series, without axes. */
function buildCourse(series: Series, color: string): SVGElement {
  const values = series.values.map((value) => value ?? 0);
  const low = Math.min(...values);
  const size = Math.max(...values) - low || 1;
  const points = values.map(
    (value, i) => `${((i / (values.length - 1)) * 100).toFixed(2)},${(28 - ((value - low) / size) * 26).toFixed(2)}`,
  );
  return svg(
    "svg",
    { class: "course", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("polygon", { points: `0,30 ${points.join(" ")} 100,30`, fill: fade(color, 0.2) }),
    svg("polyline", {
      points: points.join(" "),
      fill: "none",
      stroke: color,
      "stroke-width": "1.5",
      "vector-effect": "non-scaling-stroke",
    }),
  );
}
