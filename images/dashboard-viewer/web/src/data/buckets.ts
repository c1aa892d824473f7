// The buckets of a histogram as rows of a heatmap.

import type { Series } from "../model.ts";

export interface Buckets {
  times: number[];
  /** From the lowest bucket to the highest: its upper bound, and its count at each time. */
  rows: { bound: number; name: string; counts: number[] }[];
}

/** Counts of each bucket alone; `le` counts all up to its bound. */
export function splitBuckets(
  series: readonly Series[],
  times: readonly number[],
  values: readonly (readonly (number | null)[])[],
): Buckets {
  const bounds = series.map((one) => readBound(one));
  const cumulative = series.every((one) => "le" in one.labels || readBound(one) !== undefined);
  const order = series.map((_, i) => i).sort((a, b) => (bounds[a] ?? Infinity) - (bounds[b] ?? Infinity));
  const rows = order.map((place, rank) => {
    const below = order[rank - 1];
    const counts = times.map((_, i) => {
      const whole = values[place]?.[i] ?? 0;
      return cumulative && below !== undefined ? Math.max(whole - (values[below]?.[i] ?? 0), 0) : whole;
    });
    return { bound: bounds[place] ?? rank, name: series[place]?.labels.le ?? series[place]?.name ?? "", counts };
  });
  return { times: [...times], rows };
}

function readBound(series: Series): number | undefined {
  const text = series.labels.le ?? series.name;
  const bound = text === "+Inf" ? Infinity : Number.parseFloat(text);
  return Number.isNaN(bound) ? undefined : bound;
}
