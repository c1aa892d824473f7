// From the list of panels to sections: rows with their panels, each panel at its place below the row's heading.

import type { GridPos, Panel } from "../model.ts";

export interface Section {
  /** The row's panel; the panels before the first row have none. */
  row: Panel | undefined;
  panels: Placed[];
}

export interface Placed {
  panel: Panel;
  /** `y` is counted from the section's top. */
  place: GridPos;
}

const USUAL: GridPos = { x: 0, y: 0, w: 12, h: 8 };

/** Panels behind a row are that row's, as Grafana stores those that are not folded. */
export function arrangeSections(panels: readonly Panel[]): Section[] {
  const ordered = [...panels].sort(
    (a, b) => (a.gridPos?.y ?? 0) - (b.gridPos?.y ?? 0) || (a.gridPos?.x ?? 0) - (b.gridPos?.x ?? 0),
  );
  const sections: { row: Panel | undefined; panels: Panel[] }[] = [{ row: undefined, panels: [] }];
  for (const panel of ordered)
    if (panel.type === "row") sections.push({ row: panel, panels: [...(panel.panels ?? [])] });
    else sections.at(-1)?.panels.push(panel);
  return sections
    .filter(({ row, panels: inside }) => row || inside.length > 0)
    .map(({ row, panels: inside }) => ({ row, panels: place(inside) }));
}

function place(panels: readonly Panel[]): Placed[] {
  const top = Math.min(...panels.map((panel) => panel.gridPos?.y ?? 0));
  return panels.map((panel) => {
    const at = { ...USUAL, ...panel.gridPos };
    return { panel, place: { x: at.x, y: at.y - top, w: Math.min(at.w, 24 - at.x), h: at.h } };
  });
}

/** The panel with this id, inside a folded row too. */
export function findPanel(panels: readonly Panel[], id: number): Panel | undefined {
  for (const panel of panels) {
    const wanted = panel.id === id && panel.type !== "row" ? panel : findPanel(panel.panels ?? [], id);
    if (wanted) return wanted;
  }
  return undefined;
}
