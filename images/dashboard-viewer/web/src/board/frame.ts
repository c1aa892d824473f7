// The frame of a panel: its heading, what it says of itself, its state, and the drawing inside it.

import { askPanel, limitSeries } from "../data/query.ts";
import { interpolate } from "../data/interpolate.ts";
import { h, safeHref } from "../dom.ts";
import { buildIcon } from "../icons.ts";
import type { Answer, Panel } from "../model.ts";
import { findKind, isKnown, SILENT } from "../panels/index.ts";
import type { Drawing, View } from "../panels/kind.ts";
import { buildMenu } from "./menu.ts";
import type { Session } from "./session.ts";

let count = 0;

/**
 * Grafana's own test ids, so that one test reads both.
 * https://github.com/grafana/grafana/blob/main/packages/grafana-e2e-selectors/src/selectors/components.ts
 */
const nameTestId = (title: string): string => `data-testid Panel header ${title}`;

const buildFailure = (text: string): HTMLElement =>
  h("p", { class: "failed", role: "alert", "data-testid": "data-testid Panel status error" }, text);

export class Frame {
  readonly element: HTMLElement;
  readonly #panel: Panel;
  readonly #session: Session;
  readonly #body = h("div", { class: "panel-body" });
  readonly #heading = h("h3");
  readonly #state = h("span", { class: "panel-state", role: "status" });
  readonly #memory = new Map<string, unknown>();
  #answers: Answer[] | undefined;
  #drawing: Drawing | void = undefined;
  #asking: AbortController | undefined;
  /** The number of the question whose answers are here or on their way. */
  #answered = -1;
  visible = false;

  constructor(panel: Panel, session: Session) {
    this.#panel = panel;
    this.#session = session;
    const heading = `panel-${++count}`;
    const size = panel.gridPos?.h ?? 8;
    this.element = h(
      "article",
      {
        class: `panel kind-${panel.type}`,
        "data-testid": nameTestId(panel.title ?? ""),
        "aria-labelledby": panel.title ? heading : null,
        style: { "--rows": String(size) },
      },
      this.#buildHead(heading),
      this.#body,
    );
    new ResizeObserver(() => this.#drawing?.resize?.()).observe(this.#body);
  }

  #buildHead(id: string): HTMLElement {
    const { description, title = "", links = [] } = this.#panel;
    const name = interpolate(title, this.#session.scopeOf(this.#panel), "text");
    this.#heading.id = id;
    this.#name(name);
    const about =
      description &&
      buildMenu({
        label: buildIcon("about"),
        name: `About ${name}`,
        plain: true,
        build: () => [h("p", { class: "about" }, description)],
      });
    const alone = h(
      "button",
      {
        type: "button",
        class: "icon",
        title: "Show alone, or with the others again",
        "aria-label": `Show ${name} alone, or with the others again`,
        on: { click: () => this.#session.showAlone(this.#panel) },
      },
      buildIcon("alone"),
    );
    const leads = links.map((link) => {
      const href = safeHref(interpolate(link.url ?? "", this.#session.scopeOf(this.#panel), "address"));
      return (
        href &&
        h("a", { href, class: "panel-link", target: link.targetBlank ? "_blank" : null, rel: "noreferrer" }, link.title)
      );
    });
    return h("header", {}, this.#heading, this.#state, ...leads, about || null, alone);
  }

  #name(title: string): void {
    this.#heading.textContent = this.#heading.title = title;
  }

  /** Asks and draws, if it can be seen and has not yet asked what the session wants now. */
  async refresh(): Promise<void> {
    if (!this.visible || !this.#session.ready || this.#answered === this.#session.number) return;
    this.#answered = this.#session.number;
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    const { type } = this.#panel;
    if (SILENT.has(type) || !isKnown(type)) return this.#show([]);
    this.element.setAttribute("aria-busy", "true");
    try {
      const answers = await askPanel({
        ...this.#session.ask(this.#panel),
        panel: this.#panel,
        points: this.#countPoints(),
        signal: asking.signal,
      });
      await this.#session.annotated();
      if (!asking.signal.aborted) this.#show(answers);
    } catch (error) {
      if (!asking.signal.aborted) this.#fail(error as Error);
    } finally {
      if (this.#asking === asking) this.element.removeAttribute("aria-busy");
    }
  }

  #countPoints(): number {
    return Math.min(Math.max(this.#body.clientWidth, 200), 1500);
  }

  #fail(error: Error): void {
    this.#state.replaceChildren();
    this.#clear();
    this.#body.append(buildFailure(error.message));
  }

  #show(answers: Answer[]): void {
    this.#answers = answers;
    const title = interpolate(this.#panel.title ?? "", this.#session.scopeOf(this.#panel), "text");
    this.#name(title);
    this.element.dataset.testid = nameTestId(title);
    const warnings = answers.flatMap((answer) => [...answer.warnings, ...limitSeries(answer)]);
    this.#state.replaceChildren(
      ...(warnings.length ? [h("span", { title: warnings.join("\n") }, "⚠ incomplete")] : []),
    );
    this.redraw();
  }

  /** Draws the last answers again: the theme, the room or a choice is another one. What has the focus keeps it. */
  redraw(): void {
    if (!this.#answers) return;
    const focused =
      document.activeElement instanceof HTMLElement && this.#body.contains(document.activeElement)
        ? document.activeElement
        : null;
    const key = focused?.dataset.focus ?? (focused?.className === "chart" ? ".chart" : "");
    const scrolled = this.#body.firstElementChild?.scrollTop ?? 0;
    this.#clear();
    try {
      this.#drawing = findKind(this.#panel.type)(this.#body, this.#view(this.#answers));
    } catch (error) {
      this.#clear();
      this.#body.append(buildFailure(`this cannot be drawn: ${(error as Error).message}`));
    }
    this.#body.firstElementChild?.scrollTo({ top: scrolled });
    if (key)
      [...this.#body.querySelectorAll<HTMLElement>("[data-focus], .chart")]
        .find((e) => e.dataset.focus === key || (key === ".chart" && e.className === "chart"))
        ?.focus({ preventScroll: true });
  }

  #view(answers: Answer[]): View {
    return {
      ...this.#session.ask(this.#panel),
      panel: this.#panel,
      answers,
      annotations: this.#session.annotations,
      sync: this.#session.tooltip > 0 ? "board" : "",
      syncTooltip: this.#session.tooltip === 2,
      memory: this.#memory,
      zoom: (span) => this.#session.zoom(span),
      redraw: () => this.redraw(),
    };
  }

  #clear(): void {
    this.#drawing?.destroy?.();
    this.#drawing = undefined;
    this.#body.replaceChildren();
    this.#body.className = "panel-body";
  }

  /** Ends what is being asked and drawn. */
  close(): void {
    this.#asking?.abort();
    this.#clear();
    this.element.remove();
  }
}
