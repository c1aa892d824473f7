// The content of a tooltip: the time, the values, and the alerts that were firing.

import type { AnnotationRegion } from "../data/annotations.ts";
import { formatTime } from "../data/time.ts";
import { h } from "../dom.ts";
import { resolveColor } from "../theme.ts";

export interface TipRow {
  name: string;
  text: string;
  color: string;
}

const MOST = 20;

export function buildTip(seconds: number, rows: readonly TipRow[], regions: readonly AnnotationRegion[]): HTMLElement {
  const left = rows.length - MOST;
  const alerts = regions.filter(({ start, end }) => seconds >= start - 1 && seconds <= end + 1);
  const listed = [...new Map(alerts.map((alert) => [alert.title, alert])).values()];
  return h(
    "div",
    {},
    h("time", {}, formatTime(seconds * 1000)),
    h("ul", {}, ...rows.slice(0, MOST).map(buildRow), left > 0 && h("li", {}, `and ${left} more`)),
    listed.length > 0 &&
      h(
        "ul",
        { class: "alerts" },
        ...listed.map(({ title, color }) => buildRow({ name: "firing", text: title, color: resolveColor(color) })),
      ),
  );
}

const buildRow = ({ name, text, color }: TipRow): HTMLElement =>
  h("li", {}, h("i", { class: "swatch", style: { background: color } }), h("span", {}, name), h("b", {}, text));
