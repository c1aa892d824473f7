/** The one client of a page, which all copies of this package in it share. */

import type { Context } from "./text.ts";

/** How an error came to be known. */
export type Mechanism = "uncaught" | "unhandledrejection" | "logged" | "timeout";

export interface Client {
  reportError(error: unknown, mechanism: Mechanism, context?: Context): void;
}

const KEY = Symbol.for("observability.browser");

function getScope(): Record<symbol, Client | undefined> {
  return globalThis as unknown as Record<symbol, Client | undefined>;
}

/** The page's client; absent before `initTelemetry` and on a server. */
export function findClient(): Client | undefined {
  return getScope()[KEY];
}

/** Make this the page's client. */
export function setClient(client: Client | undefined): void {
  getScope()[KEY] = client;
}

/** Run something whose failure is nobody's concern: telemetry never breaks a page. */
export function attempt(run: () => void): void {
  try {
    run();
  } catch {
    // there is nowhere to report it
  }
}
