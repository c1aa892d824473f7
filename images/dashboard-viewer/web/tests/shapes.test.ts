// Layout, times, tables, stacks, buckets, states, traces, lines and texts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { toggle } from "../src/board/picker.ts";
import type { Panel } from "../src/model.ts";
import { arrangeSections, findPanel } from "../src/board/layout.ts";
import { repeatSections } from "../src/board/repeat.ts";
import { writeSpan } from "../src/board/timepicker.ts";
import { alignSeries, stackValues } from "../src/data/align.ts";
import { joinRegions } from "../src/data/annotations.ts";
import { splitBuckets } from "../src/data/buckets.ts";
import { findLinks } from "../src/data/derived.ts";
import { findLevel, readFields, stripEscapes } from "../src/data/levels.ts";
import { parseMarkdown } from "../src/data/markdown.ts";
import { placeSeries } from "../src/data/places.ts";
import { joinStates } from "../src/data/states.ts";
import { readOtlp } from "../src/data/otlp.ts";
import { buildTable, sortRows } from "../src/data/table.ts";
import {
  deriveStep,
  describeRange,
  formatDuration,
  parseDuration,
  parseMoment,
  resolveRange,
} from "../src/data/time.ts";
import { buildLogQuery, listSpans } from "../src/data/traces.ts";

const series = (name: string, times: number[], values: (number | null)[], labels = {}) => ({
  refId: "A",
  name,
  labels,
  times,
  values,
});
const answer = (refId: string, ...rows: [Record<string, string>, number][]) => ({
  target: { refId },
  lines: [],
  warnings: [],
  step: 15,
  series: rows.map(([labels, value]) => ({ refId, name: "", labels, times: [1], values: [value] })),
});

test("panels stand in the row before them, folded ones in their own", () => {
  const panels = [
    { type: "stat", id: 1, gridPos: { x: 0, y: 0, w: 4, h: 4 } },
    { type: "row", id: 2, gridPos: { x: 0, y: 4, w: 24, h: 1 } },
    { type: "stat", id: 3, gridPos: { x: 20, y: 5, w: 12, h: 4 } },
    {
      type: "row",
      id: 4,
      collapsed: true,
      gridPos: { x: 0, y: 9, w: 24, h: 1 },
      panels: [{ type: "logs", id: 5, gridPos: { x: 0, y: 10, w: 24, h: 8 } }],
    },
  ];
  const sections = arrangeSections(panels);
  assert.deepEqual(
    sections.map(({ row, panels: inside }) => [row?.id, inside.map(({ panel }) => panel.id)]),
    [
      [undefined, [1]],
      [2, [3]],
      [4, [5]],
    ],
  );
  assert.deepEqual(sections[1]?.panels[0]?.place, { x: 20, y: 0, w: 4, h: 4 });
  assert.equal(findPanel(panels, 5)?.type, "logs");
});

test("panels and rows stand once for each value", () => {
  const chosen = (): { text: string; value: string }[] => ["a", "b", "c"].map((value) => ({ text: value, value }));
  const stat = (id: number, y: number, more = {}) => ({ type: "stat", id, gridPos: { x: 0, y, w: 6, h: 4 }, ...more });
  const layOut = (...panels: Panel[]): unknown =>
    repeatSections(arrangeSections(panels), chosen).map(({ row, panels: inside }) => [
      row?.scoped?.v?.value,
      inside.map(({ panel, place }) => [panel.id, panel.scoped?.v?.value, place.x, place.y, place.w]),
    ]);
  assert.deepEqual(layOut(stat(1, 0, { repeat: "v", maxPerRow: 2 }), stat(2, 4)), [
    [
      undefined,
      [
        [1, "a", 0, 0, 12],
        [1, "b", 12, 0, 12],
        [1, "c", 0, 4, 12],
        [2, undefined, 0, 8, 6],
      ],
    ],
  ]);
  assert.deepEqual(layOut(stat(1, 0, { repeat: "v", repeatDirection: "v" })), [
    [
      undefined,
      [
        [1, "a", 0, 0, 6],
        [1, "b", 0, 4, 6],
        [1, "c", 0, 8, 6],
      ],
    ],
  ]);
  const row = { type: "row", repeat: "v", gridPos: { x: 0, y: 0, w: 24, h: 1 } };
  assert.deepEqual(layOut(row, stat(3, 1)), [
    ["a", [[3, "a", 0, 0, 6]]],
    ["b", [[3, "b", 0, 0, 6]]],
    ["c", [[3, "c", 0, 0, 6]]],
  ]);
});

