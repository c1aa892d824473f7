// One trace: its spans under each other at their times, and the log lines that have its id.

import { askSource, listSources } from "../api.ts";
import { formatTime } from "../data/time.ts";
import { readAnswer } from "../data/query.ts";
import { type OtlpTrace, readOtlp } from "../data/otlp.ts";
import { buildLogQuery, listSpans, type RawTrace, type TraceSpan } from "../data/traces.ts";
import { formatValue } from "../data/units.ts";
import { findSource } from "../data/variables.ts";
import { h } from "../dom.ts";
import type { Source } from "../model.ts";
import { drawLines } from "../panels/logs.ts";
import { assignColors, resolveColor } from "../theme.ts";

const AROUND = 60;

/** Shows the trace of the data source `uid` that has this id. */
export async function showTrace(uid: string, id: string, main: HTMLElement): Promise<void> {
  document.title = `Trace ${id}`;
  const sources = await listSources();
  const source = sources.find((one) => one.uid === uid);
  if (!source) throw new Error(`there is no data source ${uid}`);
  const spans = listSpans(await getTrace(source, id));
  const lines = h("div", { class: "panel trace-logs" }, h("p", { class: "empty" }, "Loading"));
  main.replaceChildren(buildHead(id, spans), buildTree(spans), h("h2", {}, "Log lines of this trace"), lines);
  await fillLines(lines, id, spans, source, sources);
}

async function getTrace(source: Source, id: string): Promise<RawTrace> {
  const ask = <T>(): Promise<T> =>
    askSource<T>(source.uid, `api/traces/${encodeURIComponent(id)}`, new URLSearchParams());
  if (source.type === "tempo") return readOtlp(await ask<OtlpTrace>(), id);
  if (source.type !== "jaeger")
    throw new Error(`traces of ${source.type} are not drawn here; Jaeger's and Tempo's are`);
  const [trace] = (await ask<{ data: RawTrace[] }>()).data;
  if (!trace) throw new Error(`${source.name} has no trace ${id}`);
  return trace;
}

function buildHead(id: string, spans: readonly TraceSpan[]): HTMLElement {
  const root = spans[0];
  const services = new Set(spans.map((span) => span.service)).size;
  const facts = [
    root && formatTime(root.start, true),
    formatValue(measure(spans).length, "ms"),
    `${spans.length} spans`,
    `${services} services`,
    id,
  ];
  return h(
    "div",
    { class: "board-head" },
    h("h1", {}, root ? `${root.service}: ${root.name}` : "Trace"),
    h("p", { class: "hint" }, facts.filter(Boolean).join(" · ")),
  );
}

function measure(spans: readonly TraceSpan[]): { start: number; length: number } {
  const start = Math.min(...spans.map((span) => span.start));
  return { start, length: Math.max(...spans.map((span) => span.start + span.length)) - start };
}

function buildTree(spans: readonly TraceSpan[]): HTMLElement {
  const whole = measure(spans);
  const services = [...new Set(spans.map((span) => span.service))];
  const palette = assignColors(services);
  const colors = new Map(services.map((service, i) => [service, palette[i] ?? ""]));
  return h(
    "ol",
    { class: "spans panel", "aria-label": "Spans" },
    ...spans.map((span) => buildSpan(span, whole, colors.get(span.service) ?? "")),
  );
}

function buildSpan(span: TraceSpan, whole: { start: number; length: number }, color: string): HTMLElement {
  const share = (ms: number): string => `${Math.min((ms / (whole.length || 1)) * 100, 100)}%`;
  const length = formatValue(span.length, "ms");
  const bar = h("i", {
    style: {
      left: share(span.start - whole.start),
      width: share(span.length),
      background: span.failed ? resolveColor("red") : color,
    },
  });
  const name = h(
    "span",
    { class: "span-name", style: { "--depth": String(Math.min(span.depth, 12)) } },
    h("i", { class: "swatch", style: { background: color } }),
    h("b", {}, span.service),
    ` ${span.name}`,
  );
  const button = h(
    "button",
    { type: "button", "aria-expanded": "false" },
    name,
    h("span", { class: "span-bar", "aria-hidden": "true" }, bar),
    h("span", { class: "number" }, span.failed ? `failed, ${length}` : length),
  );
  const item = h("li", {}, button);
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    if (open) item.append(buildDetails(span));
    else item.querySelector(".details")?.remove();
  });
  return item;
}

function buildDetails(span: TraceSpan): HTMLElement {
  const build = (fields: Record<string, string>): HTMLElement =>
    h("dl", {}, ...Object.entries(fields).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  const logs = span.logs.flatMap(({ time, fields }) => [
    h("div", { class: "heading" }, formatTime(time, true)),
    build(fields),
  ]);
  return h("div", { class: "details" }, h("div", { class: "heading" }, "Tags"), build(span.tags), ...logs);
}

interface Link {
  datasourceUid?: string;
  tags?: { key: string; value?: string }[];
}

async function fillLines(
  host: HTMLElement,
  id: string,
  spans: readonly TraceSpan[],
  source: Source,
  sources: readonly Source[],
): Promise<void> {
  const link = (source.jsonData?.tracesToLogsV2 ?? {}) as Link;
  const logs = link.datasourceUid ? findSource(sources, link.datasourceUid, new Map()) : undefined;
  const label = link.tags?.find((tag) => tag.key === "service.name")?.value ?? "service";
  host.replaceChildren();
  if (logs?.type !== "loki")
    return host.append(h("p", { class: "empty" }, "No data source of log lines is linked to this one"));
  const { start, length } = measure(spans);
  const expr = buildLogQuery(id, [...new Set(spans.map((span) => span.service))], label);
  const query = new URLSearchParams({
    query: expr,
    start: String(start / 1000 - AROUND),
    end: String((start + length) / 1000 + AROUND),
    limit: "200",
  });
  try {
    const raw = await askSource<Parameters<typeof readAnswer>[0]>(logs.uid, "loki/api/v1/query_range", query);
    const { lines } = readAnswer(raw, {}, expr, 1, new Map());
    drawLines(host, lines.reverse(), { wrapLogMessage: true }, new Set(), logs);
  } catch (error) {
    host.append(h("p", { class: "failed", role: "alert" }, (error as Error).message));
  }
}
