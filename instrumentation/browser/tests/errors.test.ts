/** Errors: of every kind, bounded, and not the same one again and again. */

import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";

import { setClient } from "../src/client.ts";
import { buildErrorClient, describeError } from "../src/errors.ts";
import type { ErrorRecord } from "../src/errors.ts";
import { logError } from "../src/index.ts";

afterEach(() => {
  setClient(undefined);
  mock.timers.reset();
});

function collect(): ErrorRecord[] {
  const sent: ErrorRecord[] = [];
  setClient(buildErrorClient((record) => sent.push(record)));
  return sent;
}

test("a handled error has type, message, place, cause and context", () => {
  const sent = collect();
  logError(new TypeError("x is undefined", { cause: new RangeError("too far") }), { step: "pay" });
  const [record] = sent;
  assert.ok(record && sent.length === 1);
  assert.equal(record.type, "TypeError");
  assert.equal(record.message, "x is undefined");
  assert.deepEqual(record.context, { step: "pay", cause: "RangeError: too far", mechanism: "logged" });
  assert.match(record.frames[0]?.filename ?? "", /errors\.test\.ts$/);
});

test("anything can be thrown, and values of objects are not read", () => {
  const unreadable = Object.defineProperty({}, "message", { get: () => assert.fail() });
  const texts = [undefined, null, 7, "plain", Symbol("s"), { password: "secret" }, unreadable].map((each) => {
    const { type, message } = describeError(each);
    return `${type}: ${message}`;
  });
  assert.deepEqual(texts, [
    "Error: undefined", "Error: null", "Error: 7", "Error: plain", "Error: Symbol(s)", "Object: object with keys: password",
    "Error: an error that cannot be read",
  ]);
});

test("what an error has is bounded and cleaned", () => {
  const error = new Error(`at https://x.example/?token=secret ${"m".repeat(5000)}`);
  error.name = "N".repeat(500);
  error.stack = Array.from({ length: 200 }, (_, line) => `    at f (https://x.example/a.js?token=secret:${line + 1}:2)`).join("\n");
  const { type, message, frames } = describeError(error);
  assert.ok(type.length === 64 && message.length === 1024 && frames.length === 30);
  assert.ok(!JSON.stringify([message, frames]).includes("secret"));
});

test("the same error is sent ten times a minute, and the others are counted", () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const sent = collect();
  for (let number = 0; number < 100; number += 1) logError(`row ${number} has no price`);
  logError("another");
  assert.equal(sent.length, 11);
  mock.timers.tick(60_000);
  assert.equal(sent.length, 12);
  assert.equal(sent[11]?.context["repeated"], "90");
  mock.timers.tick(600_000);
  assert.equal(sent.length, 12);
});

test("an error that is thrown on after it was logged is one error", () => {
  const sent: ErrorRecord[] = [];
  const client = buildErrorClient((record) => sent.push(record));
  const error = new Error("once");
  client.reportError(error, "logged");
  client.reportError(error, "unhandledrejection");
  client.reportError("a text", "uncaught");
  client.reportError("a text", "uncaught");
  assert.deepEqual(sent.map(({ context }) => context["mechanism"]), ["logged", "uncaught", "uncaught"]);
});
