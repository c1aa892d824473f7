// What all panels of a dashboard share at a time: range, variables, marks of alerts. Each question has a number.

import { askAnnotations, type AnnotationRegion } from "../data/annotations.ts";
import type { Scope, Value } from "../data/interpolate.ts";
import { type Range, resolveRange, type Span } from "../data/time.ts";
import {
  buildScope,
  isSettled,
  listChosen,
  loadOptions,
  type Option,
  orderVariables,
  type Variable,
} from "../data/variables.ts";
import type { Board, Panel, Source } from "../model.ts";

export interface Shared {
  scope: Scope;
  span: Span;
  sources: readonly Source[];
}

/** Milliseconds that panels wait for the marks of alerts. */
const PATIENCE = 250;

export class Session {
  readonly board: Board;
  readonly sources: readonly Source[];
  readonly tooltip: number;
  variables: Variable[];
  range: Range;
  annotations: AnnotationRegion[] = [];
  /** Whether marks of alerts are drawn. */
  marked = true;
  number = 0;
  /** Whether queries can be asked: what is chosen is known. */
  ready = false;
  zoom: (span: Span) => void = () => undefined;
  /** Marks came after panels had been drawn without them. */
  marksCame: () => void = () => undefined;
  showAlone: (panel: Panel) => void = () => undefined;
  #span: Span;
  #asking = new AbortController();
  #annotated: Promise<void> = Promise.resolve();

  constructor(board: Board, sources: readonly Source[], variables: Variable[], range: Range) {
    this.board = board;
    this.sources = sources;
    this.variables = variables;
    this.range = range;
    this.tooltip = board.graphTooltip ?? 0;
    this.#span = resolveRange(range, Date.now());
  }

  get scope(): Scope {
    return buildScope(this.variables, this.#span);
  }

  /** What a panel sees of the variables, of which some are its repetition's own. */
  scopeOf(panel: Panel | undefined): Scope {
    const own = Object.entries(panel?.scoped ?? {});
    const fixed = own.map(([name, { value, text }]): [string, Value] => [
      name,
      { values: [value], texts: [text], many: true },
    ]);
    return new Map([...this.scope, ...fixed]);
  }

  ask(panel?: Panel): Shared {
    return { scope: this.scopeOf(panel), span: this.#span, sources: this.sources };
  }

  /** The values of a variable for which something is repeated. */
  choose(name: string): Option[] {
    const variable = this.variables.find(({ model }) => model.name === name);
    return variable ? listChosen(variable) : [];
  }

  /** Begins a new question: now is another moment, or something else was chosen. */
  begin(): void {
    this.#asking.abort();
    this.#asking = new AbortController();
    this.#span = resolveRange(this.range, Date.now());
    this.number += 1;
    this.#annotated = this.#askAnnotations();
  }

  /** When the marks of alerts are there, or take too long: they must not keep anything from being drawn. */
  annotated(): Promise<void> {
    return Promise.race([this.#annotated, new Promise<void>((done) => setTimeout(done, PATIENCE))]);
  }

  async #askAnnotations(): Promise<void> {
    const models = this.marked ? (this.board.annotations?.list ?? []) : [];
    const { signal } = this.#asking;
    const began = performance.now();
    const regions = await askAnnotations(models, this.sources, this.scope, this.#span, signal).catch(() => []);
    if (signal.aborted) return;
    this.annotations = regions;
    if (performance.now() - began > PATIENCE) this.marksCame();
  }

  /** Whether queries can be asked before the variables' options are known. */
  get settled(): boolean {
    return this.variables.every(isSettled);
  }

  /** Asks for the options of all variables. Returns whether what queries see of them has changed by it. */
  async loadVariables(): Promise<boolean> {
    const before = JSON.stringify([...this.scope]);
    for (const round of orderVariables(this.variables))
      await Promise.all(round.map((variable) => this.#load(variable)));
    return before !== JSON.stringify([...this.scope]);
  }

  async #load(variable: Variable): Promise<void> {
    const { signal } = this.#asking;
    variable.error = "";
    await loadOptions(variable, { ...this.ask(), signal }).catch((error: Error) => {
      if (!signal.aborted) variable.error = error.message;
    });
  }
}
