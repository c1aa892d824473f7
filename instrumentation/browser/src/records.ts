/** Records as they leave the page: their log lines, and what is taken out of them. */

import { TransportItemType } from "@grafana/faro-core";
import type { APIEvent, EventEvent, ExceptionEvent, MeasurementEvent, TraceEvent, TransportItem } from "@grafana/faro-core";

import { cleanText } from "./text.ts";

/** The line of an error: `TypeError: x is undefined`. */
export function formatError({ payload }: TransportItem<ExceptionEvent>): string {
  return `${payload.type}: ${payload.value}`;
}

/** The line of a measurement: `lcp 1234 ms`, `GET /orders 200 34 ms`. */
export function formatMeasurement({ payload }: TransportItem<MeasurementEvent>): string {
  const [name = "", value = 0] = Object.entries(payload.values)[0] ?? [];
  const amount = name === "cls" ? String(value) : `${value} ms`;
  const { method, route, status, status_class: kind } = payload.context ?? {};
  return payload.type === "request" ? `${method} ${route} ${status ?? kind} ${amount}` : `${name} ${amount}`;
}

/** The record without what stays in the page; null where nothing of it is sent. */
export function cleanItem<T extends APIEvent>(item: TransportItem<T>): TransportItem<T> | null {
  try {
    // Faro sends each span of a request as an event, too: the measurement of the request says the same
    if (item.type === TransportItemType.EVENT && (item.payload as EventEvent).name.startsWith("faro.tracing.")) return null;
    if (item.type === TransportItemType.TRACE) cleanSpans(item.payload as TraceEvent);
    const { session, ...meta } = item.meta;
    return { ...item, meta: session?.id ? item.meta : meta };
  } catch {
    return null;
  }
}

function cleanSpans(trace: TraceEvent): void {
  for (const { scopeSpans } of trace.resourceSpans ?? []) {
    for (const span of scopeSpans.flatMap((scope) => scope.spans ?? [])) {
      const lists = [span.attributes, ...(span.events ?? []).map((event) => event.attributes)];
      for (const { value } of lists.flat()) {
        if (typeof value?.stringValue === "string") value.stringValue = cleanText(value.stringValue, 1024);
      }
    }
  }
}
