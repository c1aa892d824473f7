// Panels and rows that stand once for each value of a variable.
// https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/create-dashboard/#configure-repeating-panels

import type { Option } from "../data/variables.ts";
import type { Panel } from "../model.ts";
import type { Placed, Section } from "./layout.ts";

/** The values that are chosen of a variable; none as long as they are not known. */
export type Chosen = (name: string) => Option[];

const COLUMNS = 24;
const USUAL = 4;

/** The sections with each repetition in its place; what is below a longer one moves down. */
export function repeatSections(sections: readonly Section[], chosen: Chosen): Section[] {
  return sections.flatMap((section) => {
    const { row } = section;
    const values = row?.repeat ? chosen(row.repeat) : [];
    if (!row?.repeat || values.length === 0) return [{ row, panels: repeatPanels(section.panels, chosen) }];
    const name = row.repeat;
    return values.map((value): Section => {
      const inside = section.panels.map(({ panel, place }) => ({ panel: fix(panel, name, value), place }));
      return { row: fix(row, name, value), panels: repeatPanels(inside, chosen) };
    });
  });
}

const fix = (panel: Panel, name: string, value: Option): Panel => ({
  ...panel,
  scoped: { ...panel.scoped, [name]: value },
});

function repeatPanels(placed: readonly Placed[], chosen: Chosen): Placed[] {
  const shifts: { from: number; by: number }[] = [];
  return placed.flatMap(({ panel, place }) => {
    const moved = shifts.filter(({ from }) => place.y >= from).reduce((sum, { by }) => sum + by, 0);
    const values = panel.repeat && !panel.scoped?.[panel.repeat] ? chosen(panel.repeat) : [];
    if (values.length === 0) return [{ panel, place: { ...place, y: place.y + moved } }];
    const across = panel.repeatDirection === "v" ? 1 : Math.min(values.length, panel.maxPerRow ?? USUAL);
    const width = across === 1 && panel.repeatDirection === "v" ? place.w : Math.floor(COLUMNS / across);
    shifts.push({ from: place.y + place.h, by: (Math.ceil(values.length / across) - 1) * place.h });
    return values.map((value, i) => {
      const x = across === 1 ? place.x : (i % across) * width;
      const y = place.y + moved + Math.floor(i / across) * place.h;
      return {
        panel: fix(panel, panel.repeat ?? "", value),
        place: { x: width === COLUMNS ? 0 : x, y, w: width, h: place.h },
      };
    });
  });
}
