// Variables of a dashboard: what is chosen, by the address or by the file, and what can be.

import { askSource } from "../api.ts";
import type { Labels, Source, VariableModel } from "../model.ts";
import { parsePattern } from "./fields.ts";
import { interpolate, listVariables, type Scope, type Value } from "./interpolate.ts";
import { parseDuration, type Span } from "./time.ts";

export const ALL = "$__all";

export interface Option {
  text: string;
  value: string;
}

export interface Variable {
  model: VariableModel;
  chosen: string[];
  options: Option[];
  /** Why there are no options. */
  error: string;
}

/** The variables as the address has them (var-name=value), else as the file has them. */
export function readVariables(models: readonly VariableModel[], query: URLSearchParams): Variable[] {
  return models.map((model) => {
    const given = query.getAll(`var-${model.name}`).map((value) => (value === "All" && model.includeAll ? ALL : value));
    const options = readOptions(model);
    return { model, chosen: given.length ? given : readCurrent(model, options), options, error: "" };
  });
}

function readCurrent(model: VariableModel, options: readonly Option[]): string[] {
  if (model.type === "constant" || (model.type === "textbox" && !model.current?.value)) return [readQuery(model)];
  const current = [model.current?.value ?? []].flat().filter((value) => value !== "");
  if (current.length) return current;
  const marked = (model.options ?? []).filter((option) => option.selected).map((option) => option.value);
  return marked.length ? marked : options.slice(0, 1).map((option) => option.value);
}

export const readQuery = (model: VariableModel): string =>
  typeof model.query === "string" ? model.query : (model.query?.query ?? "");

/** Options that nobody has to be asked for: of custom, interval, constant and text. */
function readOptions(model: VariableModel): Option[] {
  if (model.type !== "custom" && model.type !== "interval") return [];
  const listed = readQuery(model)
    .split(/(?<!\\),/)
    .map((part) => part.trim().replaceAll("\\,", ","))
    .filter(Boolean);
  const options = listed.map((part) => {
    const [text = part, value] = part.split(/\s+:\s+/);
    return { text, value: value ?? text };
  });
  return model.type === "interval" && model.auto
    ? [{ text: "auto", value: `$__auto_interval_${model.name}` }, ...options]
    : options;
}

export interface Asking {
  sources: readonly Source[];
  span: Span;
  scope: Scope;
  signal: AbortSignal;
}

/** Asks for the options of a variable; what is chosen stays where it is still there, else the first takes its place. */
export async function loadOptions(variable: Variable, asking: Asking): Promise<void> {
  const { model } = variable;
  if (model.type === "query") variable.options = arrange(await askOptions(model, asking), model);
  if (model.type === "datasource")
    variable.options = asking.sources
      .filter((s) => s.type === readQuery(model))
      .map((s) => ({ text: s.name, value: s.uid }));
  const known = new Set(variable.options.map((option) => option.value));
  if (!["query", "datasource"].includes(model.type) || variable.chosen.includes(ALL)) return;
  const left = variable.chosen.filter((value) => known.has(value));
  const first = model.includeAll ? [ALL] : variable.options.slice(0, 1).map((option) => option.value);
  if (known.size) variable.chosen = left.length ? left : first;
}

/** Whether what is chosen does not depend on what can be, so that no query has to wait for the options. */
export function isSettled({ model, chosen }: Variable): boolean {
  if (!["query", "datasource"].includes(model.type)) return true;
  return chosen.includes(ALL) ? Boolean(model.allValue) : chosen.length > 0;
}

