/** Telemetry of web pages for the stack's OpenTelemetry gateway. */

export { initTelemetry } from "./init.ts";
export type { TelemetryOptions } from "./init.ts";
export { logError } from "./log.ts";
export { TimeoutError, withTimeout } from "./timeout.ts";
