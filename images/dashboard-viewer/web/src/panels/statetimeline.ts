// The states of each series over time: what is mapped to words, or the colour of a threshold.

import { alignSeries } from "../data/align.ts";
import { configureSeries, show, type Shown } from "../data/fields.ts";
import { joinStates, type State } from "../data/states.ts";
import { h } from "../dom.ts";
import type { FieldConfig } from "../model.ts";
import { assignColors, resolveColor } from "../theme.ts";
import { allSeries, type Draw } from "./kind.ts";
import { axisStyle, drawPlot, FONT, sizeAxis } from "./plot.ts";
import { buildTip, type TipRow } from "./tooltip.ts";
import type uPlot from "uplot";

interface Lane {
  name: string;
  shown: Shown[];
  states: State[];
}

export const drawStateTimeline: Draw = (host, view) => {
  const series = allSeries(view);
  if (series.length === 0) {
    host.append(h("p", { class: "empty" }, "No data"));
    return;
  }
  const step = Math.max(...view.answers.map((answer) => answer.step), 1);
  const { times, values } = alignSeries(series, step);
  const lanes = series.map((one, i) =>
    buildLane(configureSeries(view.panel, one), one.name, times, values[i] ?? [], step),
  );
  const colors = nameColors(lanes);
  const body = h("div", { class: "plot-body" });
  host.append(body, buildKey(colors));
  return drawPlot(body, view, {
    label: `States of ${lanes.map((lane) => lane.name).join(", ")}.`,
    data: [times, times.map(() => null)],
    series: [{}, { scale: "y", points: { show: false } }],
    scales: { y: { range: () => [0, lanes.length] } },
    axes: [buildAxis(lanes)],
    draw: (u) => lanes.forEach((lane, i) => drawLane(u, lane, lanes.length - i, colors)),
    tooltip: (_, index) => buildTip(times[index] ?? 0, listTipRows(lanes, index, colors), view.annotations),
  });
};

function buildLane(config: FieldConfig, name: string, times: number[], values: (number | null)[], step: number): Lane {
  const shown = values.map((value) => show(value, config));
  const says = config.mappings?.some((mapping) => mapping.type === "special"); // what has no value has a word then
  const texts = shown.map(({ text }, i) => (values[i] === null && !says ? "" : text));
  return { name: config.displayName || name, shown, states: joinStates(times, texts, step) };
}

function buildKey(colors: ReadonlyMap<string, string>): HTMLElement {
  const build = ([text, color]: [string, string]): HTMLElement =>
    h("li", {}, h("i", { class: "swatch", style: { background: color } }), text);
  return h("ul", { class: "legend" }, ...[...colors].map(build));
}

function listTipRows(lanes: readonly Lane[], index: number, colors: ReadonlyMap<string, string>): TipRow[] {
  return lanes.map(({ name, shown }) => {
    const text = shown[index]?.text ?? "";
    return { name, text, color: colors.get(text) ?? "transparent" };
  });
}

function nameColors(lanes: readonly Lane[]): Map<string, string> {
  const colors = new Map<string, string>();
  for (const { shown, states } of lanes) {
    const named = new Map(shown.map(({ text, color }) => [text, color]));
    for (const { text } of states)
      if (!colors.get(text)) colors.set(text, named.get(text) ? resolveColor(named.get(text)) : "");
  }
  const without = [...colors.keys()].filter((text) => !colors.get(text));
  assignColors(without).forEach((color, i) => colors.set(without[i] ?? "", color));
  return colors;
}

function buildAxis(lanes: readonly Lane[]): uPlot.Axis {
  return {
    ...axisStyle(),
    grid: { show: false },
    scale: "y",
    side: 3,
    size: sizeAxis,
    splits: () => lanes.map((_, i) => i + 0.5),
    values: (_, places) => places.map((place) => lanes[lanes.length - 1 - Math.floor(place)]?.name ?? ""),
  };
}

function drawLane(u: uPlot, lane: Lane, top: number, colors: Map<string, string>): void {
  const y = u.valToPos(top - 0.1, "y", true);
  const tall = u.valToPos(top - 0.9, "y", true) - y;
  u.ctx.save();
  u.ctx.font = FONT.replace("11px", `${11 * devicePixelRatio}px`);
  u.ctx.textBaseline = "middle";
  u.ctx.textAlign = "left";
  for (const { start, end, text } of lane.states) {
    const x = Math.max(u.valToPos(start, "x", true), u.bbox.left);
    const width = Math.min(u.valToPos(end, "x", true), u.bbox.left + u.bbox.width) - x;
    if (width <= 0) continue;
    u.ctx.fillStyle = colors.get(text) ?? "";
    u.ctx.globalAlpha = 0.75;
    u.ctx.fillRect(x, y, Math.max(width - devicePixelRatio, 1), tall);
    u.ctx.globalAlpha = 1;
    u.ctx.fillStyle = "#000";
    if (u.ctx.measureText(text).width + 8 < width) u.ctx.fillText(text, x + 4, y + tall / 2);
  }
  u.ctx.restore();
}
