// Series on one axis of time.

import type { Series } from "../model.ts";

export interface Aligned {
  times: number[];
  /** For each series; null where it has no sample. */
  values: (number | null)[][];
}

/** All series on all of their times, and on one more in each gap, where no line may lead across. */
export function alignSeries(series: readonly Series[], step: number): Aligned {
  const all = [...new Set(series.flatMap((one) => one.times))].sort((a, b) => a - b);
  const times: number[] = [];
  for (const time of all) {
    const before = times.at(-1);
    if (before !== undefined && time - before > step * 1.5) times.push(before + step);
    times.push(time);
  }
  const places = new Map(times.map((time, i) => [time, i]));
  const values = series.map((one) => {
    const row = new Array<number | null>(times.length).fill(null);
    one.times.forEach((time, i) => {
      const value = one.values[i];
      row[places.get(time) ?? 0] = value !== undefined && Number.isFinite(value) ? (value as number) : null;
    });
    return row;
  });
  return { times, values };
}

/** Each row on top of those before it; as shares of their sum where `percent` is set. */
export function stackValues(rows: readonly (number | null)[][], percent: boolean): (number | null)[][] {
  const length = rows[0]?.length ?? 0;
  const totals = Array.from({ length }, (_, i) => rows.reduce((sum, row) => sum + (row[i] ?? 0), 0));
  const reached = new Array<number>(length).fill(0);
  return rows.map((row) =>
    row.map((value, i) => {
      if (value === null && rows.every((other) => (other[i] ?? null) === null)) return null;
      reached[i] = (reached[i] ?? 0) + (value ?? 0);
      return percent ? reached[i] / (totals[i] || 1) : reached[i];
    }),
  );
}
