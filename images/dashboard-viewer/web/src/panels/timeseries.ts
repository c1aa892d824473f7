// Lines, bars or points over time; stacked, on linear or logarithmic axes, with thresholds and a legend.

import uPlot from "uplot";
import { configureSeries, pickColor, resolveStep, show } from "../data/fields.ts";
import { alignSeries, stackValues } from "../data/align.ts";
import { formatValue, isBinary } from "../data/units.ts";
import type { FieldConfig, Series } from "../model.ts";
import { assignColors, fade, resolveColor } from "../theme.ts";
import { type Draw, readOptions, type View } from "./kind.ts";
import { drawLegend, type LegendOptions, type LegendRow } from "./legend.ts";
import { axisStyle, drawPlot, sizeAxis } from "./plot.ts";
import { buildTip } from "./tooltip.ts";
import { h } from "../dom.ts";

interface Options {
  legend: LegendOptions;
  tooltip: { mode?: string; sort?: string };
}

/**
 * How one series is drawn.
 * https://grafana.com/docs/grafana/latest/panels-visualizations/visualizations/time-series/
 */
interface Custom {
  drawStyle?: string;
  lineWidth?: number;
  lineInterpolation?: string;
  lineStyle?: { fill?: string; dash?: number[] };
  fillOpacity?: number;
  showPoints?: string;
  spanNulls?: boolean | number;
  stacking?: { mode?: string; group?: string };
  axisPlacement?: string;
  axisSoftMin?: number;
  axisSoftMax?: number;
  axisLabel?: string;
  scaleDistribution?: { type?: string; log?: number };
  thresholdsStyle?: { mode?: string };
  transform?: string;
}

interface Line {
  series: Series;
  config: FieldConfig;
  custom: Custom;
  name: string;
  color: string;
  values: (number | null)[];
  /** As drawn: on top of others where they are stacked. */
  drawn: (number | null)[];
  scale: string;
  /** Of the axis: shares where lines are stacked as such. */
  axis: FieldConfig;
  hidden: boolean;
}

export const drawTimeseries: Draw = (host, view) => {
  const series = view.answers.flatMap((answer) => answer.series);
  if (series.length === 0) {
    host.append(h("p", { class: "empty" }, "No data"));
    return;
  }
  const step = Math.max(...view.answers.map((answer) => answer.step));
  const { times, values } = alignSeries(series, step);
  const lines = buildLines(view, series, values);
  const body = h("div", { class: "plot-body" });
  host.append(body);
  const options = readOptions<Options>(view.panel);
  drawLegend(host, lines.map(buildLegendRow), options.legend ?? {}, hiddenOf(view), view.redraw);
  return drawLines(body, view, lines, times, options.tooltip?.sort ?? "none");
};

const hiddenOf = (view: View): Set<string> => {
  const hidden = (view.memory.get("hidden") as Set<string> | undefined) ?? new Set<string>();
  view.memory.set("hidden", hidden);
  return hidden;
};

function buildLines(view: View, series: readonly Series[], values: readonly (number | null)[][]): Line[] {
  const hidden = hiddenOf(view);
  const configs = series.map((one) => configureSeries(view.panel, one));
  const names = series.map((one, i) => configs[i]?.displayName || one.name);
  const palette = assignColors(names);
  const lines = series.map((one, i): Line => {
    const config = configs[i] ?? {};
    const custom = (config.custom ?? {}) as Custom;
    const shown = custom.transform === "negative-Y" ? (values[i] ?? []).map((v) => v && -v) : (values[i] ?? []);
    return {
      series: one,
      config,
      custom,
      name: names[i] ?? "",
      color: chooseColor(config, one, palette[i] ?? ""),
      values: shown,
      drawn: shown,
      scale: custom.axisPlacement === "right" ? "right" : "y",
      axis: config,
      hidden: hidden.has(names[i] ?? ""),
    };
  });
  stackLines(lines);
  return lines;
}

function chooseColor(config: FieldConfig, series: Series, palette: string): string {
  const mode = config.color?.mode ?? "palette-classic";
  if (mode === "fixed" || mode === "shades") return resolveColor(config.color?.fixedColor);
  if (mode !== "thresholds") return palette;
  return resolveColor(pickColor(series.values.findLast((v) => v !== null) ?? 0, config));
}

