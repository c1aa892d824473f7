// Series as rows of a table, and Grafana's transformations merge and organize.
// https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/transform-data/

import type { Answer, Panel } from "../model.ts";

export type Cell = string | number | null;
export type Row = Record<string, Cell>;

export interface Table {
  columns: string[];
  rows: Row[];
  /** The query of a column of values. */
  refs: Record<string, string>;
}

export const TIME = "Time";

/** One row for each series and query; values are called Value, or Value #A where there are several queries. */
export function buildTable(answers: readonly Answer[], panel: Panel): Table {
  const several = answers.length > 1;
  const tables = answers.map((answer) => buildRows(answer, several));
  const transformations = (panel.transformations ?? []).filter((one) => !one.disabled);
  let table =
    transformations.some(({ id }) => id === "merge") || tables.length < 2
      ? mergeTables(tables)
      : mergeTables(tables.slice(0, 1));
  for (const { id, options = {} } of transformations) if (id === "organize") table = organize(table, options);
  return table;
}

function buildRows(answer: Answer, several: boolean): Table {
  const name = several ? `Value #${answer.target.refId}` : "Value";
  const labels = [...new Set(answer.series.flatMap((series) => Object.keys(series.labels)))].sort();
  const rows = answer.series.map((series): Row => ({
    [TIME]: (series.times.at(-1) ?? 0) * 1000,
    ...series.labels,
    [name]: series.values.at(-1) ?? null,
  }));
  return { columns: [TIME, ...labels, name], rows, refs: { [name]: answer.target.refId ?? "" } };
}

/** Rows whose common columns are equal become one. */
export function mergeTables(tables: readonly Table[]): Table {
  const filled = tables.filter((table) => table.rows.length > 0);
  const values = new Set(filled.flatMap((table) => Object.keys(table.refs)));
  const columns = [...new Set([...filled.flatMap((t) => t.columns.filter((c) => !values.has(c))), ...values])];
  const keys = columns.filter(
    (column) => column !== TIME && !values.has(column) && filled.every((table) => table.columns.includes(column)),
  );
  const merged = new Map<string, Row[]>();
  for (const row of filled.flatMap((table) => table.rows)) {
    const key = JSON.stringify(keys.map((column) => row[column] ?? ""));
    const known = merged.get(key) ?? [];
    const fitting = known.find((other) =>
      Object.entries(row).every(([c, v]) => c === TIME || other[c] === undefined || other[c] === v),
    );
    if (fitting) Object.assign(fitting, row);
    else merged.set(key, [...known, { ...row }]);
  }
  return {
    columns,
    rows: [...merged.values()].flat(),
    refs: Object.assign({}, ...tables.map((table) => table.refs)) as Record<string, string>,
  };
}

/** Columns left out, in another order, or by another name. */
export function organize(table: Table, options: Record<string, unknown>): Table {
  const excluded = (options.excludeByName ?? {}) as Record<string, boolean>;
  const places = (options.indexByName ?? {}) as Record<string, number>;
  const names = (options.renameByName ?? {}) as Record<string, string>;
  const rename = (column: string): string => names[column] || column;
  const left = table.columns.filter((column) => !excluded[column]);
  left.sort((a, b) => (places[a] ?? 1e6) - (places[b] ?? 1e6));
  const rows = table.rows.map((row) => Object.fromEntries(left.map((column) => [rename(column), row[column] ?? null])));
  const refs = Object.fromEntries(Object.entries(table.refs).map(([column, ref]) => [rename(column), ref]));
  return { columns: left.map(rename), rows, refs };
}

/** Rows by one column; numbers by size, the rest by its words, what is absent at the end. */
export function sortRows(rows: readonly Row[], column: string, descending: boolean): Row[] {
  const words = new Intl.Collator(undefined, { numeric: true });
  return [...rows].sort((a, b) => {
    const [x = null, y = null] = [a[column], b[column]];
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    const order = typeof x === "number" && typeof y === "number" ? x - y : words.compare(String(x), String(y));
    return descending ? -order : order;
  });
}
