// The spans of one trace under each other at their times; each unfolds into its tags and what happened in it.

import { formatTime } from "../data/time.ts";
import { measureSpans, type TraceSpan } from "../data/traces.ts";
import { formatValue } from "../data/units.ts";
import { h } from "../dom.ts";
import { assignPairs } from "../theme.ts";

const MARKS = [0, 0.25, 0.5, 0.75, 1];
const DEEPEST = 12;

export const count = (number: number, name: string): string => `${number} ${name}${number === 1 ? "" : "s"}`;

/** What the trace is, and how large. */
export function buildHead(id: string, spans: readonly TraceSpan[]): HTMLElement {
  const root = spans[0];
  const failed = spans.filter((span) => span.failed).length;
  const facts = [
    root && formatTime(measureSpans(spans).start, true),
    formatValue(measureSpans(spans).length, "ms"),
    count(spans.length, "span"),
    count(new Set(spans.map((span) => span.service)).size, "service"),
    failed > 0 && `${failed} failed`,
    id,
  ];
  return h(
    "div",
    { class: "board-head" },
    h("h1", {}, root ? `${root.service}: ${root.name}` : "Trace"),
    h("p", { class: "hint" }, facts.filter(Boolean).join(" · ")),
  );
}

/** The spans; a press on one shows and hides what it has. */
export function buildTree(spans: readonly TraceSpan[]): HTMLElement {
  const whole = measureSpans(spans);
  const services = [...new Set(spans.map((span) => span.service))];
  const palette = assignPairs(services);
  const colors = new Map(services.map((service, i) => [service, palette[i] ?? ""]));
  return h(
    "div",
    { class: "waterfall panel" },
    buildAxis(whole.length),
    h(
      "ol",
      { class: "spans", "aria-label": "Spans" },
      ...spans.map((span) => buildSpan(span, whole, colors.get(span.service) ?? "")),
    ),
  );
}

function buildAxis(length: number): HTMLElement {
  const marks = MARKS.map((share) =>
    h("span", { style: { left: `${share * 100}%` } }, formatValue(length * share, "ms")),
  );
  return h("div", { class: "span-axis", "aria-hidden": "true" }, h("div", {}, ...marks));
}

function buildSpan(span: TraceSpan, whole: { start: number; length: number }, color: string): HTMLElement {
  const share = (ms: number): string => `${Math.min((ms / (whole.length || 1)) * 100, 100)}%`;
  const length = formatValue(span.length, "ms");
  const bar = h("i", {
    style: {
      left: share(span.start - whole.start),
      width: share(span.length),
      background: span.failed ? "var(--bad)" : color,
    },
  });
  const name = h(
    "span",
    { class: "span-name", style: { "--depth": String(Math.min(span.depth, DEEPEST)) } },
    h("i", { class: "swatch", style: { background: color } }),
    h("b", {}, span.service),
    ` ${span.name}`,
  );
  const button = h(
    "button",
    { type: "button", "aria-expanded": "false", class: span.failed ? "bad" : undefined },
    name,
    h("span", { class: "span-bar", "aria-hidden": "true" }, bar),
    h("span", { class: "number" }, span.failed ? `failed, ${length}` : length),
  );
  const item = h("li", {}, button);
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    if (open) item.append(buildDetails(span, whole.start));
    else item.querySelector(".details")?.remove();
  });
  return item;
}

function buildDetails(span: TraceSpan, begin: number): HTMLElement {
  const list = (fields: Record<string, string>): HTMLElement =>
    h("dl", {}, ...Object.entries(fields).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  const after = (time: number): string => `${formatValue(time - begin, "ms")} after the trace began`;
  const events = span.logs.flatMap(({ time, fields }) => [
    h("div", { class: "heading" }, `Event at ${formatTime(time, true)}, ${after(time)}`),
    list(fields),
  ]);
  const own = { operation: span.name, begins: `${formatTime(span.start, true)}, ${after(span.start)}`, id: span.id };
  return h(
    "div",
    { class: "details" },
    h("div", { class: "heading" }, "Span"),
    list(own),
    h("div", { class: "heading" }, "Tags"),
    list(span.tags),
    ...events,
  );
}
