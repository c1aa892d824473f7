// Log lines with their levels; each unfolds into its labels and fields, with a link to its trace.

import { base } from "../api.ts";
import { findLinks } from "../data/derived.ts";
import { COLORS, findLevel, readFields, stripEscapes } from "../data/levels.ts";
import { formatTime } from "../data/time.ts";
import { findSource } from "../data/variables.ts";
import { h, safeHref } from "../dom.ts";
import type { LogLine, Source } from "../model.ts";
import { resolveColor } from "../theme.ts";
import { type Draw, readOptions } from "./kind.ts";

interface Options {
  showTime: boolean;
  showLabels: boolean;
  wrapLogMessage: boolean;
  prettifyLogMessage: boolean;
  enableLogDetails: boolean;
  sortOrder: string;
}

export const drawLogs: Draw = (host, view) => {
  const options = readOptions<Options>(view.panel);
  const lines = view.answers.flatMap((answer) => answer.lines);
  lines.sort((a, b) => (options.sortOrder === "Ascending" ? a.time - b.time : b.time - a.time));
  const opened = (view.memory.get("opened") as Set<string> | undefined) ?? new Set<string>();
  view.memory.set("opened", opened);
  drawLines(
    host,
    lines,
    options,
    opened,
    findSource(view.sources, view.panel.datasource, view.scope),
    view.panel.title,
  );
};

/** The lines as a list; `opened` has those that are unfolded, by what tells them apart. */
export function drawLines(
  host: HTMLElement,
  lines: readonly LogLine[],
  options: Partial<Options>,
  opened: Set<string>,
  source: Source | undefined,
  title = "Log lines",
): void {
  if (lines.length === 0) {
    host.append(h("p", { class: "empty" }, "No lines"));
    return;
  }
  const list = h("ol", { class: options.wrapLogMessage === false ? "lines" : "lines wrapped", "aria-label": title });
  for (const line of lines) list.append(buildLine(line, options, opened, source));
  host.append(list);
}

function buildLine(
  line: LogLine,
  options: Partial<Options>,
  opened: Set<string>,
  source: Source | undefined,
): HTMLElement {
  const level = findLevel(line);
  const key = `${line.time} ${line.line}`;
  const item = h("li", { style: { "--level": resolveColor(COLORS[level]) } });
  const message = stripEscapes(line.line);
  const head = h(
    options.enableLogDetails === false ? "div" : "button",
    {
      type: "button",
      class: "line",
      "aria-expanded": options.enableLogDetails === false ? null : String(opened.has(key)),
      "data-focus": key,
    },
    h("i", { class: "level", title: level }, h("span", { class: "unseen" }, level)),
    options.showTime !== false && buildTime(line.time),
    options.showLabels && h("span", { class: "labels" }, JSON.stringify(line.labels)),
    h("span", { class: "message" }, options.prettifyLogMessage ? prettify(message) : message),
  );
  item.append(head);
  const unfold = (): void => {
    item.querySelector(".details")?.remove();
    if (opened.has(key)) item.append(buildDetails(line, source));
    head.setAttribute("aria-expanded", String(opened.has(key)));
  };
  if (opened.has(key)) unfold();
  if (options.enableLogDetails !== false)
    head.addEventListener("click", () => {
      opened.has(key) ? opened.delete(key) : opened.add(key);
      unfold();
    });
  return item;
}

/** On a narrow screen the time of day is enough. */
function buildTime(ms: number): HTMLElement {
  const [date = "", clock = ""] = formatTime(ms, true).split(" ");
  return h("time", { datetime: new Date(ms).toISOString() }, h("span", { class: "date" }, `${date} `), clock);
}

function prettify(line: string): string {
  try {
    return JSON.stringify(JSON.parse(line), null, 2);
  } catch {
    return line;
  }
}

function buildDetails(line: LogLine, source: Source | undefined): HTMLElement {
  const links = findLinks(line, source).map((link) => {
    const href = link.source
      ? `${base}/trace/${encodeURIComponent(link.source)}/${encodeURIComponent(link.value)}`
      : safeHref(link.url);
    return href && h("a", { class: "button", href, title: link.value }, link.label);
  });
  return h(
    "div",
    { class: "details" },
    links.length > 0 && h("p", {}, ...links),
    buildFields("Labels", line.labels),
    buildFields("Fields", readFields(stripEscapes(line.line))),
  );
}

function buildFields(heading: string, fields: Record<string, string>): HTMLElement | null {
  const names = Object.keys(fields).sort();
  if (names.length === 0) return null;
  return h(
    "div",
    {},
    h("div", { class: "heading" }, heading),
    h("dl", {}, ...names.flatMap((name) => [h("dt", {}, name), h("dd", {}, fields[name] ?? "")])),
  );
}
