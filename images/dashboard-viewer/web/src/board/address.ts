// What the address says of a dashboard: range, variables, refresh and the panel that is shown alone.

import type { Range } from "../data/time.ts";
import type { Variable } from "../data/variables.ts";
import { ALL } from "../data/variables.ts";

export const readQueryString = (): URLSearchParams => new URLSearchParams(location.search);

/** The range of the address, else the one of the file, else the last hour. */
export function readRange(time: { from: string; to: string } | undefined): Range {
  const query = readQueryString();
  return { from: query.get("from") ?? time?.from ?? "now-1h", to: query.get("to") ?? time?.to ?? "now" };
}

/** Changes the address; a value of null takes a name out. Every change is a step that the browser can go back. */
export function writeAddress(changes: Record<string, string | string[] | null>): void {
  const query = readQueryString();
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const one of value === null ? [] : [value].flat()) query.append(name, one);
  }
  const next = query.size ? `${location.pathname}?${query}` : location.pathname;
  if (next !== location.pathname + location.search) history.pushState(null, "", next);
}

export const writeVariable = ({ model, chosen }: Variable): void =>
  writeAddress({ [`var-${model.name}`]: chosen.map((value) => (value === ALL ? "All" : value)) });

/** An address of another dashboard with the range and the variables of this one. */
export function carryOn(url: string, time: boolean, variables: boolean): string {
  const carried = new URLSearchParams();
  for (const [name, value] of readQueryString())
    if ((time && (name === "from" || name === "to")) || (variables && name.startsWith("var-")))
      carried.append(name, value);
  return carried.size ? `${url}${url.includes("?") ? "&" : "?"}${carried}` : url;
}
