// Queries of Prometheus and Loki by their own APIs, and their answers as series and lines.
// https://prometheus.io/docs/prometheus/latest/querying/api/
// https://grafana.com/docs/loki/latest/reference/loki-http-api/

import { askSource } from "../api.ts";
import type { Answer, Labels, LogLine, Panel, Series, Source, Target } from "../model.ts";
import { interpolate, nameSeries, type Scope, single, type Value } from "./interpolate.ts";
import { alignSpan, deriveRateInterval, deriveStep, formatDuration, parseDuration, type Span } from "./time.ts";
import { findSource } from "./variables.ts";

export interface Question {
  panel: Panel;
  sources: readonly Source[];
  scope: Scope;
  span: Span;
  /** As many as can be told apart. */
  points: number;
  signal: AbortSignal;
}

interface Raw {
  data?: { resultType: string; result: unknown };
  warnings?: string[];
}

/** Asks all queries of a panel. Throws Error with what the data source said. */
export function askPanel(question: Question): Promise<Answer[]> {
  const targets = (question.panel.targets ?? []).filter((target) => !target.hide && (target.expr ?? "").trim());
  return Promise.all(targets.map((target) => askTarget(target, question)));
}

async function askTarget(target: Target, question: Question): Promise<Answer> {
  const reference = target.datasource ?? question.panel.datasource;
  const source = findSource(question.sources, reference, question.scope);
  if (!source) throw new Error(`the data source ${JSON.stringify(reference)} is not there`);
  if (source.type !== "prometheus" && source.type !== "loki")
    throw new Error(`data sources of type ${source.type} cannot be drawn here`);
  const plan = planQuery(target, source, question);
  const loki = source.type === "loki";
  const raw = await askSource<Raw>(source.uid, plan.path, plan.query, { post: !loki, signal: question.signal });
  return readAnswer(raw, target, plan.expr, plan.step, question.scope);
}

export interface Plan {
  path: string;
  query: URLSearchParams;
  expr: string;
  step: number;
}

/** What is asked: the path and the parameters of the data source's API. */
export function planQuery(
  target: Target,
  source: Source,
  question: Pick<Question, "panel" | "scope" | "span" | "points">,
): Plan {
  const scrape = parseDuration(String(source.jsonData?.timeInterval ?? "")) ?? 15;
  const least = parseDuration(
    interpolate(target.interval || question.panel.interval || "", question.scope).replace(/^>/, ""),
  );
  const step = deriveStep(
    question.span,
    question.panel.maxDataPoints ?? question.points,
    least ?? (source.type === "loki" ? 1 : scrape),
  );
  const expr = interpolate(target.expr ?? "", buildTimes(question, step, scrape)).trim();
  const root = source.type === "loki" ? "loki/api/v1" : "api/v1";
  const { start, end } = alignSpan(question.span, step);
  const query = new URLSearchParams({ query: expr });
  const instant = source.type === "loki" ? target.queryType === "instant" : Boolean(target.instant && !target.range);
  if (instant) {
    query.set("time", question.span.end.toFixed(3));
    return { path: `${root}/query`, query, expr, step };
  }
  for (const [name, value] of Object.entries({
    start,
    end: source.type === "loki" ? question.span.end.toFixed(3) : end,
    step,
  }))
    query.set(name, String(value));
  if (source.type === "loki") query.set("limit", String(target.maxLines ?? source.jsonData?.maxLines ?? 1000));
  return { path: `${root}/query_range`, query, expr, step };
}

/**
 * The variables that a range brings.
 * https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/#global-variables
 */
function buildTimes({ scope, span }: Pick<Question, "scope" | "span">, step: number, scrape: number): Scope {
  const length = Math.max(Math.round(span.end - span.start), 1);
  const times: Record<string, string> = {
    __interval: formatDuration(step),
    __interval_ms: String(step * 1000),
    __rate_interval: formatDuration(deriveRateInterval(step, scrape)),
    __auto: formatDuration(Math.max(step, scrape)),
    __range: `${length}s`,
    __range_s: String(length),
    __range_ms: String(length * 1000),
    __from: String(Math.round(span.start * 1000)),
    __to: String(Math.round(span.end * 1000)),
  };
  return new Map<string, Value>([
    ...scope,
    ...Object.entries(times).map(([name, value]): [string, Value] => [name, single(value)]),
  ]);
}

/** The answer of an API as series and lines, whatever kind it is. */
export function readAnswer(raw: Raw, target: Target, expr: string, step: number, scope: Scope): Answer {
  const answer: Answer = { target, series: [], lines: [], warnings: raw.warnings ?? [], step };
  const { resultType = "", result = [] } = raw.data ?? {};
  if (resultType === "streams") answer.lines = readStreams(result as Stream[]);
  else if (resultType === "scalar") answer.series = [buildSeries(target, {}, [result as Sample], expr, scope)];
  else
    for (const one of result as Result[])
      answer.series.push(buildSeries(target, one.metric, one.values ?? (one.value ? [one.value] : []), expr, scope));
  return answer;
}

/** More than anybody can tell apart; a browser would stand still over thousands. */
const MOST_SERIES = 300;

/** Takes what is too much from an answer. Returns what is to be said of that. */
export function limitSeries(answer: Answer): string[] {
  const { length } = answer.series;
  if (length <= MOST_SERIES || answer.target.format === "table") return [];
  answer.series = answer.series.slice(0, MOST_SERIES);
  return [`the first ${MOST_SERIES} of ${length} series are drawn`];
}

type Sample = [number, string];

interface Result {
  metric: Labels;
  value?: Sample;
  values?: Sample[];
}

interface Stream {
  stream: Labels;
  values: [string, string, unknown?][];
}

function buildSeries(target: Target, labels: Labels, samples: readonly Sample[], expr: string, scope: Scope): Series {
  const template = target.legendFormat && interpolate(target.legendFormat, scope, "text");
  const series: Series = {
    refId: target.refId ?? "",
    name: nameSeries(template, labels, expr),
    labels,
    times: [],
    values: [],
  };
  for (const [time, value] of samples) {
    series.times.push(time);
    series.values.push(readNumber(value));
  }
  return series;
}

const readNumber = (text: string): number => (text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));

function readStreams(streams: readonly Stream[]): LogLine[] {
  const lines: LogLine[] = [];
  for (const { stream, values } of streams)
    for (const [nanoseconds, line] of values)
      lines.push({ time: Number(BigInt(nanoseconds) / 1000n) / 1000, line, labels: stream });
  return lines.sort((a, b) => b.time - a.time);
}
