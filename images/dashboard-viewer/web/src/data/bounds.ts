// From where to where a gauge or a bar goes.

import type { FieldConfig, Series } from "../model.ts";
import { reduceSeries } from "./fields.ts";

/** What the panel says; else 0 to 1 or 100 for shares, else what the values and thresholds reach. */
export function deriveBounds(
  config: FieldConfig,
  series: readonly Series[],
  calcs: readonly string[] = [],
): [number, number] {
  const values = series
    .map((one) => reduceSeries(one, calcs))
    .filter((v): v is number => v !== null && Number.isFinite(v));
  const low = config.min ?? Math.min(0, ...values);
  if (config.max !== undefined && config.max !== null) return [low, config.max];
  if (config.unit === "percentunit") return [low, Math.max(1, ...values)];
  if (config.unit === "percent") return [low, Math.max(100, ...values)];
  return [low, Math.max(...values, low + Number.EPSILON) || 1];
}
