// Values read as people write them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatValue } from "../src/data/units.ts";

const TABLE: [number, string, string][] = [
  [0, "short", "0"],
  [12.345, "short", "12.3"],
  [999.9, "short", "1 K"],
  [1234, "short", "1.23 K"],
  [2.5e6, "short", "2.5 Mil"],
  [-1500, "short", "-1.5 K"],
  [0.00042, "short", "0.00042"],
  [0.9995, "percentunit", "100%"],
  [0.123, "percentunit", "12.3%"],
  [45, "percent", "45%"],
  [0, "s", "0 s"],
  [0.25, "s", "250 ms"],
  [1.5, "s", "1.5 s"],
  [90, "s", "1.5 min"],
  [7200, "s", "2 h"],
  [172800, "s", "2 d"],
  [0.0000005, "s", "500 ns"],
  [12, "ms", "12 ms"],
  [1500, "ms", "1.5 s"],
  [0, "ms", "0 ms"],
  [1024, "bytes", "1 KiB"],
  [1536 * 1024 * 1024, "bytes", "1.5 GiB"],
  [512, "bytes", "512 B"],
  [1e6, "Bps", "1 MB/s"],
  [1e6, "decbytes", "1 MB"],
  [12.5, "reqps", "12.5 req/s"],
  [1200, "reqps", "1.2 k req/s"],
  [3, "ops", "3 ops/s"],
  [3, "iops", "3 io/s"],
  [3, "cps", "3 c/s"],
  [1234, "currencyINR", "₹1.23 K"],
  [-5, "currencyUSD", "-$5"],
  [1, "bool_yes_no", "Yes"],
  [3, "widgets", "3 widgets"],
  [3, "suffix:x", "3 x"],
  [3, "none", "3"],
  [3661, "clocks", "01:01:01"],
  [90061, "clocks", "1d 01:01:01"],
  [Number.NaN, "s", "NaN"],
  [Infinity, "s", "∞"],
];

for (const [value, unit, text] of TABLE)
  test(`${value} ${unit} is ${text}`, () => assert.equal(formatValue(value, unit), text));

test("decimals that are asked for are given", () => assert.equal(formatValue(1.23456, "short", 3), "1.235"));
