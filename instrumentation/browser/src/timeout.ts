/** A limit of time for anything that is waited for. */

import { attempt, findClient } from "./client.ts";
import { cut } from "./text.ts";

const LONGEST = 2 ** 31 - 1; // a timer of more milliseconds ends at once

/** Something was waited for in vain. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
  /** What was waited for. */
  readonly operation: string;
  /** The limit in milliseconds. */
  readonly ms: number;

  constructor(operation: string, ms: number) {
    super(`${operation}: no result within ${ms} ms`);
    this.operation = operation;
    this.ms = ms;
  }
}

/**
 * The promise's own result or rejection, or a TimeoutError, which is reported, after `ms` milliseconds.
 *
 * Whatever the promise stands for goes on: pass an AbortSignal to it where it is to end.
 */
export function withTimeout<T>(promise: PromiseLike<T>, ms: number, name: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const began = performance.now();
    const end = (): void => {
      const error = new TimeoutError(cut(String(name), 64), ms);
      const duration = String(Math.round(performance.now() - began));
      attempt(() => findClient()?.reportError(error, "timeout", { name: error.operation, ms: String(ms), duration }));
      reject(error);
    };
    const timer = ms <= LONGEST ? setTimeout(end, ms) : undefined;
    promise.then(
      (value) => (clearTimeout(timer), resolve(value)),
      (reason: unknown) => (clearTimeout(timer), reject(reason)),
    );
  });
}
