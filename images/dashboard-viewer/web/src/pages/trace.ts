// One trace: its spans under each other at their times, and the log lines that have its id.

import { askSource, listSources } from "../api.ts";
import { readAnswer } from "../data/query.ts";
import { type OtlpTrace, readOtlp } from "../data/otlp.ts";
import { buildLogQuery, listSpans, measureSpans, type RawTrace, type TraceSpan } from "../data/traces.ts";
import { findSource } from "../data/variables.ts";
import { h } from "../dom.ts";
import type { Source } from "../model.ts";
import { drawLines } from "../panels/logs.ts";
import { buildHead, buildTree } from "./spans.ts";

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
  const { start, length } = measureSpans(spans);
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
