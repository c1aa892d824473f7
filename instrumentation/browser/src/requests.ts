/** Requests of the page by fetch and XMLHttpRequest: method, status, duration, host and route. */

import { attempt } from "./client.ts";
import { cleanPath, parseUrl } from "./text.ts";
import type { Context } from "./text.ts";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** How a request ended: its status, or why it has none. */
export type Ended = number | "failed" | "aborted" | "opaque";

/** Says how a request ended, once. */
type Finish = (ended: Ended) => void;
/** Notes that a request begins; nothing comes back for one that is not measured. */
type Begin = (method: string, address: string) => Finish | undefined;

export interface Measured {
  context: Context;
  duration: number;
}

/** Method, host, route, status and its class, as a record has them. */
export function describeRequest(method: string, url: URL, ended: Ended): Context {
  const upper = method.toUpperCase();
  const status = typeof ended === "number" && ended > 0 ? ended : undefined;
  return {
    method: METHODS.has(upper) ? upper : "_OTHER",
    host: url.host,
    route: cleanPath(url.pathname),
    ...(status ? { status: String(status) } : {}),
    status_class: status ? `${Math.trunc(status / 100)}xx` : String(ended || "failed"),
  };
}

/**
 * Measure every request from now on, but for those to `ignored`.
 *
 * `begin` of the caller runs while the request is sent, where the span of it is the current one; what it returns sends
 * the measurement.
 */
export function measureRequests(ignored: string, begin: () => (measured: Measured) => void): void {
  const start: Begin = (method, address) => {
    const url = parseUrl(address);
    if (!url || !/^https?:$/.test(url.protocol) || url.href === ignored || url.href.startsWith(`${ignored}/`)) return undefined;
    const send = begin();
    const began = performance.now();
    return (ended) => {
      const duration = Math.round(performance.now() - began);
      attempt(() => send({ context: describeRequest(method, url, ended), duration }));
    };
  };
  const safely: Begin = (method, address) => {
    try {
      return start(method, address);
    } catch {
      return undefined;
    }
  };
  attempt(() => wrapFetch(safely));
  attempt(() => wrapXhr(safely));
}

function wrapFetch(begin: Begin): void {
  const original = globalThis.fetch;
  if (typeof original !== "function") return;
  globalThis.fetch = function fetch(this: unknown, ...args: Parameters<typeof original>): Promise<Response> {
    const [input, init] = args;
    const request = input instanceof Request ? input : undefined;
    const finish = begin(init?.method ?? request?.method ?? "GET", request?.url ?? String(input));
    const answer = Reflect.apply(original, this, args) as Promise<Response>;
    // beside the page's own handlers: its promise stays as it is
    if (finish) answer.then((response) => finish(readStatus(response)), (error) => finish(readReason(error)));
    return answer;
  };
}

function readStatus(response: Response): Ended {
  return response.type === "opaque" || response.type === "opaqueredirect" ? "opaque" : response.status;
}

function readReason(error: unknown): Ended {
  return error instanceof DOMException && error.name === "AbortError" ? "aborted" : "failed";
}

function wrapXhr(begin: Begin): void {
  if (typeof XMLHttpRequest !== "function") return;
  const asked = new WeakMap<XMLHttpRequest, [method: string, address: string]>();
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (this: XMLHttpRequest, ...args: unknown[]): void {
    asked.set(this, [String(args[0]), String(args[1])]);
    Reflect.apply(open, this, args);
  };
  XMLHttpRequest.prototype.send = function (this: XMLHttpRequest, ...args: unknown[]): void {
    const finish = begin(...(asked.get(this) ?? ["GET", ""]));
    if (finish) listenForEnd(this, finish);
    Reflect.apply(send, this, args);
  };
}

function listenForEnd(request: XMLHttpRequest, finish: Finish): void {
  let ended: Ended = "failed";
  request.addEventListener("abort", () => (ended = "aborted"), { once: true });
  request.addEventListener("loadend", () => finish(request.status || ended), { once: true });
}
