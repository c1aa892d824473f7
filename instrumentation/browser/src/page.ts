/** What is sent of the page and the browser with everything else: an address without query, a browser and its version. */

import type { MetaBrowser } from "@grafana/faro-core";

import { cleanUrl } from "./text.ts";

const BROWSERS: [name: string, pattern: RegExp][] = [
  ["Edge", /\bEdg(?:e|A|iOS)?\/(\d+)/],
  ["Opera", /\bOPR\/(\d+)/],
  ["Samsung Internet", /\bSamsungBrowser\/(\d+)/],
  ["Firefox", /\b(?:Firefox|FxiOS)\/(\d+)/],
  ["Chrome", /\b(?:Chrome|HeadlessChrome|CriOS)\/(\d+)/],
  ["Safari", /\bVersion\/(\d+).*Safari\//],
];

/** Name, first number of the version, and whether it is that of a phone; nothing more of the user agent. */
export function describeBrowser(agent: string): MetaBrowser {
  const mobile = /Mobi/.test(agent);
  for (const [name, pattern] of BROWSERS) {
    const version = pattern.exec(agent)?.[1];
    if (version) return { name, version, mobile };
  }
  return { name: "other", mobile };
}

/** The address of the page that is open now. */
export function describePage(): { page: { url: string } } {
  return { page: { url: cleanUrl(location.href) } };
}
