// The bar at the top of each page: where else to go, and dark or light.

import { h } from "./dom.ts";
import { currentTheme, onTheme, switchTheme } from "./theme.ts";

export interface Top {
  /** What the page is about, for those who skip to it. */
  name: string;
  main: HTMLElement;
  /** Addresses by their words. */
  links: Record<string, string>;
}

/** The bar; `more` stands at its end. */
export function buildTop({ name, main, links }: Top, ...more: HTMLElement[]): HTMLElement {
  const skip = (event: Event): void => {
    event.preventDefault(); // an address of # alone leads to the page's base, where it has one
    main.focus();
  };
  return h(
    "header",
    { class: "top" },
    h("a", { class: "unseen skip", href: `#${main.id}`, on: { click: skip } }, `Skip to ${name}`),
    h(
      "nav",
      { "aria-label": "Pages" },
      ...Object.entries(links).map(([words, address]) => h("a", { href: address }, words)),
    ),
    h("span", { class: "gap" }),
    buildThemeButton(),
    ...more,
  );
}

function buildThemeButton(): HTMLElement {
  const button = h("button", { type: "button", class: "choice", on: { click: switchTheme } });
  const name = (): void => void (button.textContent = currentTheme() === "dark" ? "Light" : "Dark");
  name();
  button.setAttribute("aria-label", "Switch between dark and light");
  onTheme(name);
  return button;
}
