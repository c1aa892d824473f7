/** Errors of any kind as records: what is thrown in JavaScript need not be an Error. */

import type { ExceptionStackFrame } from "@grafana/faro-core";
import { parseStacktrace } from "@grafana/faro-web-sdk";

import { BurstLimit } from "./bursts.ts";
import { attempt } from "./client.ts";
import type { Client, Mechanism } from "./client.ts";
import { boundContext, cleanText, cut } from "./text.ts";
import type { Context } from "./text.ts";

export interface ErrorRecord {
  type: string;
  message: string;
  context: Context;
  frames: ExceptionStackFrame[];
}

const MOST_FRAMES = 30;
const WINDOW = 60_000;
const HARMLESS = /^ResizeObserver loop /; // the browser says that it drew later, and nothing failed
const TYPED = /^(?:Uncaught )?(?:(\w*(?:Error|Exception)): )?([^]*)$/;

/** Type, message and place of anything that was thrown. */
export function describeError(error: unknown): Omit<ErrorRecord, "context"> {
  try {
    if (isErrorLike(error)) {
      const message = cleanText(error.message, 1024);
      return { type: cut(error.name || "Error", 64), message, frames: listFrames(error) };
    }
    if (typeof error === "object" && error !== null) {
      const keys = Object.keys(error).slice(0, 16).join(", "); // values may be anybody's
      return { type: cut(error.constructor?.name ?? "Object", 64), message: cut(`object with keys: ${keys}`, 1024), frames: [] };
    }
    return { type: "Error", message: cleanText(String(error), 1024), frames: [] };
  } catch {
    return { type: "Error", message: "an error that cannot be read", frames: [] };
  }
}

function isErrorLike(error: unknown): error is Error {
  return error instanceof Error || (typeof error === "object" && error !== null && "message" in error && typeof error.message === "string");
}

function listFrames(error: Error): ExceptionStackFrame[] {
  if (typeof error.stack !== "string") return [];
  return parseStacktrace(error).frames.slice(0, MOST_FRAMES).map(cleanFrame);
}

function cleanFrame(frame: ExceptionStackFrame): ExceptionStackFrame {
  return { ...frame, filename: cleanText(frame.filename, 200), function: cut(frame.function, 100) };
}

function describeCause(error: unknown): Context {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause === undefined || cause === null) return {};
  const { type, message } = describeError(cause);
  return { cause: cut(`${type}: ${message}`, 256) };
}

/** The client that sends errors by `send`, the same one at most ten times a minute. */
export function buildErrorClient(send: (record: ErrorRecord) => void, bursts = new BurstLimit<ErrorRecord>()): Client & { drain(): void } {
  const seen = new WeakSet<object>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function drain(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const { sample, count } of bursts.drain()) {
      send({ ...sample, context: { ...sample.context, repeated: String(count) } });
    }
  }

  function reportError(error: unknown, mechanism: Mechanism, context?: Context): void {
    if (typeof error === "object" && error !== null) {
      if (seen.has(error) && mechanism !== "logged") return; // logged or timed out before, and then thrown on
      seen.add(error);
    }
    const about = describeError(error);
    const record = { ...about, context: { ...boundContext(context), ...describeCause(error), mechanism } };
    const key = `${about.type} ${about.message.replace(/\d+/g, "#")} ${about.frames[0]?.filename}:${about.frames[0]?.lineno}`;
    if (bursts.admit(key, record)) send(record);
    else timer ??= setTimeout(drain, WINDOW);
  }

  return { reportError, drain };
}

/** Report what nobody caught. */
export function listenForErrors(client: Client): void {
  addEventListener("error", (event) => {
    if (HARMLESS.test(event.message)) return;
    attempt(() => client.reportError(event.error ?? readMessage(event), "uncaught"));
  });
  addEventListener("unhandledrejection", (event) => {
    attempt(() => client.reportError(event.reason, "unhandledrejection"));
  });
}

/** What an event says that has no error: that of a script of another origin is hidden. */
function readMessage(event: ErrorEvent): Error {
  const [, type, message] = TYPED.exec(event.message) ?? [];
  const error = new Error(message);
  error.name = type ?? "Error";
  error.stack = event.filename ? `${error.name}\n    at ${event.filename}:${event.lineno}:${event.colno}` : "";
  return error;
}
