// The legend of a chart: names with their values, each of which hides or shows its series.

import { REDUCTIONS, show } from "../data/fields.ts";
import { h } from "../dom.ts";
import type { FieldConfig } from "../model.ts";

export interface LegendOptions {
  showLegend?: boolean;
  displayMode?: string;
  placement?: string;
  calcs?: string[];
}

export interface LegendRow {
  name: string;
  color: string;
  values: readonly (number | null)[];
  config: FieldConfig;
}

/**
 * Below or beside the chart. A press on a name hides its series, one with Ctrl or Shift all others; without
 * calculations of the panel's own the last value is shown.
 */
export function drawLegend(
  host: HTMLElement,
  rows: readonly LegendRow[],
  options: LegendOptions,
  hidden: Set<string>,
  redraw: () => void,
): void {
  if (options.showLegend === false || options.displayMode === "hidden") return;
  const calcs = (options.calcs?.length ? options.calcs : ["lastNotNull"]).filter((calc) => calc in REDUCTIONS);
  const toggle = (name: string, others: boolean): void => {
    const alone = rows.every((row) => hidden.has(row.name) === (row.name !== name));
    if (!others) hidden.has(name) ? hidden.delete(name) : hidden.add(name);
    else for (const row of rows) alone || row.name === name ? hidden.delete(row.name) : hidden.add(row.name);
    redraw();
  };
  const table = options.displayMode === "table";
  host.classList.toggle("legend-right", options.placement === "right");
  const buttons = rows.map((row) => buildName(row, hidden.has(row.name), toggle));
  const values = rows.map((row) => calcs.map((calc) => formatCalc(row, calc)));
  host.append(
    table ? buildTable(buttons, values, calcs) : buildList(buttons, values, calcs, Boolean(options.calcs?.length)),
  );
}

function buildName(row: LegendRow, hidden: boolean, toggle: (name: string, others: boolean) => void): HTMLElement {
  const press = (event: Event): void => {
    const { ctrlKey, metaKey, shiftKey } = event as MouseEvent;
    toggle(row.name, ctrlKey || metaKey || shiftKey);
  };
  const title = `${row.name}: press to hide or show, with Ctrl to show it alone`;
  return h(
    "button",
    {
      type: "button",
      "aria-pressed": String(!hidden),
      title,
      "data-focus": `legend ${row.name}`,
      on: { click: press },
    },
    h("i", { class: "swatch", style: { background: row.color } }),
    h("span", {}, row.name),
  );
}

function formatCalc(row: LegendRow, calc: string): string {
  const value = REDUCTIONS[calc]?.reduce(row.values) ?? null;
  return value === null ? "–" : show(value, { ...row.config, mappings: [] }).text;
}

function buildList(buttons: HTMLElement[], values: string[][], calcs: string[], named: boolean): HTMLElement {
  const describe = (row: string[]): string =>
    row.map((text, i) => (named ? `${REDUCTIONS[calcs[i] ?? ""]?.label}: ${text}` : text)).join("  ");
  return h(
    "ul",
    { class: "legend" },
    ...buttons.map((button, i) => h("li", {}, button, h("b", {}, describe(values[i] ?? [])))),
  );
}

function buildTable(buttons: HTMLElement[], values: string[][], calcs: string[]): HTMLElement {
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, "Name"),
    ...calcs.map((calc) => h("th", { scope: "col", class: "number" }, REDUCTIONS[calc]?.label ?? calc)),
  );
  const body = buttons.map((button, i) =>
    h("tr", {}, h("td", {}, button), ...(values[i] ?? []).map((text) => h("td", { class: "number" }, text))),
  );
  return h("div", { class: "legend table-legend" }, h("table", {}, h("thead", {}, head), h("tbody", {}, ...body)));
}
