/** The same thing many times. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { BurstLimit } from "../src/bursts.ts";

test("what is more than the limit is counted, and the next minute begins anew", () => {
  let now = 0;
  const bursts = new BurstLimit<string>(10, 60_000, 50, () => now);
  const admitted = Array.from({ length: 25 }, () => bursts.admit("a", "first"));
  assert.equal(admitted.filter(Boolean).length, 10);
  assert.ok(bursts.admit("b", "other"));
  assert.deepEqual(bursts.drain(), [{ sample: "first", count: 15 }]);
  assert.deepEqual(bursts.drain(), []);
  now = 59_999;
  assert.ok(!bursts.admit("a", "later"));
  now = 60_000;
  assert.ok(bursts.admit("a", "later"));
  assert.deepEqual(bursts.drain(), [{ sample: "later", count: 1 }]);
});

test("many different things share one limit, until others are over", () => {
  let now = 0;
  const bursts = new BurstLimit<string>(2, 60_000, 5, () => now);
  const admitted = Array.from({ length: 100 }, (_, number) => bursts.admit(`key ${number}`, "x"));
  assert.equal(admitted.filter(Boolean).length, 5 + 2);
  now = 60_000;
  assert.ok(bursts.admit("key 99", "x") && bursts.admit("key 98", "x"));
});
