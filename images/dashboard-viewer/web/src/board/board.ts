// A dashboard: its heading with all choices, and its sections of panels.

import { findBoards, getBoard, listSources } from "../api.ts";
import { parseDuration } from "../data/time.ts";
import { interpolate } from "../data/interpolate.ts";
import { readVariables, type Variable } from "../data/variables.ts";
import { h, safeHref } from "../dom.ts";
import { buildIcon } from "../icons.ts";
import type { LinkModel, Panel } from "../model.ts";
import { onTheme } from "../theme.ts";
import { carryOn, readQueryString, readRange, writeAddress, writeVariable } from "./address.ts";
import { Frame } from "./frame.ts";
import { arrangeSections, findPanel, type Section } from "./layout.ts";
import { buildMenu } from "./menu.ts";
import { buildPicker } from "./picker.ts";
import { repeatSections } from "./repeat.ts";
import { Session } from "./session.ts";
import { buildTimePicker, writeSpan } from "./timepicker.ts";

const REFRESHES = ["", "10s", "30s", "1m", "5m", "15m"];

/** Shows the dashboard with this uid in `main`. */
export async function showBoard(uid: string, main: HTMLElement): Promise<void> {
  const [{ board, folder }, sources] = await Promise.all([getBoard(uid), listSources()]);
  document.title = `${board.title} – dashboards`;
  const variables = readVariables(board.templating?.list ?? [], readQueryString());
  const session = new Session(board, sources, variables, readRange(board.time));
  await new BoardPage(session, folder, main).start();
}

class BoardPage {
  readonly #session: Session;
  readonly #bar = h("div", { class: "toolbar" });
  readonly #body = h("div", { class: "sections" });
  readonly #unfolded = new Map<Panel, boolean>();
  readonly #watch = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: "200px" });
  #frames = new Map<Element, Frame>();
  #timer = 0;
  /** Which panels stand where. */
  #shown = "";

