/** On a server, where pages are rendered: nothing is collected, and nothing breaks. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { findClient } from "../src/client.ts";
import { TimeoutError, initTelemetry, logError, withTimeout } from "../src/index.ts";

test("nothing is begun and nothing is changed", () => {
  const before = { fetch: globalThis.fetch, listeners: process.listenerCount("unhandledRejection") };
  initTelemetry({ url: "https://monitoring.example.com/browser", service: "shop" });
  assert.equal(findClient(), undefined);
  assert.equal(globalThis.fetch, before.fetch);
  assert.equal(process.listenerCount("unhandledRejection"), before.listeners);
  logError(new Error("not sent"));
});

test("limits of time work all the same", async () => {
  assert.equal(await withTimeout(Promise.resolve(1), 10, "x"), 1);
  await assert.rejects(withTimeout(new Promise(() => undefined), 1, "x"), TimeoutError);
});
