// What a panel says about a field (unit, thresholds, mappings, overrides), and a value as it is shown.

import type { FieldConfig, Mapping, Override, Panel, Series, Thresholds } from "../model.ts";
import { joinUnit, splitValue } from "./units.ts";

export interface Shown {
  text: string;
  /** The two parts of `text` where a unit is drawn smaller than its value. */
  value: string;
  unit: string;
  /** A colour by Grafana's name, or undefined for that of text. */
  color: string | undefined;
}

/** The configuration of one field: the panel's defaults and the overrides that match, the later ones first. */
export function configure(panel: Panel, name: string, refId = "", number = true): FieldConfig {
  const config: FieldConfig = structuredClone(panel.fieldConfig?.defaults ?? {});
  for (const override of panel.fieldConfig?.overrides ?? [])
    if (matches(override.matcher, name, refId, number))
      for (const { id, value } of override.properties) assign(config as Record<string, unknown>, id.split("."), value);
  return config;
}

export const configureSeries = (panel: Panel, series: Series): FieldConfig =>
  configure(panel, series.name, series.refId);

function matches(matcher: Override["matcher"], name: string, refId: string, number: boolean): boolean {
  const wanted = matcher.options;
  switch (matcher.id) {
    case "byName":
      return wanted === name;
    case "byNames":
      return ((wanted as { names?: string[] } | undefined)?.names ?? []).includes(name);
    case "byRegexp":
      return parsePattern(String(wanted))?.test(name) ?? false;
    case "byFrameRefID":
      return wanted === refId;
    case "byType":
      return wanted === (number ? "number" : "string");
    default:
      return false;
  }
}

/** A regular expression written plainly or as /…/flags; undefined where it is none. */
export function parsePattern(text: string): RegExp | undefined {
  const match = /^\/(.*)\/([a-z]*)$/s.exec(text);
  try {
    return match ? new RegExp(match[1] ?? "", (match[2] ?? "").replace(/[^imsu]/g, "")) : new RegExp(text);
  } catch {
    return undefined;
  }
}

function assign(target: Record<string, unknown>, [key, ...rest]: string[], value: unknown): void {
  if (!key || key === "__proto__") return;
  if (rest.length === 0) target[key] = value;
  else assign((target[key] ??= {}) as Record<string, unknown>, rest, value);
}

/** The colour of the last threshold that is not above the value. */
export function pickThreshold(
  value: number,
  thresholds: Thresholds | undefined,
  min = 0,
  max = 100,
): string | undefined {
  let color: string | undefined;
  for (const step of thresholds?.steps ?? [])
    if (value >= resolveStep(step.value, thresholds?.mode, min, max)) color = step.color;
  return color;
}

/** Where a threshold stands on the axis: percentages are of the range from min to max. */
export function resolveStep(
  value: number | null | undefined,
  mode: string | undefined,
  min: number,
  max: number,
): number {
  if (value === null || value === undefined) return -Infinity;
  return mode === "percentage" ? min + ((max - min) * value) / 100 : value;
}

/** A value as people read it: mapped to words, else formatted. */
export function show(value: number | string | null | undefined, config: FieldConfig): Shown {
  const mapped = findMapping(value, config.mappings ?? []);
  const empty = value === null || value === undefined || Number.isNaN(value);
  const color = mapped?.color ?? (empty || typeof value === "string" ? undefined : pickColor(value, config));
  if (mapped?.text !== undefined) return { text: mapped.text, value: mapped.text, unit: "", color };
  if (empty) return plain(config.noValue ?? "no data", undefined);
  if (typeof value === "string") return plain(value, color);
  const parts = splitValue(value, config.unit ?? "short", config.decimals);
  return { text: joinUnit(parts.value, parts.unit), value: parts.value, unit: parts.unit, color };
}

const plain = (text: string, color: string | undefined): Shown => ({ text, value: text, unit: "", color });

/** The colour of a value by the panel's mode: by threshold, or a fixed one. */
export function pickColor(value: number, config: FieldConfig): string | undefined {
  if (config.color?.mode === "fixed") return config.color.fixedColor;
  return pickThreshold(value, config.thresholds, config.min ?? 0, config.max ?? 100);
}

interface Mapped {
  text?: string;
  color?: string;
}

function findMapping(value: number | string | null | undefined, mappings: readonly Mapping[]): Mapped | undefined {
  for (const mapping of mappings) {
    const mapped = applyMapping(value, mapping);
    if (mapped) return mapped;
  }
  return undefined;
}

function applyMapping(value: number | string | null | undefined, { type, options }: Mapping): Mapped | undefined {
  if (type === "value") return options[String(value)] as Mapped | undefined;
  const result = options.result as Mapped | undefined;
  if (type === "range" && typeof value === "number") {
    const from = (options.from as number | null) ?? -Infinity;
    const to = (options.to as number | null) ?? Infinity;
    return value >= from && value <= to ? result : undefined;
  }
  if (type === "regex" && typeof value === "string")
    return parsePattern(String(options.pattern))?.test(value) ? result : undefined;
  return type === "special" && isSpecial(value, String(options.match)) ? result : undefined;
}

function isSpecial(value: number | string | null | undefined, match: string): boolean {
  const isNull = value === null || value === undefined;
  if (match === "null") return isNull;
  if (match === "nan") return Number.isNaN(value);
  if (match === "null+nan") return isNull || Number.isNaN(value);
  if (match === "empty") return value === "";
  return match === String(value);
}

type Reduction = (values: readonly (number | null)[]) => number | null;

const numbers = (values: readonly (number | null)[]): number[] =>
  values.filter((v): v is number => v !== null && !Number.isNaN(v));
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const orNull = (values: readonly number[], make: (values: readonly number[]) => number): number | null =>
  values.length ? make(values) : null;

export const REDUCTIONS: Record<string, { label: string; reduce: Reduction }> = {
  lastNotNull: { label: "Last", reduce: (values) => numbers(values).at(-1) ?? null },
  last: { label: "Last", reduce: (values) => values.at(-1) ?? null },
  firstNotNull: { label: "First", reduce: (values) => numbers(values)[0] ?? null },
  first: { label: "First", reduce: (values) => values[0] ?? null },
  min: { label: "Min", reduce: (values) => orNull(numbers(values), (v) => v.reduce((a, b) => Math.min(a, b))) },
  max: { label: "Max", reduce: (values) => orNull(numbers(values), (v) => v.reduce((a, b) => Math.max(a, b))) },
  mean: { label: "Mean", reduce: (values) => orNull(numbers(values), (v) => sum(v) / v.length) },
  sum: { label: "Total", reduce: (values) => orNull(numbers(values), sum) },
  count: { label: "Count", reduce: (values) => values.length },
  range: {
    label: "Range",
    reduce: (values) =>
      orNull(numbers(values), (v) => v.reduce((a, b) => Math.max(a, b)) - v.reduce((a, b) => Math.min(a, b))),
  },
  diff: { label: "Difference", reduce: (values) => orNull(numbers(values), (v) => (v.at(-1) ?? 0) - (v[0] ?? 0)) },
};

/** One number for a series, by the first of a panel's calculations that is known. */
export function reduceSeries(series: Series, calcs: readonly string[] = []): number | null {
  const name = calcs.find((calc) => calc in REDUCTIONS) ?? "lastNotNull";
  return REDUCTIONS[name]?.reduce(series.values) ?? null;
}