function stackLines(lines: readonly Line[]): void {
  const groups = Map.groupBy(
    lines.filter(({ custom, hidden }) => !hidden && ["normal", "percent"].includes(custom.stacking?.mode ?? "")),
    ({ custom, scale }) => `${scale}/${custom.stacking?.group ?? "A"}`,
  );
  for (const group of groups.values()) {
    const percent = group[0]?.custom.stacking?.mode === "percent";
    const stacked = stackValues(
      group.map((line) => line.values),
      percent,
    );
    group.forEach((line, i) => {
      line.drawn = stacked[i] ?? line.values;
      if (percent) line.axis = { ...line.config, unit: "percentunit", min: 0, max: 1 };
    });
  }
}

function buildLegendRow(line: Line): LegendRow {
  return { name: line.name, color: line.color, values: line.values, config: line.config };
}

function drawLines(
  host: HTMLElement,
  view: View,
  lines: Line[],
  times: number[],
  sort: string,
): ReturnType<typeof drawPlot> {
  const scales = [...new Set(lines.map((line) => line.scale))];
  return drawPlot(host, view, {
    label: `${lines.length} series: ${lines
      .slice(0, 8)
      .map((line) => line.name)
      .join(", ")}.${describeThresholds(lines[0])}`,
    data: [times, ...lines.map((line) => line.drawn)],
    series: [{}, ...lines.map(buildSeriesOptions)],
    scales: Object.fromEntries(
      scales.map((scale) => [scale, buildScale(lines.filter((line) => line.scale === scale))]),
    ),
    axes: scales.map((scale) =>
      buildAxis(
        scale,
        lines.find((line) => line.scale === scale),
      ),
    ),
    bands: buildBands(lines),
    draw: (u) => drawThresholds(u, lines[0]),
    tooltip: (_, index) => buildTip(times[index] ?? 0, listTipRows(lines, index, sort), view.annotations),
  });
}

function buildSeriesOptions(line: Line): uPlot.Series {
  const { custom } = line;
  const stacked = line.drawn !== line.values;
  const fill = (custom.fillOpacity ?? 0) / 100;
  const points = custom.drawStyle === "points" || custom.showPoints === "always";
  const single = line.values.filter((v) => v !== null).length === 1;
  return {
    label: line.name,
    scale: line.scale,
    show: !line.hidden,
    stroke: line.color,
    width: custom.drawStyle === "points" ? 0 : (custom.lineWidth ?? 1) + 0.25,
    spanGaps: custom.spanNulls === true,
    points: { show: points || single, size: 5, fill: line.color },
    paths: choosePaths(custom),
    ...(fill > 0 ? { fill: fade(line.color, stacked ? Math.max(fill, 0.35) : fill) } : {}),
    ...(custom.lineStyle?.fill === "dash" ? { dash: custom.lineStyle.dash ?? [8, 6] } : {}),
  } as uPlot.Series;
}

function choosePaths(custom: Custom): uPlot.Series.PathBuilder | undefined {
  const { bars, stepped, spline } = uPlot.paths;
  if (custom.drawStyle === "points") return () => null;
  if (custom.drawStyle === "bars") return bars?.({ size: [0.8, 40] });
  if (custom.lineInterpolation === "smooth") return spline?.();
  if (custom.lineInterpolation === "stepAfter") return stepped?.({ align: 1 });
  if (custom.lineInterpolation === "stepBefore") return stepped?.({ align: -1 });
  return undefined;
}

/** The room between a stacked line and the one below it is the line's own. */
function buildBands(lines: readonly Line[]): uPlot.Band[] {
  const bands: uPlot.Band[] = [];
  let below = -1;
  lines.forEach((line, i) => {
    if (line.hidden || line.drawn === line.values) return;
    if (below >= 0 && lines[below]?.scale === line.scale)
      bands.push({ series: [i + 1, below + 1], fill: fade(line.color, 0.35) });
    below = i;
  });
  return bands;
}

function buildScale(lines: readonly Line[]): uPlot.Scale {
  const { axis = {}, custom = {} } = lines[0] ?? {};
  const { type, log } = custom.scaleDistribution ?? {};
  if (type === "log")
    return {
      distr: 3,
      log: log === 2 ? 2 : 10,
      range: (_, min, max) => uPlot.rangeLog(min > 0 ? min : 0.001, max > 0 ? max : 1, log === 2 ? 2 : 10, true),
    };
  return { range: (_, min, max) => chooseRange(min, max, axis, custom) };
}