test("moments and durations read as they are written", () => {
  const now = Date.parse("2026-11-29T12:34:56Z");
  assert.equal(parseMoment("now-1h30m", now), undefined);
  assert.equal(parseMoment("now-1h-30m", now), now - 5_400_000);
  assert.equal(parseMoment("1700000000000", now), 1_700_000_000_000);
  assert.equal(parseMoment("now+tomorrow", now), undefined);
  const day = resolveRange({ from: "now/d", to: "now/d" }, now);
  assert.equal(Math.round(day.end - day.start), 86_400);
  assert.deepEqual(
    [parseDuration("1h30m"), parseDuration("15s"), parseDuration("x"), formatDuration(5400), formatDuration(60)],
    [5400, 15, undefined, "1h30m", "1m"],
  );
  assert.deepEqual(
    ["now-6h", "now-1d"].map((from) => describeRange({ from, to: "now" })),
    ["Last 6 hours", "Last day"],
  );
  assert.deepEqual(writeSpan({ start: 50, end: 150 }, 100_000), { from: "0", to: "100000" });
});

test("steps are those that people count in, and no shorter than scrapes", () => {
  const step = (seconds: number): number => deriveStep({ start: 0, end: seconds }, 1000, 15);
  assert.deepEqual([step(3600), step(86_400), step(30 * 86_400)], [15, 120, 3600]);
});

test("no line leads across a gap", () => {
  const { times, values } = alignSeries([series("a", [0, 15, 60], [1, 2, 3]), series("b", [15], [5])], 15);
  assert.deepEqual(
    [times, values],
    [
      [0, 15, 30, 60],
      [
        [1, 2, null, 3],
        [null, 5, null, null],
      ],
    ],
  );
});

test("stacked lines stand on each other, as shares too", () => {
  assert.deepEqual(
    stackValues(
      [
        [1, null, 2],
        [3, null, null],
      ],
      false,
    ),
    [
      [1, null, 2],
      [4, null, 2],
    ],
  );
  assert.deepEqual(stackValues([[1], [3]], true), [[0.25], [1]]);
});

test("buckets of a histogram are counted alone, lowest first", () => {
  const all = [
    series("", [1], [9], { le: "+Inf" }),
    series("", [1], [2], { le: "5" }),
    series("", [1], [6], { le: "10" }),
  ];
  const { rows } = splitBuckets(all, [1], [[9], [2], [6]]);
  assert.deepEqual(
    rows.map(({ name, counts }) => [name, counts[0]]),
    [
      ["5", 2],
      ["10", 4],
      ["+Inf", 3],
    ],
  );
});

test("tables merge rows of equal labels, rename and sort", () => {
  const panel = {
    type: "table",
    transformations: [
      { id: "merge" },
      { id: "organize", options: { excludeByName: { Time: true }, renameByName: { "Value #B": "Rate" } } },
    ],
  };
  const table = buildTable([answer("A", [{ s: "x" }, 1], [{ s: "y" }, 2]), answer("B", [{ s: "y" }, 9])], panel);
  assert.deepEqual(table.columns, ["s", "Value #A", "Rate"]);
  assert.deepEqual(table.rows, [
    { s: "x", "Value #A": 1, Rate: null },
    { s: "y", "Value #A": 2, Rate: 9 },
  ]);
  assert.deepEqual(
    sortRows(table.rows, "Rate", true).map((row) => row.s),
    ["y", "x"],
  );
});

test("equal states are one, and samples that lack end it", () => {
  assert.deepEqual(joinStates([0, 10, 20, 50], ["up", "up", "down", "down"], 10), [
    { start: 0, end: 20, text: "up" },
    { start: 20, end: 60, text: "down" },
  ]);
});

test("a name has one colour in all panels, and one that means something has that", () => {
  const known = new Map<string, number>();
  assert.deepEqual(placeSeries(["api", "web"], known, 3), [{ index: 0 }, { index: 1 }]);
  assert.deepEqual(placeSeries(["worker", "web", "web"], known, 3), [{ index: 0 }, { index: 1 }, { index: 2 }]);
  assert.deepEqual(placeSeries(["200", "500", "503", "api"], known, 3), [
    { meaning: "green", index: 0 },
    { meaning: "red", index: 0 },
    { meaning: "red", index: 1 },
    { index: 0 },
  ]);
});

