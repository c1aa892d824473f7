// The few signs on buttons, drawn, as not every font has them.

import { svg } from "./dom.ts";

const PATHS = {
  about: "M8 7v4.5M8 4.6v.1M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Z",
  alone: "M9.5 2.5h4v4M6.5 13.5h-4v-4M13.5 2.5l-4.5 4.5M2.5 13.5l4.5-4.5",
  earlier: "M10 3 5 8l5 5",
  later: "M6 3l5 5-5 5",
  outward: "M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM10.8 10.8 14 14M4.5 7h5",
  again: "M13.5 8a5.5 5.5 0 1 1-1.6-3.9M13.5 1.5v3.2h-3.2",
  down: "M4 6l4 4 4-4",
} as const;

/** A sign in the colour of its button's text. */
export function buildIcon(name: keyof typeof PATHS): SVGElement {
  const path = svg("path", {
    d: PATHS[name],
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "1.5",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  });
  return svg("svg", { class: "sign", viewBox: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true" }, path);
}
