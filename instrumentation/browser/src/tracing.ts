/** Spans of requests, whose context goes with them to servers that are named. */

import { TracingInstrumentation } from "@grafana/faro-web-tracing";

import { parseUrl } from "./text.ts";

/** What matches an address below `prefix`, and none of a host whose name only begins alike. */
export function matchBelow(prefix: string): RegExp | undefined {
  const href = parseUrl(prefix)?.href.replace(/\/$/, "");
  return href ? new RegExp(`^${href.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?:[/?#]|$)`) : undefined;
}

/** Spans of each request; `traceparent` goes to the page's own origin and to what matches. */
export function buildTracing(propagateTo: readonly (string | RegExp)[]): TracingInstrumentation {
  const patterns = propagateTo.map((each) => (typeof each === "string" ? matchBelow(each) : each));
  const propagateTraceHeaderCorsUrls = patterns.filter((each) => each !== undefined);
  return new TracingInstrumentation({ instrumentationOptions: { propagateTraceHeaderCorsUrls } });
}
