/** The way to the gateway: batches that it takes, also while a page is left. */

import type { TransportItem } from "@grafana/faro-core";
import { OtlpHttpTransport } from "@grafana/faro-transport-otlp-http";
import type { OtlpHttpTransportOptions } from "@grafana/faro-transport-otlp-http";

import { attempt } from "./client.ts";

const WAIT = 1000;
const MOST_WAITING = 200;
const MOST_BYTES = 28_000; // two are on their way at most, and browsers let 64 KiB outlive a page

/** Bytes of a value as OTLP/JSON, or somewhat more: a text may be of three bytes a character, and keys have wrappings. */
export function estimateBytes(value: unknown): number {
  if (typeof value === "string") return 24 + new TextEncoder().encode(value).length + (value.match(/["\\\n]/g)?.length ?? 0);
  if (typeof value !== "object" || value === null) return 40;
  return Object.entries(value).reduce((sum, [key, inner]) => sum + key.length + 30 + estimateBytes(inner), 40);
}

/** The items in lists that are each within `most` bytes; one that is larger alone is left out. */
export function splitItems<T>(items: readonly T[], most: number): T[][] {
  const lists: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const size = estimateBytes(item);
    if (size > most) continue;
    if (bytes + size > most) {
      lists.push([]);
      bytes = 0;
    }
    lists.at(-1)?.push(item);
    bytes += size;
  }
  return lists;
}

/** Faro's transport with a queue of its own: Faro's ends with the page before the last web vitals are in it. */
export class Transport extends OtlpHttpTransport {
  #waiting: TransportItem[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(url: string, bodies: NonNullable<OtlpHttpTransportOptions["otlpTransform"]>) {
    super({
      logsURL: `${url}/v1/logs`,
      tracesURL: `${url}/v1/traces`,
      otlpTransform: bodies,
      concurrency: 2,
      defaultRateLimitBackoffMs: 30_000, // a page of another origin cannot read Retry-After unless it is exposed
      // no cookies, and no address of the page with its query
      requestOptions: { credentials: "omit", referrerPolicy: "origin" },
    });
  }

  override send(items: TransportItem[]): Promise<void> {
    this.#waiting.push(...items.slice(0, MOST_WAITING - this.#waiting.length));
    if (document.visibilityState === "hidden") queueMicrotask(() => this.flush());
    else this.#timer ??= setTimeout(() => this.flush(), WAIT);
    return Promise.resolve();
  }

  /** Send everything that waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const items = this.#waiting;
    this.#waiting = [];
    attempt(() => splitItems(items, MOST_BYTES).forEach((list) => void super.send(list)));
  }
}
