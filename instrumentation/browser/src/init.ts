/** The beginning: what is collected, and where it goes. */

import { InternalLoggerLevel, defaultUnpatchedConsole, initializeFaro } from "@grafana/faro-core";
import type { Config, Faro } from "@grafana/faro-core";
import { SessionInstrumentation, parseStacktrace, sdkMeta } from "@grafana/faro-web-sdk";

import { listenForClicks } from "./clicks.ts";
import { attempt, findClient, setClient } from "./client.ts";
import { buildErrorClient, listenForErrors } from "./errors.ts";
import type { ErrorRecord } from "./errors.ts";
import { describeBrowser, describePage } from "./page.ts";
import { cleanItem, formatError, formatMeasurement } from "./records.ts";
import { measureRequests } from "./requests.ts";
import { cut, parseUrl } from "./text.ts";
import { buildTracing } from "./tracing.ts";
import { Transport } from "./transport.ts";
import { measurePageLoad, measureVitals } from "./vitals.ts";
import type { Measure } from "./vitals.ts";

export interface TelemetryOptions {
  /** The gateway's public address, such as https://monitoring.example.com/browser; nothing is sent where it is empty. */
  url: string;
  /** The name of the service in the system's file. */
  service: string;
  /** Version of the page's program. */
  release?: string;
  environment?: string;
  /** Share of page loads that are measured, from 0 to 1; 1 unless given. Those that are not send nothing, also no error. */
  sampleRate?: number;
  /** Whether requests are spans, and servers get their context; true where `propagateTo` is given. */
  tracing?: boolean;
  /** Addresses of other origins that take the header `traceparent`: all below a text, or what an expression matches. */
  propagateTo?: (string | RegExp)[];
  /** Whether pages of one tab have a random number in common, in sessionStorage; false unless given. */
  sessions?: boolean;
}

/** Begin to collect and send; once for a page. Whatever goes wrong, the page goes on without. */
export function initTelemetry(options: TelemetryOptions): void {
  attempt(() => {
    if (typeof window === "undefined" || typeof document === "undefined" || findClient()) return;
    const url = options.url && parseUrl(options.url)?.href.replace(/\/+$/, "");
    if (!url || !options.service) return;
    if (Math.random() < (options.sampleRate ?? 1)) start(url, options);
    else setClient({ reportError: () => undefined }); // one decision for each page load
  });
}

function start(url: string, options: TelemetryOptions): void {
  const transport = new Transport(url, { createErrorLogBody: formatError, createMeasurementLogBody: formatMeasurement });
  const tracing = options.tracing ?? Boolean(options.propagateTo?.length);
  const faro = initializeFaro(buildConfig(transport, options, tracing));
  const client = buildErrorClient((record) => sendError(faro, record));
  setClient(client);
  listenForErrors(client);
  const measure: Measure = (type, name, value, context) =>
    faro.api.pushMeasurement({ type, values: { [name]: value } }, { context });
  attempt(() => measurePageLoad(measure));
  attempt(() => measureVitals(measure));
  attempt(() => listenForClicks((target) => faro.api.pushEvent("click", { target })));
  collectRequests(faro, url);
  // outside of what measures requests, whose measurements then know the span
  if (tracing) attempt(() => faro.instrumentations.add(buildTracing(options.propagateTo ?? [])));
  // on the window, after whatever the document's listeners add
  const leave = (): void => attempt(() => (client.drain(), transport.flush()));
  addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());
  addEventListener("pagehide", leave);
}

function buildConfig(transport: Transport, options: TelemetryOptions, tracing: boolean): Config {
  const sessions = options.sessions ?? false;
  // Faro's tracing keeps spans of sampled sessions alone; cleanItem takes this mark out again
  const sampled = tracing && !sessions ? [{ session: { attributes: { isSampled: "true" } } }] : [];
  return {
    app: {
      name: cut(options.service, 64),
      ...(options.release ? { version: cut(options.release, 64) } : {}),
      ...(options.environment ? { environment: cut(options.environment, 64) } : {}),
    },
    metas: [{ browser: describeBrowser(navigator.userAgent) }, describePage, sdkMeta, ...sampled],
    transports: [transport],
    instrumentations: sessions ? [new SessionInstrumentation()] : [],
    sessionTracking: { enabled: sessions, persistent: false, samplingRate: 1 },
    batching: { enabled: false }, // the transport has its own
    beforeSend: cleanItem,
    dedupe: false, // two requests that took as long are two
    eventDomain: "browser",
    internalLoggerLevel: InternalLoggerLevel.OFF,
    isolate: true, // another Faro in the page is none of ours
    preventGlobalExposure: true,
    globalObjectKey: "observabilityFaro",
    parseStacktrace,
    paused: false,
    unpatchedConsole: defaultUnpatchedConsole,
  };
}

function sendError(faro: Faro, { type, message, context, frames }: ErrorRecord): void {
  faro.api.pushError(new Error(message), { type, context, stackFrames: frames, skipDedupe: true });
}

function collectRequests(faro: Faro, url: string): void {
  measureRequests(url, () => {
    const trace = faro.api.getTraceContext();
    const spanContext = trace && { traceId: trace.trace_id, spanId: trace.span_id };
    return ({ context, duration }) =>
      faro.api.pushMeasurement({ type: "request", values: { duration } }, { context, ...(spanContext ? { spanContext } : {}) });
  });
}
