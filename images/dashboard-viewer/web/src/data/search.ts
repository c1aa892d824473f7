// What to search traces by, as the address has it in the words of Jaeger's own interface; and a trace in one line.
// https://www.jaegertracing.io/docs/2.13/apis/#http-json

import { readFields } from "./levels.ts";
import { describeRange, parseDuration, type Range, resolveRange } from "./time.ts";
import { listSpans, measureSpans, type RawTrace } from "./traces.ts";

export interface Search {
  service: string;
  /** Empty for all of them. */
  operation: string;
  /** Values that one span must have, by the keys of its tags. */
  tags: Record<string, string>;
  /** As Go writes it, or empty. */
  minDuration: string;
  range: Range;
  limit: number;
}

const USUAL: Range = { from: "now-1h", to: "now" };
export const LIMITS = [20, 50, 100, 200];
const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86400],
  ["h", 3600],
  ["m", 60],
];
const DURATION = /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/;

/** The search of an address; what it does not say, or says wrongly, is as usual. */
export function readSearch(words: URLSearchParams, service = ""): Search {
  const limit = Number(words.get("limit"));
  return {
    service: words.get("service") || service,
    operation: words.get("operation") ?? "",
    tags: readFields(words.get("tags") ?? ""),
    minDuration: words.get("minDuration") ?? "",
    range: readRange(words),
    limit: Number.isInteger(limit) && limit > 0 ? limit : (LIMITS[0] ?? 20),
  };
}

/** `lookback` is a length up to now, and goes first; `start` and `end` are microseconds. */
function readRange(words: URLSearchParams): Range {
  const length = parseDuration(words.get("lookback") ?? "");
  if (length) return { from: `now-${writeLength(length)}`, to: "now" };
  const [start, end] = ["start", "end"].map((name) => Math.floor(Number(words.get(name)) / 1000));
  return start && end && start < end ? { from: String(start), to: String(end) } : USUAL;
}

/** In the largest unit that leaves a whole number: 90m, and not 1h30m, which moments have no word for. */
function writeLength(seconds: number): string {
  const [unit, size] = UNITS.find(([, each]) => seconds % each === 0) ?? ["s", 1];
  return `${Math.ceil(seconds / size)}${unit}`;
}

/** The address of a search, which `readSearch` reads. */
export function writeSearch(search: Search, now: number): URLSearchParams {
  const { service, range, limit } = search;
  const lookback = range.to === "now" && /^now-(\d+[smhd])$/.exec(range.from)?.[1];
  const when = lookback ? { lookback } : listEnds(range, now);
  return new URLSearchParams({ service, ...listFilters(search), ...when, limit: String(limit) });
}

/** The question to Jaeger. */
export function buildQuery(search: Search, now: number): URLSearchParams {
  const { service, range, limit } = search;
  return new URLSearchParams({ service, ...listFilters(search), ...listEnds(range, now), limit: String(limit) });
}

function listFilters({ operation, tags, minDuration }: Search): Record<string, string> {
  return {
    ...(operation && { operation }),
    ...(Object.keys(tags).length > 0 && { tags: JSON.stringify(tags) }),
    ...(minDuration && { minDuration }),
  };
}

function listEnds(range: Range, now: number): Record<string, string> {
  const { start, end } = resolveRange(range, now);
  const write = (seconds: number): string => `${Math.round(seconds * 1000)}000`;
  return { start: write(start), end: write(end) };
}

/** Tags as people write them, key=value with quotes around what has spaces; undefined for anything else. */
export function parseTags(text: string): Record<string, string> | undefined {
  const rest = text.replace(/(?:^|\s)[^\s="]+=(?:"(?:[^"\\]|\\.)*"|[^\s"]+)(?=\s|$)/g, "").trim();
  if (rest) return undefined;
  const pairs = text.matchAll(/([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))/g);
  return Object.fromEntries(
    [...pairs].map(([, key = "", quoted, plain = ""]) => [key, quoted?.replace(/\\(.)/g, "$1") ?? plain]),
  );
}

export function formatTags(tags: Record<string, string>): string {
  const write = (value: string): string =>
    /^[^\s"]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
  return Object.entries(tags)
    .map(([key, value]) => `${key}=${write(value)}`)
    .join(" ");
}

/** What is wrong with what was typed, in words; empty where nothing is. */
export function checkInput(tags: string, minDuration: string): string {
  if (!parseTags(tags)) return 'Tags are key=value, with quotes around spaces: error=true db.statement="select 1"';
  if (minDuration && !DURATION.test(minDuration)) return "A duration has its unit: 100ms, 1.5s, 2m";
  return "";
}

/** The search in words, for where it leads to nothing. */
export function describeSearch({ service, operation, tags, minDuration, range }: Search): string {
  const parts = [
    operation && `operation ${operation}`,
    Object.keys(tags).length > 0 && formatTags(tags),
    minDuration && `at least ${minDuration}`,
    describeRange(range).replace(/^[LTY]/, (letter) => letter.toLowerCase()),
  ];
  return [service, ...parts.filter(Boolean)].join(", ");
}

export interface Summary {
  id: string;
  service: string;
  name: string;
  /** Milliseconds since 1970, and milliseconds. */
  start: number;
  length: number;
  spans: number;
  failed: number;
  /** Spans of each service, in the order in which the services appear. */
  services: [string, number][];
}

/** A trace in a line; undefined where it has no span. */
export function summarizeTrace(trace: RawTrace): Summary | undefined {
  const spans = listSpans(trace);
  const [root] = spans;
  if (!root) return undefined;
  const services = Map.groupBy(spans, (span) => span.service);
  return {
    id: trace.traceID,
    service: root.service,
    name: root.name,
    ...measureSpans(spans),
    spans: spans.length,
    failed: spans.filter((span) => span.failed).length,
    services: [...services].map(([service, inside]) => [service, inside.length]),
  };
}

export const ORDERS = {
  newest: (a: Summary, b: Summary) => b.start - a.start,
  longest: (a: Summary, b: Summary) => b.length - a.length,
  "most failed": (a: Summary, b: Summary) => b.failed - a.failed || b.start - a.start,
} as const;