  constructor(session: Session, folder: string, main: HTMLElement) {
    this.#session = session;
    const { title, description } = session.board;
    const about =
      description &&
      buildMenu({
        label: buildIcon("about"),
        name: "About this dashboard",
        plain: true,
        build: () => [h("p", { class: "about" }, description)],
      });
    main.replaceChildren(
      h("div", { class: "board-head" }, h("h1", {}, folder && h("small", {}, `${folder} / `), title), about || null),
      this.#bar,
      this.#body,
    );
    // what was chosen in an open menu is shown once it is closed
    this.#bar.addEventListener(
      "toggle",
      (event) => (event as ToggleEvent).newState === "closed" && this.#drawBar(),
      true,
    );
    session.zoom = (span) => this.#change(() => writeAddress({ ...writeSpan(span) }));
    session.marksCame = () => this.#frames.forEach((frame) => frame.redraw());
    session.showAlone = (panel) => {
      writeAddress({ viewPanel: readQueryString().has("viewPanel") ? null : String(panel.id) });
      this.#layOut();
    };
  }

  async start(): Promise<void> {
    const session = this.#session;
    session.begin();
    this.#drawBar();
    session.ready = session.settled;
    this.#layOut();
    const changed = await session.loadVariables();
    this.#layOut();
    if (changed || !session.ready) {
      session.ready = true;
      this.#ask();
    }
    this.#drawBar();
    onTheme(() => this.#frames.forEach((frame) => frame.redraw()));
    addEventListener("popstate", () => this.#readAddress());
    document.addEventListener("visibilitychange", () => this.#schedule());
    this.#schedule();
  }

  // -- choices --------------------------------------------------------------------------------------------------------

  #drawBar(): void {
    const session = this.#session;
    const focused = this.#bar.contains(document.activeElement)
      ? document.activeElement?.getAttribute("aria-label")?.split(":")[0]
      : undefined;
    if (this.#bar.querySelector(":popover-open")) return; // whoever is choosing is not disturbed
    const pickers = session.variables.map((variable) => buildPicker(variable, (changed) => this.#choose(changed)));
    const links = (session.board.links ?? []).map((link) => this.#buildLink(link));
    const range = buildTimePicker(session.range, (next) => this.#change(() => writeAddress({ ...next })));
    this.#bar.replaceChildren(
      ...[...pickers, ...this.#buildMarks(), h("span", { class: "gap" }), ...links, range, this.#buildRefresh()].filter(
        (e) => e !== null,
      ),
    );
    if (focused)
      [...this.#bar.querySelectorAll<HTMLElement>("button[aria-label], select, input")]
        .find((e) => e.getAttribute("aria-label")?.split(":")[0] === focused)
        ?.focus();
  }

  #buildMarks(): HTMLElement[] {
    const shown = (this.#session.board.annotations?.list ?? []).filter(
      (model) => !model.builtIn && !model.hide && model.expr,
    );
    if (shown.length === 0) return [];
    const box = h("input", { type: "checkbox", checked: this.#session.marked });
    box.addEventListener("change", () => {
      this.#session.marked = box.checked;
      this.#ask();
    });
    return [h("label", { class: "variable" }, box, shown.map((model) => model.name).join(", "))];
  }

  #buildLink(link: LinkModel): HTMLElement | null {
    const lead = (url: string): string => carryOn(url, Boolean(link.keepTime), Boolean(link.includeVars));
    if (link.type !== "dashboards") {
      const href = safeHref(interpolate(link.url ?? "", this.#session.scope, "address"));
      return href ? h("a", { class: "choice", href: lead(href), title: link.tooltip ?? null }, link.title) : null;
    }
    const build = (): Node[] => {
      const list = h("ul", { class: "options" }, h("li", { class: "empty" }, "Loading"));
      const fill = (items: Node[]): void => list.replaceChildren(...items);
      findBoards({ tags: link.tags ?? [] }).then(
        (hits) =>
          fill(
            hits.map((hit) =>
              h(
                "li",
                {},
                h(
                  "a",
                  { href: lead(hit.url), "aria-current": hit.uid === this.#session.board.uid ? "page" : null },
                  hit.title,
                ),
              ),
            ),
          ),
        (error: Error) => fill([h("li", { role: "alert" }, error.message)]),
      );
      return [list];
    };
    return buildMenu({ label: link.title, name: `Dashboards: ${link.title}`, build });
  }

  #buildRefresh(): HTMLElement {
    const current = this.#refresh();
    const options = [...new Set([...REFRESHES, current])].map((text) =>
      h("option", { value: text, selected: text === current }, text || "Off"),
    );
    const select = h("select", { "aria-label": "Refresh" }, ...options);
    select.addEventListener("change", () => {
      writeAddress({ refresh: select.value });
      this.#schedule();
    });
    return h(
      "div",
      { class: "group" },
      h(
        "button",
        {
          type: "button",
          class: "choice",
          title: "Refresh now",
          "aria-label": "Refresh now",
          on: { click: () => this.#ask() },
        },
        buildIcon("again"),
      ),
      select,
    );
  }

  #refresh(): string {
    return readQueryString().get("refresh") ?? (this.#session.board.refresh || "");
  }

  #choose(variable: Variable): void {
    writeVariable(variable);
    void this.#again();
  }

  /** After a change of the variables, on which others may depend. */
  async #again(): Promise<void> {
    this.#ask();
    const changed = await this.#session.loadVariables();
    this.#drawBar();
    this.#layOut();
    if (changed) this.#ask();
  }

  #change(write: () => void): void {
    write();
    this.#readAddress();
  }

  #readAddress(): void {
    const { board } = this.#session;
    this.#session.range = readRange(board.time);
    const query = readQueryString();
    const before = new Map(this.#session.variables.map((variable) => [variable.model.name, variable.options]));
    this.#session.variables = readVariables(board.templating?.list ?? [], query).map((variable) => ({
      ...variable,
      options: before.get(variable.model.name) ?? variable.options,
    }));
    this.#layOut();
    void this.#again();
  }

  // -- panels ---------------------------------------------------------------------------------------------------------

  #layOut(): void {
    const panels = this.#session.board.panels ?? [];
    const id = Number(readQueryString().get("viewPanel") ?? Number.NaN);
    const alone = findPanel(panels, id);
    const sections = repeatSections(arrangeSections(panels), (name) => this.#session.choose(name));
    const key = alone ? `alone ${id}` : describeLayout(sections);
    if (this.#shown === key) return;
    this.#shown = key;
    this.#watch.disconnect();
    this.#frames.forEach((frame) => frame.close());
    this.#frames = new Map();
    this.#body.classList.toggle("alone", Boolean(alone));
    if (alone)
      this.#body.replaceChildren(
        this.#buildGrid({ row: undefined, panels: [{ panel: alone, place: { x: 0, y: 0, w: 24, h: 20 } }] }),
      );
    else this.#body.replaceChildren(...sections.map((section) => this.#buildSection(section)));
  }

  #buildSection(section: Section): HTMLElement {
    const { row } = section;
    if (!row) return h("section", {}, h("h2", { class: "unseen" }, "Panels"), this.#buildGrid(section));
    const open = this.#unfolded.get(row) ?? !row.collapsed;
    const title = interpolate(row.title ?? "", this.#session.scopeOf(row), "text");
    const count = h("small", {}, `${section.panels.length} panel${section.panels.length === 1 ? "" : "s"}`);
    const button = h(
      "button",
      { type: "button", "aria-expanded": String(open) },
      h("span", { class: "arrow", "aria-hidden": "true" }, "▸"),
      title,
      count,
    );
    const element = h("section", { "aria-label": title }, h("h2", {}, button), open && this.#buildGrid(section));
    button.addEventListener("click", () => {
      const opened = button.getAttribute("aria-expanded") !== "true";
      this.#unfolded.set(row, opened);
      button.setAttribute("aria-expanded", String(opened));
      if (opened) element.append(this.#buildGrid(section));
      else element.querySelectorAll(".panel").forEach((panel) => this.#drop(panel));
      if (!opened) element.querySelector(".grid")?.remove();
    });
    return element;
  }

  #buildGrid(section: Section): HTMLElement {
    const grid = h("div", { class: "grid" });
    for (const { panel, place } of section.panels) {
      const frame = new Frame(panel, this.#session);
      const { style } = frame.element;
      style.setProperty("--column", `${place.x + 1} / span ${place.w}`);
      style.setProperty("--row", `${place.y + 1} / span ${place.h}`);
      frame.element.classList.toggle("small", place.w <= 6 && place.h <= 6);
      this.#frames.set(frame.element, frame);
      this.#watch.observe(frame.element);
      grid.append(frame.element);
    }
    return grid;
  }

  #drop(element: Element): void {
    this.#watch.unobserve(element);
    this.#frames.get(element)?.close();
    this.#frames.delete(element);
  }

  /** Panels ask when they come into view. */
  #see(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const frame = this.#frames.get(target);
      if (!frame) continue;
      frame.visible = isIntersecting;
      void frame.refresh();
    }
  }

  #ask(): void {
    this.#session.begin();
    for (const frame of this.#frames.values()) void frame.refresh();
    this.#schedule();
  }

  /** Nobody is asked for a page that nobody looks at. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const seconds = parseDuration(this.#refresh());
    if (!seconds || document.hidden) return;
    this.#timer = window.setTimeout(() => this.#ask(), Math.max(seconds, 5) * 1000);
  }
}

function describeLayout(sections: readonly Section[]): string {
  return JSON.stringify(
    sections.map(({ row, panels }) => [row?.scoped, panels.map(({ panel, place }) => [panel.id, panel.scoped, place])]),
  );
}
