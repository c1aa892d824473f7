// A figure on an arc from the least to the greatest value, with the thresholds along its edge.

import { configureSeries, reduceSeries, resolveStep, show } from "../data/fields.ts";
import { deriveBounds } from "../data/bounds.ts";
import { h, svg } from "../dom.ts";
import type { FieldConfig, Series } from "../model.ts";
import { resolveColor } from "../theme.ts";
import { allSeries, type Draw, readOptions } from "./kind.ts";

interface Options {
  reduceOptions: { calcs?: string[] };
  showThresholdMarkers: boolean;
}

const SWEEP = 240;
const RADIUS = 40;

export const drawGauge: Draw = (host, view) => {
  const options = readOptions<Options>(view.panel);
  const series = allSeries(view);
  const grid = h("div", { class: "stats" });
  if (series.length === 0)
    grid.append(h("p", { class: "empty" }, show(null, view.panel.fieldConfig?.defaults ?? {}).text));
  for (const one of series) {
    const config = configureSeries(view.panel, one);
    const value = reduceSeries(one, options.reduceOptions?.calcs);
    grid.append(
      buildGauge(
        value,
        config,
        deriveBounds(config, series, options.reduceOptions?.calcs),
        series.length > 1 ? one : undefined,
        options,
      ),
    );
  }
  host.append(grid);
};

function buildGauge(
  value: number | null,
  config: FieldConfig,
  bounds: [number, number],
  named: Series | undefined,
  options: Partial<Options>,
): HTMLElement {
  const [min, max] = bounds;
  const share = (at: number): number => Math.min(Math.max((at - min) / (max - min || 1), 0), 1);
  const shown = show(value, config);
  const name = named && (config.displayName || named.name);
  const color = resolveColor(shown.color);
  const marks = options.showThresholdMarkers === false ? [] : buildMarks(config, bounds, share);
  const arc = svg(
    "svg",
    { viewBox: "0 0 100 84", role: "img", "aria-label": `${name ? `${name}: ` : ""}${shown.text}` },
    drawArc(0, 1, RADIUS, 9, "var(--track)"),
    value !== null && !Number.isNaN(value) && share(value) > 0 && drawArc(0, share(value), RADIUS, 9, color),
    ...marks,
    svg(
      "text",
      {
        x: "50",
        y: "54",
        "text-anchor": "middle",
        class: "gauge-value",
        fill: color,
        style: { "font-size": `${Math.min(18, 88 / Math.max(shown.text.length, 4))}px` },
      },
      shown.text,
    ),
  );
  return h("div", { class: "gauge" }, arc, name && h("span", { class: "stat-name", title: name }, name));
}

function buildMarks(config: FieldConfig, [min, max]: [number, number], share: (at: number) => number): SVGElement[] {
  const steps = config.thresholds?.steps ?? [];
  return steps.map((step, i) => {
    const from = share(Math.max(resolveStep(step.value, config.thresholds?.mode, min, max), min));
    const next = steps[i + 1];
    const until = next ? share(resolveStep(next.value, config.thresholds?.mode, min, max)) : 1;
    return drawArc(from, until, RADIUS + 7, 2.5, resolveColor(step.color));
  });
}

/** A piece of the arc between two shares of it. */
function drawArc(from: number, until: number, radius: number, width: number, color: string): SVGElement {
  const place = (share: number): string => {
    const angle = ((share * SWEEP - SWEEP / 2 - 90) * Math.PI) / 180;
    return `${(50 + radius * Math.cos(angle)).toFixed(2)} ${(50 + radius * Math.sin(angle)).toFixed(2)}`;
  };
  const large = (until - from) * SWEEP > 180 ? 1 : 0;
  return svg("path", {
    d: `M ${place(from)} A ${radius} ${radius} 0 ${large} 1 ${place(until)}`,
    fill: "none",
    style: { stroke: color },
    "stroke-width": String(width),
  });
}
