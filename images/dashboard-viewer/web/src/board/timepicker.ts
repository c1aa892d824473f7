// The choice of a time range: usual ones, two moments, a step back, forward and outward.

import { describeRange, formatTime, parseMoment, type Range, resolveRange, type Span } from "../data/time.ts";
import { h } from "../dom.ts";
import { buildIcon } from "../icons.ts";
import { buildMenu } from "./menu.ts";

const USUAL = [
  "now-5m",
  "now-15m",
  "now-30m",
  "now-1h",
  "now-3h",
  "now-6h",
  "now-12h",
  "now-24h",
  "now-2d",
  "now-7d",
  "now-30d",
  "now-90d",
];

export function buildTimePicker(range: Range, choose: (range: Range) => void): HTMLElement {
  const move = (make: (span: Span) => Span) => () => choose(writeSpan(make(resolveRange(range, Date.now()))));
  const step = (sign: Parameters<typeof buildIcon>[0], name: string, make: (span: Span) => Span): HTMLElement =>
    h(
      "button",
      { type: "button", class: "choice", title: name, "aria-label": name, on: { click: move(make) } },
      buildIcon(sign),
    );
  return h(
    "div",
    { class: "group", role: "group", "aria-label": "Time range" },
    step("earlier", "Earlier", ({ start, end }) => ({
      start: start - (end - start) / 2,
      end: end - (end - start) / 2,
    })),
    buildMenu({
      label: describeRange(range),
      name: `Time range: ${describeRange(range)}`,
      build: (close) => buildChoices(range, choose, close),
    }),
    step("later", "Later", ({ start, end }) => ({ start: start + (end - start) / 2, end: end + (end - start) / 2 })),
    step("outward", "Zoom out", ({ start, end }) => ({
      start: start - (end - start) / 2,
      end: end + (end - start) / 2,
    })),
  );
}

/** A span as the address has it: in milliseconds, and not in the future. */
export function writeSpan(span: Span, now = Date.now()): Range {
  const end = Math.min(Math.round(span.end * 1000), now);
  return { from: String(Math.round(end - (span.end - span.start) * 1000)), to: String(end) };
}

function buildChoices(range: Range, choose: (range: Range) => void, close: () => void): Node[] {
  const pick = (next: Range) => () => {
    close();
    choose(next);
  };
  const ranges = [
    ...USUAL.map((from): Range => ({ from, to: "now" })),
    { from: "now/d", to: "now/d" },
    { from: "now-1d/d", to: "now-1d/d" },
  ];
  const buttons = ranges.map((each) => {
    const current = each.from === range.from && each.to === range.to;
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", "aria-current": current ? "true" : null, on: { click: pick(each) } },
        describeRange(each),
      ),
    );
  });
  return [h("ul", { class: "options two" }, ...buttons), buildForm(range, (next) => pick(next)())];
}

function buildForm(range: Range, choose: (range: Range) => void): HTMLElement {
  const span = resolveRange(range, Date.now());
  const show = (text: string, seconds: number): string => (/^\d+$/.test(text) ? formatTime(seconds * 1000) : text);
  const from = h("input", { name: "from", value: show(range.from, span.start), autocomplete: "off" });
  const to = h("input", { name: "to", value: show(range.to, span.end), autocomplete: "off" });
  const wrong = h("p", { class: "failed", role: "alert", hidden: true });
  const submit = (event: Event): void => {
    event.preventDefault();
    const read = (text: string): string =>
      text.startsWith("now") ? text.trim() : String(parseMoment(text, Date.now()) ?? "");
    const next = { from: read(from.value), to: read(to.value) };
    const [start, end] = [parseMoment(next.from, Date.now()), parseMoment(next.to, Date.now(), true)];
    wrong.hidden = start !== undefined && end !== undefined && start < end;
    wrong.textContent = "From must be before To; both are times such as 2026-11-29 14:00 or now-6h.";
    if (wrong.hidden) choose(next);
  };
  return h(
    "form",
    { class: "moments", on: { submit } },
    h("label", {}, "From", from),
    h("label", {}, "To", to),
    wrong,
    h("button", { type: "submit", class: "choice" }, "Apply"),
  );
}
