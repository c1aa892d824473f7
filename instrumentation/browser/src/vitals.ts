/** How quickly the page was there, and how it answers: navigation timing and Core Web Vitals. */

import { onCLS, onFCP, onINP, onLCP, onTTFB } from "web-vitals";
import type { Metric } from "web-vitals";

import { attempt } from "./client.ts";
import type { Context } from "./text.ts";

/** Takes one value: milliseconds, but for `cls`, which has no unit. */
export type Measure = (type: string, name: string, value: number, context: Context) => void;

/** Measure when the first byte came, when the document could be used, and when all of it was there. */
export function measurePageLoad(measure: Measure): void {
  const report = (): void => attempt(() => reportPageLoad(measure));
  // the load event itself is part of what is measured
  if (document.readyState === "complete") setTimeout(report);
  else addEventListener("load", () => setTimeout(report), { once: true });
}

function reportPageLoad(measure: Measure): void {
  const [entry] = performance.getEntriesByType("navigation");
  if (!(entry instanceof PerformanceNavigationTiming)) return;
  const { activationStart = 0 } = entry as PerformanceNavigationTiming & { activationStart?: number }; // of a page that was rendered ahead
  const values = { ttfb: entry.responseStart, dom_interactive: entry.domInteractive, load: entry.loadEventEnd };
  for (const [name, value] of Object.entries(values)) {
    if (value > 0) measure("page-load", name, Math.round(Math.max(value - activationStart, 0)), { navigation_type: entry.type });
  }
}

/** Measure web vitals; most of them are known when the page is left. */
export function measureVitals(measure: Measure): void {
  const report = ({ name, value, rating, navigationType }: Metric): void => {
    const rounded = name === "CLS" ? Math.round(value * 10_000) / 10_000 : Math.round(value);
    attempt(() => measure("web-vitals", name.toLowerCase(), rounded, { rating, navigation_type: navigationType }));
  };
  for (const listen of [onLCP, onINP, onCLS, onFCP, onTTFB]) listen(report);
}
