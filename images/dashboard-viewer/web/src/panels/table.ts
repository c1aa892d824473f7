// A table of labels and values, sorted by a press on a heading, with cells coloured where the panel says so.

import { configure, show } from "../data/fields.ts";
import { buildTable, type Cell, type Row, sortRows, TIME } from "../data/table.ts";
import { formatTime } from "../data/time.ts";
import { deriveBounds } from "../data/bounds.ts";
import { h } from "../dom.ts";
import type { FieldConfig, Panel } from "../model.ts";
import { fade, resolveColor } from "../theme.ts";
import { type Draw, readOptions, type View } from "./kind.ts";

interface Options {
  sortBy: { displayName?: string; desc?: boolean }[];
  showHeader: boolean;
}

interface Custom {
  align?: string;
  hidden?: boolean;
  width?: number;
  cellOptions?: { type?: string };
  displayMode?: string;
}

interface Column {
  name: string;
  title: string;
  number: boolean;
  config: FieldConfig;
  custom: Custom;
  greatest: number;
}

interface Sorting {
  column: string;
  descending: boolean;
}

const MOST = 500;

export const drawTable: Draw = (host, view) => {
  const table = buildTable(view.answers, view.panel);
  if (table.rows.length === 0) {
    host.append(h("p", { class: "empty" }, view.panel.fieldConfig?.defaults?.noValue ?? "No data"));
    return;
  }
  const columns = table.columns
    .map((name) => buildColumn(name, table.rows, view, table.refs[name] ?? ""))
    .filter(({ custom }) => !custom.hidden);
  const sorting = findSorting(view);
  const rows = sorting ? sortRows(table.rows, sorting.column, sorting.descending) : table.rows;
  const heading = h("tr", {}, ...columns.map((column) => buildHeading(column, sorting, view)));
  const body = rows
    .slice(0, MOST)
    .map((row) => h("tr", {}, ...columns.map((column) => buildCell(row[column.name] ?? null, column))));
  host.append(
    h(
      "div",
      { class: "table", tabindex: "0", role: "region", "aria-label": view.panel.title ?? "Table" },
      h("table", {}, h("thead", {}, heading), h("tbody", {}, ...body)),
      rows.length > MOST && h("p", { class: "hint" }, `The first ${MOST} of ${rows.length} rows`),
    ),
  );
};

function buildColumn(name: string, rows: readonly Row[], { panel }: View, refId: string): Column {
  const number = rows.some((row) => typeof row[name] === "number");
  const config = configure(panel, name, refId, number);
  const values = rows.map((row) => row[name]).filter((v): v is number => typeof v === "number");
  return {
    name,
    title: config.displayName || nameColumn(name, panel, refId),
    number,
    config,
    custom: (config.custom ?? {}) as Custom,
    greatest: Math.max(...values, 0),
  };
}

/** What a query is called is more than its letter says. */
function nameColumn(name: string, panel: Panel, refId: string): string {
  const legend = panel.targets?.find((target) => target.refId === refId)?.legendFormat ?? "";
  return name.startsWith("Value #") && legend && legend !== "__auto" && !legend.includes("{{") ? legend : name;
}

function findSorting(view: View): Sorting | undefined {
  const chosen = view.memory.get("sorting") as Sorting | undefined;
  const [first] = readOptions<Options>(view.panel).sortBy ?? [];
  return chosen ?? (first?.displayName ? { column: first.displayName, descending: Boolean(first.desc) } : undefined);
}

function buildHeading(column: Column, sorting: Sorting | undefined, view: View): HTMLElement {
  const mine = sorting?.column === column.name;
  const press = (): void => {
    view.memory.set("sorting", { column: column.name, descending: mine ? !sorting.descending : column.number });
    view.redraw();
  };
  const state = mine ? (sorting.descending ? "descending" : "ascending") : "none";
  return h(
    "th",
    { scope: "col", "aria-sort": state, class: column.number ? "number" : "" },
    h(
      "button",
      { type: "button", "data-focus": `column ${column.name}`, on: { click: press } },
      column.title,
      h("span", { "aria-hidden": "true" }, mine ? (sorting.descending ? " ▾" : " ▴") : ""),
    ),
  );
}

function buildCell(value: Cell, column: Column): HTMLElement {
  if (column.name === TIME && typeof value === "number") return h("td", { class: "number" }, formatTime(value));
  const shown = value === null ? show("", column.config) : show(value, column.config);
  const mode = column.custom.cellOptions?.type ?? column.custom.displayMode ?? "auto";
  const color = shown.color && resolveColor(shown.color);
  const cell = h("td", { class: column.number ? "number" : "", title: shown.text }, shown.text);
  if (mode === "color-text" && color) cell.style.color = color;
  if (mode.startsWith("color-background") && color) cell.style.background = fade(color, 0.32);
  if (/gauge|lcd/.test(mode) && typeof value === "number") addBar(cell, value, column, color || resolveColor("blue"));
  return cell;
}

function addBar(cell: HTMLElement, value: number, { config, greatest }: Column, color: string): void {
  const [min, max] = deriveBounds({ ...config, max: config.max ?? greatest }, []);
  const share = Math.min(Math.max((value - min) / (max - min || 1), 0), 1) * 100;
  cell.style.background = `linear-gradient(to right, ${fade(color, 0.32)} ${share}%, transparent ${share}%)`;
}
