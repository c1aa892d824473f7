// Dark or light, and Grafana's names of colours as colours that can be read on either.

export type Theme = "dark" | "light";

const KEY = "dashboard-viewer-theme";
const listeners = new Set<() => void>();
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

export function currentTheme(): Theme {
  const chosen = localStorage.getItem(KEY);
  return chosen === "dark" || chosen === "light" ? chosen : prefersDark.matches ? "dark" : "light";
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = currentTheme();
}

export function switchTheme(): void {
  localStorage.setItem(KEY, currentTheme() === "dark" ? "light" : "dark");
  change();
}

/** Calls `draw` whenever the theme changes. */
export function onTheme(draw: () => void): void {
  listeners.add(draw);
}

function change(): void {
  applyTheme();
  for (const draw of listeners) draw();
}

prefersDark.addEventListener("change", change);

/** Contrast to the panel's ground is 4.5:1 at least, so that they serve text too. */
const NAMED: Record<string, Record<Theme, string>> = {
  green: { dark: "#5fca7a", light: "#1a7a35" },
  yellow: { dark: "#f0c93d", light: "#846000" },
  orange: { dark: "#f79a55", light: "#b24a00" },
  red: { dark: "#ff7b80", light: "#c4211d" },
  blue: { dark: "#6fb4f8", light: "#1a62bd" },
  purple: { dark: "#c59bf5", light: "#7439b8" },
  text: { dark: "#e6e9ee", light: "#1c2230" },
  gray: { dark: "#a3abb8", light: "#566071" },
};

/** A colour by Grafana's name (green, dark-red, super-light-blue) or as CSS has it; undefined is that of text. */
export function resolveColor(name: string | undefined, theme: Theme = currentTheme()): string {
  if (!name || name === "transparent") return NAMED.text?.[theme] ?? "";
  const plain = name.replace(/^(super-light|light|semi-dark|dark)-/, "").replace("grey", "gray");
  const known = NAMED[plain];
  if (known) return known[theme];
  return CSS.supports("color", name) ? name : (NAMED.gray?.[theme] ?? "");
}

/** Told apart by people who see few colours too; no red and no green among the first, which would say bad and good. */
const PALETTE: Record<Theme, readonly string[]> = {
  dark: [
    "#6fb4f8",
    "#f2b84b",
    "#c59bf5",
    "#4fd1c5",
    "#f58ab8",
    "#b9c659",
    "#f79a55",
    "#8fa8d8",
    "#74d68a",
    "#d8b08c",
    "#9be0f0",
    "#e7a6f0",
  ],
  light: [
    "#1a62bd",
    "#a86500",
    "#7439b8",
    "#0b7a70",
    "#b32a73",
    "#667000",
    "#b24a00",
    "#4a6396",
    "#1a7a35",
    "#80583a",
    "#1b7f99",
    "#9a3aa8",
  ],
};

const places = new Map<string, number>();

/**
 * Colours for the series of one panel: a name has the same one in all panels of a dashboard, as far as no two of one
 * panel would share theirs.
 */
export function assignColors(given: readonly string[], theme: Theme = currentTheme()): string[] {
  // two of one name are told apart
  const names = given.map((name, i) => `${name} ${given.slice(0, i).filter((other) => other === name).length || ""}`);
  const palette = PALETTE[theme];
  const taken = new Set<number>();
  const found = new Map<string, number>();
  const known = names.filter((name) => places.has(name));
  for (const name of [...known, ...names]) {
    if (found.has(name)) continue;
    const free = palette.findIndex((_, i) => !taken.has(i));
    const own = places.get(name);
    const other = free < 0 ? found.size % palette.length : free;
    const place = own !== undefined && !taken.has(own) ? own : other;
    if (own === undefined) places.set(name, place);
    taken.add(place);
    found.set(name, place);
  }
  return names.map((name) => palette[found.get(name) ?? 0] ?? "");
}

/** The colour with so much of it, from 0 to 1. */
export function fade(color: string, share: number): string {
  const alpha = Math.round(share * 255)
    .toString(16)
    .padStart(2, "0");
  return /^#[0-9a-f]{6}$/i.test(color)
    ? color + alpha
    : `color-mix(in srgb, ${color} ${Math.round(share * 100)}%, transparent)`;
}

/** Colours of axes and grids. */
export function chartColors(theme: Theme = currentTheme()): { text: string; grid: string; panel: string } {
  return theme === "dark"
    ? { text: "#a3abb8", grid: "rgba(255,255,255,0.08)", panel: "#191c22" }
    : { text: "#566071", grid: "rgba(0,0,0,0.09)", panel: "#ffffff" };
}
