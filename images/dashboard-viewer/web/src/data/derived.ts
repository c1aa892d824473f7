// Links from a log line to its trace, as the data source's derived fields say.
// https://grafana.com/docs/grafana/latest/datasources/loki/configure-loki-data-source/#derived-fields

import type { LogLine, Source } from "../model.ts";
import { parsePattern } from "./fields.ts";

interface Derived {
  name?: string;
  matcherRegex?: string;
  matcherType?: string;
  url?: string;
  urlDisplayLabel?: string;
  datasourceUid?: string;
}

export interface DerivedLink {
  label: string;
  value: string;
  /** The data source that has the trace; without one `url` is an address. */
  source: string;
  url: string;
}

/** The links of a line, each place once. */
export function findLinks(line: LogLine, source: Source | undefined): DerivedLink[] {
  const links = new Map<string, DerivedLink>();
  for (const field of (source?.jsonData?.derivedFields ?? []) as Derived[]) {
    const value = findValue(line, field);
    if (!value) continue;
    const url = (field.url ?? "").replaceAll("${__value.raw}", encodeURIComponent(value));
    const label = field.urlDisplayLabel || field.name || "Open";
    links.set(`${field.datasourceUid ?? ""} ${url || value}`, { label, value, source: field.datasourceUid ?? "", url });
  }
  return [...links.values()];
}

function findValue({ line, labels }: LogLine, field: Derived): string | undefined {
  if (field.matcherType === "label") {
    const pattern = parsePattern(`^(?:${field.matcherRegex ?? ""})$`);
    const name = Object.keys(labels).find((label) => pattern?.test(label));
    return name && labels[name];
  }
  const match = parsePattern(field.matcherRegex ?? "")?.exec(line);
  return match?.[1] ?? match?.[0];
}
