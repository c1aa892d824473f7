// A trace as Tempo's API has it (OpenTelemetry's JSON), in the shape of Jaeger's.
// https://grafana.com/docs/tempo/latest/api_docs/#query

import type { RawSpan, RawTrace, Tag } from "./traces.ts";

interface Attribute {
  key: string;
  value?: Record<string, unknown>;
}

interface OtlpSpan {
  spanId: string;
  parentSpanId?: string;
  name?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: Attribute[];
  events?: { timeUnixNano: string; name?: string; attributes?: Attribute[] }[];
  status?: { code?: number | string; message?: string };
}

export interface OtlpTrace {
  batches?: {
    resource?: { attributes?: Attribute[] };
    scopeSpans?: { spans?: OtlpSpan[] }[];
  }[];
}

/** One process for each batch, which is what one service sent. */
export function readOtlp(trace: OtlpTrace, id: string): RawTrace {
  const read: RawTrace = { traceID: id, spans: [], processes: {} };
  (trace.batches ?? []).forEach(({ resource, scopeSpans = [] }, i) => {
    const tags = readAttributes(resource?.attributes);
    const serviceName = String(tags.find(({ key }) => key === "service.name")?.value ?? "unknown");
    read.processes[`p${i}`] = { serviceName, tags };
    for (const { spans = [] } of scopeSpans) for (const span of spans) read.spans.push(readSpan(span, `p${i}`));
  });
  return read;
}

function readSpan(span: OtlpSpan, processID: string): RawSpan {
  const start = toMicroseconds(span.startTimeUnixNano);
  const failed = span.status?.code === 2 || span.status?.code === "STATUS_CODE_ERROR";
  return {
    spanID: span.spanId,
    operationName: span.name ?? "",
    references: span.parentSpanId ? [{ refType: "CHILD_OF", spanID: span.parentSpanId }] : [],
    startTime: start,
    duration: toMicroseconds(span.endTimeUnixNano) - start,
    processID,
    tags: [...readAttributes(span.attributes), ...(failed ? [{ key: "error", value: true }] : [])],
    logs: (span.events ?? []).map(({ timeUnixNano, name, attributes }) => ({
      timestamp: toMicroseconds(timeUnixNano),
      fields: [{ key: "event", value: name ?? "" }, ...readAttributes(attributes)],
    })),
  };
}

const toMicroseconds = (nanoseconds: string): number => Number(BigInt(nanoseconds) / 1000n);

/** Values are stringValue, intValue and so on, each the only one of its attribute. */
const readAttributes = (attributes: readonly Attribute[] = []): Tag[] =>
  attributes.map(({ key, value = {} }) => {
    const [only] = Object.values(value);
    return { key, value: typeof only === "object" ? JSON.stringify(only) : only };
  });
