// Every kind of panel that is drawn, by Grafana's name of it.

import { h } from "../dom.ts";
import { drawBargauge } from "./bargauge.ts";
import { drawDashlist } from "./dashlist.ts";
import { drawGauge } from "./gauge.ts";
import { drawHeatmap } from "./heatmap.ts";
import type { Draw } from "./kind.ts";
import { drawLogs } from "./logs.ts";
import { drawStat } from "./stat.ts";
import { drawStateTimeline } from "./statetimeline.ts";
import { drawTable } from "./table.ts";
import { drawText } from "./text.ts";
import { drawTimeseries } from "./timeseries.ts";

const KINDS: Record<string, Draw> = {
  timeseries: drawTimeseries,
  graph: drawTimeseries,
  stat: drawStat,
  singlestat: drawStat,
  gauge: drawGauge,
  bargauge: drawBargauge,
  table: drawTable,
  "table-old": drawTable,
  logs: drawLogs,
  heatmap: drawHeatmap,
  "state-timeline": drawStateTimeline,
  "status-history": drawStateTimeline,
  text: drawText,
  dashlist: drawDashlist,
};

/** Kinds that ask no data source. */
export const SILENT = new Set(["text", "dashlist", "row"]);

export const isKnown = (type: string): boolean => type in KINDS;

/** How a kind of panel is drawn; one that is not known says so. */
export function findKind(type: string): Draw {
  return KINDS[type] ?? ((host) => void host.append(buildUnknown(type)));
}

function buildUnknown(type: string): HTMLElement {
  const words = `Panels of kind “${type}” are not drawn by this viewer. Known: ${Object.keys(KINDS).join(", ")}.`;
  return h("p", { class: "empty", role: "note" }, words);
}
