// The search for traces: its address, the question to Jaeger, and its results.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  buildQuery,
  checkInput,
  describeSearch,
  formatTags,
  ORDERS,
  parseTags,
  readSearch,
  type Summary,
  summarizeTrace,
  writeSearch,
} from "../src/data/search.ts";
import { listSpans, measureSpans } from "../src/data/traces.ts";

const NOW = Date.parse("2026-11-29T12:00:00Z");
const read = (address: string) => readSearch(new URLSearchParams(address), "api");
const span = (spanID: string, startTime: number, duration: number, processID = "p", tags = {}) => ({
  spanID,
  operationName: `do ${spanID}`,
  startTime,
  duration,
  processID,
  tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
});
const processes = { p: { serviceName: "api" }, q: { serviceName: "db" } };

test("an address without words is the last hour of the first service", () => {
  const search = read("");
  assert.deepEqual([search.service, search.operation, search.tags, search.limit], ["api", "", {}, 20]);
  assert.equal(describeSearch(search), "api, last hour");
  assert.deepEqual(read("limit=-3&lookback=never&start=5&end=4&tags=[1]"), { ...search });
});

test("a search survives its address", () => {
  for (const address of [
    "service=web&operation=GET+%2F&tags=%7B%22a%22%3A%22b+c%22%7D&minDuration=1.5s&lookback=6h&limit=50",
    "service=web&start=1795950000000000&end=1795953600000000&limit=20",
  ])
    assert.equal(String(writeSearch(read(address), NOW)), address);
});

test("addresses of Jaeger's own interface lead to the same search", () => {
  const search = read('service=web&lookback=90m&tags={"error":"true"}&start=1&end=2&maxDuration&uiEmbed=v0');
  assert.deepEqual([search.range, search.tags], [{ from: "now-90m", to: "now" }, { error: "true" }]);
  assert.deepEqual(read("lookback=custom&start=1795950000000000&end=1795953600000000").range, {
    from: "1795950000000",
    to: "1795953600000",
  });
});

test("the question is in microseconds, and has no filter that is not set", () => {
  assert.deepEqual(Object.fromEntries(buildQuery(read("lookback=1h"), NOW)), {
    service: "api",
    start: `${NOW - 3_600_000}000`,
    end: `${NOW}000`,
    limit: "20",
  });
  const filters = buildQuery(read("operation=x&minDuration=2ms&tags=a%3Db"), NOW);
  assert.deepEqual(
    ["operation", "minDuration", "tags"].map((name) => filters.get(name)),
    ["x", "2ms", '{"a":"b"}'],
  );
});

test("days that end at midnight are moments in an address", () => {
  const words = writeSearch({ ...read(""), range: { from: "now/d", to: "now/d" } }, NOW);
  assert.equal(words.get("lookback"), null);
  assert.equal(Math.round((Number(words.get("end")) - Number(words.get("start"))) / 1e6), 86_400);
});

test("tags are written as people write them", () => {
  const tags = { error: "true", "db.statement": 'select "x" \\ 1', "http.route": "/a?b=c" };
  assert.deepEqual(parseTags(formatTags(tags)), tags);
  assert.deepEqual(parseTags("  "), {});
  const wrong = ["error", "a= b", '"a"=b', 'a="b', "=b", "a=b c"];
  for (const text of wrong) assert.equal(parseTags(text), undefined, text);
});

test("what cannot be searched for is said before any question", () => {
  assert.match(checkInput("error", ""), /^Tags are key=value/);
  assert.match(checkInput("", "100"), /^A duration has its unit/);
  assert.deepEqual(
    ["", "100ms", "1.5s", "2m30s", "7µs"].map((duration) => checkInput("a=b", duration)),
    ["", "", "", "", ""],
  );
});

test("a trace in a line has its root, its length, its services and its failures", () => {
  const spans = [span("b", 2000, 9000, "q", { error: true }), span("a", 1000, 4000), span("c", 3000, 10)];
  assert.deepEqual(summarizeTrace({ traceID: "t", processes, spans }), {
    id: "t",
    service: "api",
    name: "do a",
    start: 1,
    length: 10,
    spans: 3,
    failed: 1,
    services: [
      ["api", 2],
      ["db", 1],
    ],
  });
  assert.equal(summarizeTrace({ traceID: "t", processes, spans: [] }), undefined);
});

test("a span that ends before it begins has no length", () => {
  const spans = listSpans({ traceID: "t", processes, spans: [span("a", 1000, 2000), span("b", 1000, 2 ** 64 / 1000)] });
  assert.deepEqual(measureSpans(spans), { start: 1, length: 2 });
});

test("traces are sorted by time, length and failures", () => {
  const [a, b, c] = [
    { id: "a", start: 1, length: 5, failed: 0 },
    { id: "b", start: 2, length: 9, failed: 0 },
    { id: "c", start: 3, length: 1, failed: 2 },
  ] as unknown as [Summary, Summary, Summary];
  const sort = (order: keyof typeof ORDERS) => [a, b, c].sort(ORDERS[order]).map(({ id }) => id);
  assert.deepEqual([sort("newest"), sort("longest"), sort("most failed")], [
    ["c", "b", "a"],
    ["b", "a", "c"],
    ["c", "b", "a"],
  ]);
});
