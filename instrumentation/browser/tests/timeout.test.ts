/** Limits of time. */

import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";

import { setClient } from "../src/client.ts";
import { TimeoutError, withTimeout } from "../src/index.ts";

afterEach(() => {
  setClient(undefined);
  mock.timers.reset();
});

test("a result and a rejection are the promise's own, and their timer is cleared", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  setClient({ reportError: () => assert.fail("nothing took too long") });
  const value = { a: 1 };
  const reason = new Error("its own");
  assert.equal(await withTimeout(Promise.resolve(value), 100, "read"), value);
  await assert.rejects(withTimeout(Promise.reject(reason), 100, "read"), (error) => error === reason);
  mock.timers.tick(1000); // a timer that is left would report
});

test("what takes too long rejects with a TimeoutError, which is reported once", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const reported: unknown[][] = [];
  setClient({ reportError: (...given) => void reported.push(given) });
  let late: (reason: Error) => void = assert.fail;
  const limited = withTimeout(new Promise<never>((_, reject) => (late = reject)), 50, "load prices");
  mock.timers.tick(50);
  const error = await limited.then(assert.fail, (reason: unknown) => reason);
  assert.ok(error instanceof TimeoutError && error.name === "TimeoutError" && error.ms === 50);
  assert.equal(error.message, "load prices: no result within 50 ms");
  late(new Error("too late to matter")); // neither reported nor an unhandled rejection
  const [[same, mechanism, context] = [], ...others] = reported;
  assert.ok(same === error && others.length === 0);
  assert.equal(mechanism, "timeout");
  assert.deepEqual(Object.keys(context as object), ["name", "ms", "duration"]);
});

test("a reporter that fails changes nothing", async () => {
  setClient({ reportError: () => { throw new Error("broken"); } });
  await assert.rejects(withTimeout(new Promise(() => undefined), 1, "x"), TimeoutError);
});

test("no limit is none", async () => {
  for (const ms of [Infinity, NaN, 1e12]) assert.equal(await withTimeout(Promise.resolve(ms), ms, "x"), ms);
  const slow = new Promise<string>((resolve) => setTimeout(resolve, 5, "done"));
  assert.equal(await withTimeout(slow, Infinity, "x"), "done");
});