function chooseRange(min: number | null, max: number | null, config: FieldConfig, custom: Custom): [number, number] {
  // bars and stacks are read by their height, which begins at 0
  const tall = custom.drawStyle === "bars" || (custom.stacking?.mode ?? "none") !== "none";
  const low = Math.min(min ?? 0, custom.axisSoftMin ?? min ?? 0, tall ? 0 : Infinity);
  const high = Math.max(max ?? 1, custom.axisSoftMax ?? max ?? 1);
  const flat = high - low < Math.abs(high) * 1e-9 || high === low;
  const pad = flat ? Math.max(Math.abs(high) * 0.1, config.unit === "percentunit" ? 0.01 : 0.1) : (high - low) * 0.08;
  const lowest = low === custom.axisSoftMin || low === 0 ? low : low > 0 ? Math.max(low - pad, 0) : low - pad;
  return [config.min ?? lowest, config.max ?? (high === custom.axisSoftMax ? high : high + pad)];
}

const BINARY = Array.from({ length: 60 }, (_, i) => 2 ** i);

function buildAxis(scale: string, line: Line | undefined): uPlot.Axis {
  const { unit, decimals } = line?.axis ?? {};
  return {
    ...axisStyle(),
    scale,
    side: scale === "right" ? 1 : 3,
    space: 34,
    size: sizeAxis,
    ...(isBinary(unit) && line?.custom.scaleDistribution?.type !== "log" ? { incrs: BINARY } : {}),
    ...(line?.custom.axisLabel ? { label: line.custom.axisLabel, labelSize: 18 } : {}),
    values: (_, ticks) =>
      ticks.map((tick) => (tick === null ? "" : formatValue(Number(tick.toPrecision(12)), unit, decimals))),
  };
}

/** The lines that are drawn across the chart, in words. */
function describeThresholds(line: Line | undefined): string {
  if (!line || (line.custom.thresholdsStyle?.mode ?? "off") === "off") return "";
  const values = (line.config.thresholds?.steps ?? []).flatMap((step) =>
    typeof step.value === "number" ? [show(step.value, { ...line.config, mappings: [] }).text] : [],
  );
  return values.length ? ` Thresholds: ${values.join(", ")}.` : "";
}

function drawThresholds(u: uPlot, line: Line | undefined): void {
  const mode = line?.custom.thresholdsStyle?.mode ?? "off";
  const { thresholds } = line?.config ?? {};
  if (!line || mode === "off" || !thresholds) return;
  const { min = 0, max = 1 } = u.scales[line.scale] ?? {};
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.lineWidth = 1.25 * devicePixelRatio;
  if (mode.includes("dashed")) u.ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  (thresholds.steps ?? []).forEach((step, i, steps) => {
    const value = resolveStep(step.value, thresholds.mode, min ?? 0, max ?? 1);
    const place = (at: number): number => Math.min(Math.max(u.valToPos(at, line.scale, true), top), top + height);
    const y = Number.isFinite(value) ? place(value) : top + height;
    const next = steps[i + 1];
    const above = next ? place(resolveStep(next.value, thresholds.mode, min ?? 0, max ?? 1)) : top;
    const color = resolveColor(step.color);
    u.ctx.fillStyle = fade(color, 0.08);
    if (mode.includes("area")) u.ctx.fillRect(left, above, width, y - above);
    if (!Number.isFinite(value) || value < (min ?? 0) || value > (max ?? 1) || mode === "area") return;
    u.ctx.strokeStyle = color;
    u.ctx.beginPath();
    u.ctx.moveTo(left, y);
    u.ctx.lineTo(left + width, y);
    u.ctx.stroke();
  });
  u.ctx.restore();
}

function listTipRows(
  lines: readonly Line[],
  index: number,
  sort: string,
): { name: string; text: string; color: string }[] {
  const shown = lines.filter((line) => !line.hidden && line.values[index] !== null && line.values[index] !== undefined);
  const value = (line: Line): number => line.values[index] ?? 0;
  if (sort === "desc") shown.sort((a, b) => value(b) - value(a));
  if (sort === "asc") shown.sort((a, b) => value(a) - value(b));
  return shown.map((line) => ({
    name: line.name,
    text: show(line.values[index], { ...line.config, mappings: [] }).text,
    color: line.color,
  }));
}
