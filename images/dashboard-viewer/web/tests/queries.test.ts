// Variables in queries, what is asked, and what comes back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { interpolate, nameSeries, type Value } from "../src/data/interpolate.ts";
import { planQuery, readAnswer } from "../src/data/query.ts";
import { arrange, buildScope, orderVariables, readVariables } from "../src/data/variables.ts";

const many = (...values: string[]): Value => ({ values, texts: values, many: true });
const SPAN = { start: 1_700_000_000, end: 1_700_003_600 };
const SOURCE = { uid: "p", name: "P", type: "prometheus", jsonData: { timeInterval: "15s" } };

test("a variable is a regular expression of what is chosen", () => {
  const scope = new Map([
    ["one", many("api.v1")],
    ["two", many("a", "b")],
    ["raw", { ...many("x"), raw: ".*" }],
  ]);
  assert.equal(
    interpolate('{a=~"$one", b=~"${two}", c=~"[[two]]", d=~"$raw"}', scope),
    '{a=~"api\\\\.v1", b=~"(a|b)", c=~"(a|b)", d=~".*"}',
  );
  assert.equal(interpolate("${two:csv} ${two:pipe} $unknown ${two:json}", scope), 'a,b a|b $unknown ["a","b"]');
});

test("a value cannot end the text that it stands in", () => {
  assert.equal(interpolate('{a=~"$v"}', new Map([["v", many('x"} or up{y="')]])), '{a=~"x\\"\\\\} or up\\\\{y=\\""}');
});

test("series are called by their template or labels", () => {
  assert.equal(nameSeries("{{service}} {{ code }}", { service: "api", code: "500" }, "x"), "api 500");
  assert.equal(nameSeries("__auto", { service: "api" }, "x"), "api");
  assert.equal(nameSeries("", { __name__: "up", job: "a" }, "x"), 'up{job="a"}');
  assert.equal(nameSeries(undefined, {}, "sum(x)"), "sum(x)");
  assert.equal(nameSeries("{{code}}", { job: "a" }, "x"), '{job="a"}');
});

test("a range is asked at steps, and a window of rate() has four scrapes", () => {
  const plan = planQuery({ expr: "rate(x[$__rate_interval])" }, SOURCE, {
    panel: { type: "timeseries" },
    scope: new Map(),
    span: SPAN,
    points: 500,
  });
  assert.equal(plan.path, "api/v1/query_range");
  assert.equal(plan.query.get("query"), "rate(x[1m])");
  assert.equal(plan.step, 15);
  assert.equal(Number(plan.query.get("start")) % 15, 0);
});

test("what shows the present is asked once, at the end of the range", () => {
  const plan = planQuery({ expr: "increase(x[$__range])", instant: true, range: false }, SOURCE, {
    panel: { type: "stat" },
    scope: new Map(),
    span: SPAN,
    points: 500,
  });
  assert.deepEqual(
    [plan.path, plan.query.get("query"), plan.query.get("time")],
    ["api/v1/query", "increase(x[3600s])", "1700003600.000"],
  );
});

test("log lines come newest first, with their labels", () => {
  const result = [
    {
      stream: { service: "a" },
      values: [
        ["1700000000123456789", "old"],
        ["1700000001000000000", "new"],
      ],
    },
  ];
  const { lines } = readAnswer({ data: { resultType: "streams", result } }, {}, "", 1, new Map());
  assert.deepEqual(
    lines.map(({ line, time }) => [line, Math.round(time)]),
    [
      ["new", 1700000001000],
      ["old", 1700000000123],
    ],
  );
});

test("options are narrowed, once each, and sorted", () => {
  const options = arrange(["b", "a", "b", "c"], { name: "v", type: "query", regex: "/^(a|b)$/", sort: 1 });
  assert.deepEqual(
    options.map((option) => option.value),
    ["a", "b"],
  );
});

test("the address chooses before the file does", () => {
  const models = [
    { name: "v", type: "query", includeAll: true, multi: true, allValue: ".*", current: { value: ["$__all"] } },
  ];
  const choose = (query: string): unknown =>
    buildScope(readVariables(models, new URLSearchParams(query)), SPAN).get("v")?.values;
  assert.deepEqual([choose(""), choose("var-v=a&var-v=b"), choose("var-v=All")], [[".*"], ["a", "b"], [".*"]]);
});

test("custom, interval and constant variables ask nobody", () => {
  const models = [
    { name: "c", type: "custom", query: "One : 1, two" },
    { name: "i", type: "interval", query: "1m,5m", auto: true, auto_count: 60 },
    { name: "k", type: "constant", query: "x" },
  ];
  const scope = buildScope(readVariables(models, new URLSearchParams()), SPAN);
  assert.deepEqual(
    ["c", "i", "k"].map((name) => scope.get(name)?.values),
    [["1"], ["60s"], ["x"]],
  );
});

test("variables are asked after those that they name", () => {
  const variables = readVariables(
    [
      { name: "b", type: "query", query: 'label_values(up{a=~"$a"}, b)' },
      { name: "a", type: "query", query: "label_values(a)" },
    ],
    new URLSearchParams(),
  );
  assert.deepEqual(
    orderVariables(variables).map((round) => round.map((variable) => variable.model.name)),
    [["a"], ["b"]],
  );
});
