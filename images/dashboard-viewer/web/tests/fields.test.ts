// Thresholds, mappings, overrides and reductions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { configure, pickThreshold, reduceSeries, show } from "../src/data/fields.ts";
import type { Panel } from "../src/model.ts";

const THRESHOLDS = {
  mode: "absolute",
  steps: [
    { value: null, color: "green" },
    { value: 5, color: "yellow" },
    { value: 10, color: "red" },
  ],
};
const NONE = [
  { type: "special", options: { match: "null+nan", result: { text: "no data", color: "text", index: 0 } } },
];

test("a threshold counts from its value on", () => {
  for (const [value, color] of [
    [-1, "green"],
    [4.99, "green"],
    [5, "yellow"],
    [10, "red"],
    [99, "red"],
  ] as const)
    assert.equal(pickThreshold(value, THRESHOLDS), color);
  assert.equal(pickThreshold(60, { ...THRESHOLDS, mode: "percentage" }, 0, 1000), "yellow");
});

test("a value has its text and colour", () => {
  assert.deepEqual(show(7, { unit: "percent", thresholds: THRESHOLDS, mappings: NONE }), {
    text: "7%",
    value: "7",
    unit: "%",
    color: "yellow",
  });
});

test("what has no value has words, and no colour of a good or bad one", () => {
  assert.deepEqual(show(null, { thresholds: THRESHOLDS, mappings: NONE }), {
    text: "no data",
    value: "no data",
    unit: "",
    color: "text",
  });
  assert.equal(show(Number.NaN, { thresholds: THRESHOLDS, noValue: "–" }).text, "–");
});

test("mappings go by value, range and pattern", () => {
  const mappings = [
    { type: "value", options: { "1": { text: "up", color: "green" } } },
    { type: "range", options: { from: 2, to: null, result: { text: "many" } } },
    { type: "regex", options: { pattern: "^err", result: { text: "bad", color: "red" } } },
  ];
  assert.equal(show(1, { mappings }).text, "up");
  assert.equal(show(3, { mappings }).text, "many");
  assert.equal(show("error", { mappings }).color, "red");
});

test("later overrides win, and reach inside", () => {
  const panel: Panel = {
    type: "timeseries",
    fieldConfig: {
      defaults: { unit: "s", custom: { lineWidth: 1 } },
      overrides: [
        { matcher: { id: "byRegexp", options: "/^err/" }, properties: [{ id: "custom.lineWidth", value: 3 }] },
        { matcher: { id: "byName", options: "errors" }, properties: [{ id: "unit", value: "short" }] },
      ],
    },
  };
  assert.deepEqual(configure(panel, "errors"), { unit: "short", custom: { lineWidth: 3 } });
  assert.deepEqual(configure(panel, "others"), { unit: "s", custom: { lineWidth: 1 } });
});

test("one number stands for a series", () => {
  const series = { refId: "A", name: "", labels: {}, times: [1, 2, 3, 4], values: [1, 5, 3, null] };
  const reduced = ["lastNotNull", "last", "max", "min", "mean", "sum", "range"].map((calc) =>
    reduceSeries(series, [calc]),
  );
  assert.deepEqual(reduced, [3, null, 5, 1, 3, 9, 4]);
});
