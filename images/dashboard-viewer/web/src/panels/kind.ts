// What every kind of panel is given, and what it gives back.

import type { AnnotationRegion } from "../data/annotations.ts";
import type { Scope } from "../data/interpolate.ts";
import type { Span } from "../data/time.ts";
import type { Answer, Panel, Series, Source } from "../model.ts";

export interface View {
  panel: Panel;
  answers: Answer[];
  span: Span;
  scope: Scope;
  sources: readonly Source[];
  annotations: readonly AnnotationRegion[];
  /** The key under which panels share a crosshair; empty for none. */
  sync: string;
  /** Whether the panels share their tooltips too. */
  syncTooltip: boolean;
  /** What the panel remembers from one drawing to the next: hidden series, sorting, unfolded lines. */
  memory: Map<string, unknown>;
  /** Shows another time range, in seconds since 1970. */
  zoom: (span: Span) => void;
  /** Draws the same answers again. */
  redraw: () => void;
}

export interface Drawing {
  /** Takes the room that the panel has now. */
  resize?: () => void;
  destroy?: () => void;
}

/** Draws into an empty element. */
export type Draw = (host: HTMLElement, view: View) => Drawing | void;

export const allSeries = (view: View): Series[] => view.answers.flatMap((answer) => answer.series);

/** Options as a kind of panel knows them; each may be absent. */
export const readOptions = <T>(panel: Panel): Partial<T> => (panel.options ?? {}) as Partial<T>;
