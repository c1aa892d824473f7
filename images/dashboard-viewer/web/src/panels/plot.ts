// What all charts over time share: axes, crosshair, zoom by dragging, marks of alerts, keys.

import uPlot from "uplot";
import { formatTicks } from "../data/time.ts";
import { chartColors, fade, resolveColor } from "../theme.ts";
import type { Drawing, View } from "./kind.ts";

export const FONT = '11px -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';

export interface Plot {
  series: uPlot.Series[];
  data: uPlot.AlignedData;
  scales?: uPlot.Scales;
  /** Axes beside that of time. */
  axes: uPlot.Axis[];
  bands?: uPlot.Band[];
  draw?: (u: uPlot) => void;
  /** What people who do not see it are told. */
  label: string;
  /** The tooltip at a place of `data`; null for none. */
  tooltip: (u: uPlot, index: number) => Node | null;
}

/** A chart in `host`, which it fills and follows. */
export function drawPlot(host: HTMLElement, view: View, plot: Plot): Drawing {
  const frame = document.createElement("div");
  frame.className = "chart";
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-roledescription", "chart");
  frame.setAttribute("aria-label", `${plot.label} Left and right arrow keys read values.`);
  const tip = new Tip(frame);
  host.append(frame);
  const u = new uPlot({ ...buildOptions(view, plot, tip), ...measure(frame) }, plot.data, frame);
  listenKeys(frame, u, tip);
  return {
    resize: () => {
      const { width, height } = measure(frame);
      if (width !== u.width || height !== u.height) u.setSize({ width, height });
    },
    destroy: () => {
      tip.remove();
      u.destroy();
    },
  };
}

const measure = (frame: HTMLElement): { width: number; height: number } => ({
  width: Math.max(frame.clientWidth, 80),
  height: Math.max(frame.clientHeight, 60),
});

function buildOptions(view: View, plot: Plot, tip: Tip): Omit<uPlot.Options, "width" | "height"> {
  const { start, end } = view.span;
  return {
    legend: { show: false },
    padding: [8, 16, 0, 0],
    cursor: buildCursor(view),
    scales: { x: { time: true, range: () => [start, end] }, ...plot.scales },
    series: plot.series,
    axes: [buildTimeAxis(), ...plot.axes],
    bands: plot.bands ?? [],
    hooks: {
      drawClear: [(u) => drawRegions(u, view)],
      draw: plot.draw ? [plot.draw] : [],
      setSelect: [(u) => zoomTo(u, view)],
      setCursor: [(u) => tip.move(u, plot, view)],
    },
  };
}

function buildCursor(view: View): uPlot.Cursor {
  const cursor: uPlot.Cursor = { drag: { x: true, y: false, setScale: false, dist: 4 }, y: false, points: { size: 6 } };
  if (!view.sync) return cursor;
  const moves = (kind: string): boolean => kind === "mousemove" || kind === "mouseleave";
  return {
    ...cursor,
    sync: { key: view.sync, setSeries: false, scales: ["x", null], filters: { pub: moves, sub: moves } },
  };
}

function zoomTo(u: uPlot, view: View): void {
  const { left, width } = u.select;
  if (width < 4) return;
  const span = { start: u.posToVal(left, "x"), end: u.posToVal(left + width, "x") };
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (span.end - span.start >= 1) view.zoom(span);
}

function buildTimeAxis(): uPlot.Axis {
  return {
    ...axisStyle(),
    space: 64,
    size: 26,
    values: (_, splits, __, ___, increment) => formatTicks(splits, increment),
  };
}

export function axisStyle(): uPlot.Axis {
  const { text, grid } = chartColors();
  return { stroke: text, font: FONT, gap: 4, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
}

/** As wide as the longest label of an axis. */
export function sizeAxis(_: uPlot, values: string[] | null): number {
  return Math.min(16 + Math.max(...(values ?? [""]).map((text) => (text ?? "").length)) * 6.4, 130);
}

function drawRegions(u: uPlot, view: View): void {
  const { left, top, width, height } = u.bbox;
  for (const region of view.annotations) {
    const from = Math.max(u.valToPos(region.start, "x", true), left);
    const until = Math.min(u.valToPos(region.end, "x", true), left + width);
    if (until < left || from > left + width) continue;
    const color = resolveColor(region.color);
    u.ctx.save();
    u.ctx.fillStyle = fade(color, 0.1);
    u.ctx.fillRect(from, top, Math.max(until - from, 1), height);
    u.ctx.fillStyle = color;
    u.ctx.fillRect(from, top + height - 3 * devicePixelRatio, Math.max(until - from, 2), 3 * devicePixelRatio);
    u.ctx.restore();
  }
}

function listenKeys(frame: HTMLElement, u: uPlot, tip: Tip): void {
  frame.addEventListener("keydown", (event) => {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    const step = steps[event.key];
    const last = u.data[0].length - 1;
    if (event.key === "Escape") u.setCursor({ left: -10, top: -10 });
    if (step === undefined || last < 0) return;
    event.preventDefault();
    const index = Math.min(Math.max((u.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step, 0), last);
    tip.spoken = true;
    u.setCursor({
      left: Math.max(u.valToPos(u.data[0][index] ?? 0, "x"), 0),
      top: u.bbox.height / devicePixelRatio / 2,
    });
    tip.spoken = false;
  });
  frame.addEventListener("blur", () => u.setCursor({ left: -10, top: -10 }));
}

/** The values at the crosshair, beside it; those reached by keys are spoken. */
class Tip {
  spoken = false;
  readonly #box = document.createElement("div");
  readonly #frame: HTMLElement;
  readonly #voice = document.createElement("div");

  constructor(frame: HTMLElement) {
    this.#frame = frame;
    this.#box.className = "tip";
    this.#box.hidden = true;
    this.#box.setAttribute("aria-hidden", "true");
    this.#voice.className = "unseen";
    this.#voice.setAttribute("role", "status");
    frame.append(this.#voice);
    document.body.append(this.#box);
  }

  remove(): void {
    this.#box.remove();
  }

  move(u: uPlot, plot: Plot, view: View): void {
    const { idx, left = -1, top = -1 } = u.cursor;
    const mine = view.syncTooltip || this.spoken || this.#frame.matches(":hover");
    const content = idx !== null && idx !== undefined && left >= 0 && mine ? plot.tooltip(u, idx) : null;
    this.#box.hidden = content === null;
    if (!content) return;
    this.#box.replaceChildren(content);
    if (this.spoken) this.#voice.textContent = this.#readOut();
    this.#place(u, left, top);
  }

  #readOut(): string {
    const parts = [...this.#box.querySelectorAll("time, li")].map(
      (part) =>
        [part.querySelector("span"), part.querySelector("b")]
          .map((e) => e?.textContent)
          .filter(Boolean)
          .join(" ") || part.textContent,
    );
    return parts.join("; ");
  }

  #place(u: uPlot, left: number, top: number): void {
    const over = u.over.getBoundingClientRect();
    const { width, height } = this.#box.getBoundingClientRect();
    const x = over.left + left;
    const right = x + 14 + width < innerWidth;
    this.#box.style.left = `${Math.max(right ? x + 14 : x - 14 - width, 4)}px`;
    const lowest = Math.max(innerHeight - height - 4, 4);
    this.#box.style.top = `${Math.min(Math.max(over.top + top - height / 2, 4), lowest)}px`;
  }
}