test("an alert is marked as long as it fires", () => {
  const regions = joinRegions(
    [
      {
        metric: { alertname: "Down", severity: "critical", service: "api" },
        values: [
          [0, "1"],
          [15, "1"],
          [90, "1"],
        ],
      },
    ],
    15,
    { name: "Alerts" },
  );
  assert.deepEqual(
    regions.map(({ start, end, title }) => [start, end, title]),
    [
      [0, 15, "Down (critical, api)"],
      [90, 90, "Down (critical, api)"],
    ],
  );
});

test("a level is that of a label, a field or a word", () => {
  const level = (line: string, labels = {}): string => findLevel({ time: 0, line, labels });
  assert.deepEqual(
    [
      level("x", { level: "WARN" }),
      level('{"level":"error"}'),
      level("level=debug x"),
      level("[ERROR] x"),
      level("no errors here"),
      level("x", { severity: "fatal" }),
    ],
    ["warning", "error", "debug", "error", "unknown", "critical"],
  );
  assert.equal(stripEscapes("\u001b[31mred\u001b[0m"), "red");
  assert.deepEqual(readFields('{"a":1,"b":"x"}'), { a: "1", b: "x" });
  assert.deepEqual(readFields('a=1 b="x y"'), { a: "1", b: "x y" });
});

test("a line leads to its trace", () => {
  const source = {
    uid: "loki",
    name: "Loki",
    type: "loki",
    jsonData: {
      derivedFields: [
        { name: "trace_id", datasourceUid: "traces", url: "${__value.raw}", matcherRegex: '"trace_id":\\s*"(\\w+)"' },
      ],
    },
  };
  assert.deepEqual(
    findLinks({ time: 0, line: '{"trace_id": "abc"}', labels: {} }, source).map(({ source: uid, value }) => [
      uid,
      value,
    ]),
    [["traces", "abc"]],
  );
});

test("spans are listed as a tree", () => {
  const span = (spanID: string, startTime: number, parent?: string) => ({
    spanID,
    operationName: spanID,
    startTime,
    duration: 1000,
    processID: "p",
    references: parent ? [{ refType: "CHILD_OF", spanID: parent }] : [],
  });
  const trace = {
    traceID: "t",
    processes: { p: { serviceName: "api" } },
    spans: [span("c", 30, "a"), span("b", 20, "a"), span("a", 10), span("lost", 40, "gone")],
  };
  assert.deepEqual(
    listSpans(trace).map(({ id, depth }) => [id, depth]),
    [
      ["a", 0],
      ["b", 1],
      ["c", 1],
      ["lost", 0],
    ],
  );
  assert.equal(buildLogQuery("t1", ["a.b", "c"], "service"), '{service=~"a\\\\.b|c"} |= "t1"');
});

test("a trace of Tempo is like one of Jaeger", () => {
  const span = (spanId: string, parentSpanId: string, start: string, end: string, more = {}) => ({
    spanId,
    parentSpanId,
    name: spanId,
    startTimeUnixNano: start,
    endTimeUnixNano: end,
    ...more,
  });
  const attributes = [{ key: "service.name", value: { stringValue: "api" } }];
  const spans = [
    span("b", "a", "2000000", "5000000", { status: { code: "STATUS_CODE_ERROR" } }),
    span("a", "", "1000000", "9000000", { attributes: [{ key: "n", value: { intValue: "3" } }] }),
  ];
  const trace = readOtlp({ batches: [{ resource: { attributes }, scopeSpans: [{ spans }] }] }, "t");
  const read = listSpans(trace).map((one) => [
    one.id,
    one.depth,
    one.service,
    one.start,
    one.length,
    one.failed,
    one.tags.n,
  ]);
  assert.deepEqual(read, [
    ["a", 0, "api", 1, 8, false, "3"],
    ["b", 1, "api", 2, 3, true, undefined],
  ]);
});

test("texts are a tree and never markup", () => {
  const blocks = parseMarkdown("# Title\n\nSee **this** and [that](https://x.example).\n\n- one\n- `two`\n");
  assert.deepEqual(
    blocks.map((block) => block.kind),
    ["heading", "paragraph", "list"],
  );
  assert.deepEqual(parseMarkdown("<b>x</b>"), [{ kind: "paragraph", content: [{ kind: "text", text: "<b>x</b>" }] }]);
});

test("all excludes the rest, and nothing is all", () => {
  assert.deepEqual(toggle(["$__all"], "a", true, true), ["a"]);
  assert.deepEqual(toggle(["a"], "a", false, true), ["$__all"]);
  assert.deepEqual(toggle(["a"], "$__all", true, true), ["$__all"]);
});
