// A trace as Jaeger's API has it, as a list of spans in the order of a tree.
// https://www.jaegertracing.io/docs/2.13/apis/#http-json

export interface RawTrace {
  traceID: string;
  spans: RawSpan[];
  processes: Record<string, { serviceName: string; tags?: Tag[] }>;
}

export interface RawSpan {
  spanID: string;
  operationName: string;
  references?: { refType: string; spanID: string }[];
  /** Microseconds. */
  startTime: number;
  duration: number;
  processID: string;
  tags?: Tag[];
  logs?: { timestamp: number; fields: Tag[] }[];
}

export interface Tag {
  key: string;
  value: unknown;
}

export interface TraceSpan {
  id: string;
  name: string;
  service: string;
  depth: number;
  /** Milliseconds since 1970, and milliseconds. */
  start: number;
  length: number;
  failed: boolean;
  tags: Record<string, string>;
  logs: { time: number; fields: Record<string, string> }[];
}

/** Microseconds, of 285 years: the end of a span was before its beginning, and the difference went round. */
const LONGEST = 9e15;

/** Parents before their children, those in the order of their beginning; what has lost its parent is a root. */
export function listSpans(trace: RawTrace): TraceSpan[] {
  const ids = new Set(trace.spans.map((span) => span.spanID));
  const children = Map.groupBy(trace.spans, (span) => {
    const parent = span.references?.find((one) => one.refType === "CHILD_OF")?.spanID ?? span.references?.[0]?.spanID;
    return parent && ids.has(parent) && parent !== span.spanID ? parent : "";
  });
  const spans: TraceSpan[] = [];
  const add = (parent: string, depth: number): void => {
    for (const span of (children.get(parent) ?? []).sort((a, b) => a.startTime - b.startTime)) {
      spans.push(readSpan(span, trace, depth));
      children.delete(parent);
      add(span.spanID, depth + 1);
    }
  };
  add("", 0);
  return spans;
}

/** When the first of the spans begins, and how long it is until the last one ends. */
export function measureSpans(spans: readonly TraceSpan[]): { start: number; length: number } {
  const start = spans.reduce((least, span) => Math.min(least, span.start), Infinity);
  return { start, length: spans.reduce((most, span) => Math.max(most, span.start + span.length), start) - start };
}

function readSpan(span: RawSpan, trace: RawTrace, depth: number): TraceSpan {
  const process = trace.processes[span.processID];
  const tags = readTags([...(process?.tags ?? []), ...(span.tags ?? [])]);
  return {
    id: span.spanID,
    name: span.operationName,
    service: process?.serviceName ?? "unknown",
    depth,
    start: span.startTime / 1000,
    length: span.duration < LONGEST ? span.duration / 1000 : 0,
    failed: tags.error === "true" || tags["otel.status_code"] === "ERROR",
    tags,
    logs: (span.logs ?? []).map(({ timestamp, fields }) => ({ time: timestamp / 1000, fields: readTags(fields) })),
  };
}

const readTags = (tags: readonly Tag[]): Record<string, string> =>
  Object.fromEntries(tags.map(({ key, value }) => [key, String(value)]));

/** The query for the log lines of a trace, as the source's link to logs says. */
export function buildLogQuery(id: string, services: readonly string[], label: string): string {
  const escape = (text: string): string => text.replace(/[\\"]/g, "\\$&");
  const names = services.map((name) => escape(name.replace(/[\\^$*+?.()|[\]{}]/g, "\\$&"))).join("|");
  return `{${label}=~"${names}"} |= "${escape(id)}"`;
}
