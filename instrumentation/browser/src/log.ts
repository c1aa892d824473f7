/** Errors that the page handles itself. */

import { attempt, findClient } from "./client.ts";
import type { Context } from "./text.ts";

/** Report a handled error, or whatever was thrown in place of one; `context` is flat. */
export function logError(error: unknown, context?: Readonly<Context>): void {
  attempt(() => findClient()?.reportError(error, "logged", context));
}
