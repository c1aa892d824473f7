// Time ranges as Grafana writes them (now-1h, now/d, milliseconds), steps of queries, and times as text.

export interface Range {
  /** As it is written in the address. */
  from: string;
  to: string;
}

export interface Span {
  /** Seconds since 1970. */
  start: number;
  end: number;
}

const SECONDS: Record<string, number> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86400,
  w: 604800,
  M: 2592000,
  y: 31536000,
};

/** Seconds of a duration such as 15s, 1h30m or 250ms; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(ms|[smhdwMy])/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text.trim()) return undefined;
  return parts.reduce((sum, part) => sum + Number(part[1]) * (SECONDS[part[2] ?? ""] ?? 0), 0);
}

/** Shortest writing of a duration in seconds: 90 is 1m30s, 3600 is 1h. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)}ms`;
  let left = Math.round(seconds);
  let text = "";
  for (const unit of ["d", "h", "m", "s"]) {
    const count = Math.floor(left / (SECONDS[unit] ?? 1));
    if (count > 0) text += `${count}${unit}`;
    left -= count * (SECONDS[unit] ?? 1);
  }
  return text || "0s";
}

/** A moment in milliseconds; `now` is one as well. `up` rounds now/d to the end of the day and not to its beginning. */
export function parseMoment(text: string, now: number, up = false): number | undefined {
  const match = /^now((?:[+-]\d+[smhdwMy])*)(?:\/([smhdwMy]))?$/.exec(text.trim());
  if (!match) return parseAbsolute(text.trim());
  let moment = now;
  for (const [, sign, count, unit] of (match[1] ?? "").matchAll(/([+-])(\d+)([smhdwMy])/g))
    moment = shift(moment, (sign === "-" ? -1 : 1) * Number(count), unit ?? "s");
  return match[2] ? roundTo(moment, match[2], up) : moment;
}

function parseAbsolute(text: string): number | undefined {
  const moment = /^\d{9,}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(moment) ? moment : undefined;
}

function shift(moment: number, count: number, unit: string): number {
  const date = new Date(moment);
  if (unit === "M") return date.setMonth(date.getMonth() + count);
  if (unit === "y") return date.setFullYear(date.getFullYear() + count);
  return moment + count * (SECONDS[unit] ?? 0) * 1000;
}

function roundTo(moment: number, unit: string, up: boolean): number {
  const date = new Date(moment);
  if (unit === "y") date.setMonth(0, 1);
  if (unit === "M") date.setDate(1);
  if (unit === "w") date.setDate(date.getDate() - ((date.getDay() + 6) % 7));
  if ("yMwd".includes(unit)) date.setHours(0, 0, 0, 0);
  if (unit === "h") date.setMinutes(0, 0, 0);
  if (unit === "m") date.setSeconds(0, 0);
  return up ? shift(date.getTime(), 1, unit) - 1 : date.getTime();
}

/** A range in seconds since 1970; what cannot be read is the last hour. */
export function resolveRange(range: Range, now: number): Span {
  const start = parseMoment(range.from, now);
  const end = parseMoment(range.to, now, true);
  if (start === undefined || end === undefined || start >= end) return { start: now / 1000 - 3600, end: now / 1000 };
  return { start: start / 1000, end: end / 1000 };
}

const STEPS = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800, 2592000,
];

/** Seconds between samples: as many as there are points to draw, at a step that people count in. */
export function deriveStep(span: Span, points: number, least: number): number {
  const wanted = Math.max((span.end - span.start) / Math.max(points, 1), least);
  return STEPS.find((step) => step >= wanted - 1e-9 && step >= least) ?? Math.ceil(wanted);
}

/** The window of rate() that has at least four scrapes in it: $__rate_interval. */
export function deriveRateInterval(step: number, scrape: number): number {
  return Math.max(step + scrape, 4 * scrape);
}

/** Both ends on multiples of the step, so that a refresh draws the same samples again. */
export function alignSpan(span: Span, step: number): Span {
  return { start: Math.floor(span.start / step) * step, end: Math.floor(span.end / step) * step };
}

const two = (n: number): string => String(n).padStart(2, "0");

/** Local time: 2026-11-29 14:05:09. */
export function formatTime(ms: number, fraction = false): string {
  const d = new Date(ms);
  const day = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  const time = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return fraction ? `${day} ${time}.${String(d.getMilliseconds()).padStart(3, "0")}` : `${day} ${time}`;
}

/** Labels of a time axis: the day where a new one begins, else the time. Seconds since 1970. */
export function formatTicks(ticks: readonly number[], increment: number): string[] {
  return ticks.map((tick) => {
    const d = new Date(tick * 1000);
    const day = `${two(d.getMonth() + 1)}-${two(d.getDate())}`;
    if (increment >= 86400 || (d.getHours() === 0 && d.getMinutes() === 0 && d.getSeconds() === 0)) return day;
    const time = `${two(d.getHours())}:${two(d.getMinutes())}`;
    return increment < 60 ? `${time}:${two(d.getSeconds())}` : time;
  });
}

const NAMES: Record<string, string> = {
  s: "second",
  m: "minute",
  h: "hour",
  d: "day",
  w: "week",
  M: "month",
  y: "year",
};

/** A range in words: Last 6 hours, or both moments. */
export function describeRange(range: Range): string {
  const match = /^now-(\d+)([smhdwMy])$/.exec(range.from);
  if (match && range.to === "now") {
    const name = NAMES[match[2] ?? ""] ?? "";
    return match[1] === "1" ? `Last ${name}` : `Last ${match[1]} ${name}s`;
  }
  if (range.from === "now/d" && range.to === "now/d") return "Today";
  if (range.from === "now-1d/d" && range.to === "now-1d/d") return "Yesterday";
  const show = (text: string): string => (/^\d+$/.test(text) ? formatTime(Number(text)).slice(0, 16) : text);
  return `${show(range.from)} to ${show(range.to)}`;
}
