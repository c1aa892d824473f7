// How many values fell into each bucket of a histogram over time, the more the stronger the colour.

import { alignSeries } from "../data/align.ts";
import { type Buckets, splitBuckets } from "../data/buckets.ts";
import { formatNumber, formatValue } from "../data/units.ts";
import { h } from "../dom.ts";
import { currentTheme } from "../theme.ts";
import { allSeries, type Draw, readOptions } from "./kind.ts";
import { axisStyle, drawPlot, sizeAxis } from "./plot.ts";
import { buildTip } from "./tooltip.ts";
import type uPlot from "uplot";

interface Options {
  yAxis: { unit?: string };
  color: { exponent?: number };
  legend: { show?: boolean };
}

/** From almost the panel's ground to a strong orange, by theme. */
const RAMP = {
  dark: [
    [52, 36, 24],
    [250, 176, 74],
  ],
  light: [
    [255, 243, 224],
    [176, 66, 0],
  ],
} as const;

export const drawHeatmap: Draw = (host, view) => {
  const series = allSeries(view);
  const options = readOptions<Options>(view.panel);
  const step = Math.max(...view.answers.map((answer) => answer.step), 1);
  const aligned = alignSeries(series, step);
  const buckets = splitBuckets(series, aligned.times, aligned.values);
  const greatest = buckets.rows.reduce((most, row) => row.counts.reduce((a, b) => Math.max(a, b), most), 0);
  if (greatest === 0) {
    host.append(h("p", { class: "empty" }, "No data"));
    return;
  }
  const unit = options.yAxis?.unit ?? view.panel.fieldConfig?.defaults?.unit ?? "short";
  const names = buckets.rows.map((row) => nameBucket(row, unit));
  const color = buildRamp(greatest, options.color?.exponent ?? 0.5);
  const body = h("div", { class: "plot-body" });
  host.append(body);
  if (options.legend?.show !== false) host.append(buildScale(greatest, color));
  return drawPlot(body, view, {
    label: `Heatmap of ${buckets.rows.length} buckets.`,
    data: [buckets.times, buckets.times.map(() => null)],
    series: [{}, { scale: "y", show: true, points: { show: false } }],
    scales: { y: { range: () => [0, buckets.rows.length] } },
    axes: [buildAxis(names)],
    draw: (u) => drawCells(u, buckets, step, color),
    tooltip: (u, index) => {
      const rows = buckets.rows.map((row, i) => ({ name: names[i] ?? "", count: row.counts[index] ?? 0 }));
      const shown = rows.filter(({ count }) => count > 0).reverse();
      return buildTip(
        u.data[0][index] ?? 0,
        shown.map(({ name, count }) => ({ name, text: formatNumber(count), color: color(count) })),
        view.annotations,
      );
    },
  });
};

function nameBucket({ bound, name }: { bound: number; name: string }, unit: string): string {
  if (!Number.isFinite(bound)) return name === "+Inf" ? "above" : name;
  return `≤ ${formatValue(bound, unit)}`;
}

function buildRamp(greatest: number, exponent: number): (count: number) => string {
  const [low, high] = RAMP[currentTheme()];
  return (count) => {
    const share = (count / greatest) ** exponent;
    return `rgb(${low.map((from, i) => Math.round(from + ((high[i] ?? from) - from) * share)).join(",")})`;
  };
}

function buildAxis(names: readonly string[]): uPlot.Axis {
  const style = axisStyle();
  const every = Math.ceil(names.length / 8);
  return {
    ...style,
    grid: { show: false },
    scale: "y",
    side: 3,
    size: sizeAxis,
    splits: () => names.map((_, i) => i + 0.5).filter((_, i) => (names.length - 1 - i) % every === 0),
    values: (_, places) => places.map((place) => names[Math.floor(place)] ?? ""),
  };
}

function drawCells(u: uPlot, { times, rows }: Buckets, step: number, color: (count: number) => string): void {
  const { left, top, width, height } = u.bbox;
  const gap = devicePixelRatio;
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(left, top, width, height);
  u.ctx.clip();
  rows.forEach((row, rank) => {
    const y = u.valToPos(rank + 1, "y", true);
    const tall = u.valToPos(rank, "y", true) - y;
    times.forEach((time, i) => {
      const count = row.counts[i] ?? 0;
      if (count <= 0) return;
      const x = u.valToPos(time - step, "x", true);
      u.ctx.fillStyle = color(count);
      u.ctx.fillRect(x, y, Math.max(u.valToPos(time, "x", true) - x - gap, gap), Math.max(tall - gap, gap));
    });
  });
  u.ctx.restore();
}

function buildScale(greatest: number, color: (count: number) => string): HTMLElement {
  const stops = Array.from({ length: 9 }, (_, i) => color((greatest * i) / 8)).join(", ");
  return h(
    "div",
    { class: "ramp" },
    h("span", {}, "0"),
    h("i", { style: { background: `linear-gradient(to right, ${stops})` } }),
    h("span", {}, formatNumber(greatest)),
  );
}
