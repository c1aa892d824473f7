// Dark or light, and Grafana's names of colours as colours that can be read on either.

import { placeSeries } from "./data/places.ts";

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

const known = new Map<string, number>();

/** Colours for the series of one panel: what their names mean, else the same for a name in all panels. */
export function assignColors(names: readonly string[], theme: Theme = currentTheme()): string[] {
  const palette = PALETTE[theme];
  return placeSeries(names, known, palette.length).map(({ meaning, index }) =>
    meaning ? shade(resolveColor(meaning, theme), index, theme) : (palette[index] ?? ""),
  );
}

/** The same as colours of CSS for both themes, for what is not drawn again when the theme changes. */
export function assignPairs(names: readonly string[]): string[] {
  const dark = assignColors(names, "dark");
  return assignColors(names, "light").map((color, i) => `light-dark(${color}, ${dark[i]})`);
}

/** A colour nearer to that of text, by steps, so that some of one meaning are told apart. */
function shade(color: string, steps: number, theme: Theme): string {
  const share = Math.min(steps * 0.28, 0.7);
  const read = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const text = read(resolveColor("text", theme));
  const mixed = read(color).map((part, i) => Math.round(part + ((text[i] ?? part) - part) * share));
  return `#${mixed.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
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