async function askOptions(model: VariableModel, asking: Asking): Promise<string[]> {
  const source = findSource(asking.sources, model.datasource, asking.scope);
  if (!source) throw new Error("its data source is not there");
  const query = interpolate(readQuery(model), asking.scope).trim();
  const call = (path: string, more: Record<string, string>): Promise<unknown> => {
    const times: Record<string, string> = { start: String(asking.span.start), end: String(asking.span.end) };
    const wanted = new URLSearchParams({ ...times, ...more });
    return askSource<{ data: unknown }>(source.uid, path, wanted, { signal: asking.signal }).then(
      (answer) => answer.data,
    );
  };
  const root = source.type === "loki" ? "loki/api/v1" : "api/v1";
  const values = /^label_values\((?:(.*),)?\s*([\w.:]+)\s*\)$/s.exec(query);
  if (values) {
    const series = values[1]?.trim();
    const narrowed: Record<string, string> = series ? { [source.type === "loki" ? "query" : "match[]"]: series } : {};
    return (await call(`${root}/label/${encodeURIComponent(values[2] ?? "")}/values`, narrowed)) as string[];
  }
  if (/^label_names\(/.test(query)) return (await call(`${root}/labels`, {})) as string[];
  const metrics = /^metrics\((.*)\)$/s.exec(query);
  if (metrics) {
    const pattern = parsePattern(metrics[1] ?? "");
    return ((await call(`${root}/label/__name__/values`, {})) as string[]).filter((name) => pattern?.test(name));
  }
  const inner = /^query_result\((.*)\)$/s.exec(query);
  if (!inner) throw new Error(`the query ${query} is of no kind that is known`);
  const answer = (await call(`${root}/query`, { query: inner[1] ?? "", time: String(asking.span.end) })) as {
    result: { metric: Labels; value: [number, string] }[];
  };
  return answer.result.map(
    ({ metric, value }) =>
      `${metric.__name__ ?? ""}{${Object.entries(metric)
        .filter(([k]) => k !== "__name__")
        .map(([k, v]) => `${k}="${v}"`)
        .join(",")}} ${value[1]} ${value[0] * 1000}`,
  );
}

/** Narrowed by the variable's regular expression, each once, in its order. */
export function arrange(values: readonly string[], model: VariableModel): Option[] {
  const pattern = model.regex ? parsePattern(model.regex) : undefined;
  const options = new Map<string, Option>();
  for (const value of values) {
    const match = pattern?.exec(value);
    if (pattern && !match) continue;
    const taken = match?.groups?.value ?? match?.[1] ?? value;
    options.set(taken, { value: taken, text: match?.groups?.text ?? taken });
  }
  return sortOptions([...options.values()], model.sort ?? 0);
}

function sortOptions(options: Option[], sort: number): Option[] {
  if (sort === 0) return options;
  const numeric = sort === 3 || sort === 4;
  const compare = new Intl.Collator(undefined, {
    numeric: numeric || sort > 6,
    sensitivity: sort >= 5 ? "base" : "variant",
  }).compare;
  options.sort((a, b) => compare(a.text, b.text));
  return sort % 2 === 0 ? options.reverse() : options;
}

/** A data source by its reference, its name, a variable, or the default one. */
export function findSource(sources: readonly Source[], reference: unknown, scope: Scope): Source | undefined {
  const uid = typeof reference === "string" ? reference : (reference as { uid?: string } | null | undefined)?.uid;
  if (!uid || uid === "default") return sources.find((source) => source.isDefault);
  const wanted = interpolate(uid, scope, "text");
  return sources.find((source) => source.uid === wanted || source.name === wanted);
}

/** What queries see of the variables. */
export function buildScope(variables: readonly Variable[], span: Span): Map<string, Value> {
  return new Map(variables.map((variable) => [variable.model.name, buildValue(variable, span)]));
}

/** What is chosen, with its texts; of All everything that there is. */
export function listChosen({ chosen, options }: Variable): Option[] {
  if (chosen.includes(ALL)) return options.filter((option) => option.value !== ALL);
  return chosen.map((value) => ({ value, text: options.find((option) => option.value === value)?.text ?? value }));
}

function buildValue(variable: Variable, span: Span): Value {
  const { model, chosen } = variable;
  const many = Boolean(model.multi || model.includeAll);
  const all = chosen.includes(ALL);
  if (all && model.allValue) return { values: [model.allValue], texts: ["All"], many, raw: model.allValue };
  const listed = listChosen(variable);
  const values = listed.map(({ value }) => (value.startsWith("$__auto_interval") ? deriveAuto(model, span) : value));
  return { values, texts: all ? ["All"] : listed.map(({ text }) => text), many };
}

function deriveAuto(model: VariableModel, span: Span): string {
  const least = parseDuration(model.auto_min ?? "10s") ?? 10;
  return `${Math.max(Math.round((span.end - span.start) / (model.auto_count || 30)), least)}s`;
}

/** Variables in the order in which their queries can be asked: those that others name go first. */
export function orderVariables(variables: readonly Variable[]): Variable[][] {
  const names = new Set(variables.map((variable) => variable.model.name));
  const rounds: Variable[][] = [];
  let left = [...variables];
  while (left.length) {
    const waiting = new Set(left.map((variable) => variable.model.name));
    const next = left.filter(
      (v) =>
        !listVariables(`${readQuery(v.model)} ${JSON.stringify(v.model.datasource ?? "")}`).some(
          (n) => names.has(n) && waiting.has(n) && n !== v.model.name,
        ),
    );
    rounds.push(next.length ? next : left); // a circle is asked as it stands
    left = next.length ? left.filter((variable) => !next.includes(variable)) : [];
  }
  return rounds;
}
