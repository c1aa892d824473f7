// The level of a log line: by its labels, else by its own words.

import type { LogLine } from "../model.ts";

export type Level = "critical" | "error" | "warning" | "info" | "debug" | "unknown";

const NAMES: readonly (readonly [Level, RegExp])[] = [
  ["critical", /^(emerg|emergency|alert|crit|critical|fatal|panic)$/],
  ["error", /^(err|error|eror|severe)$/],
  ["warning", /^(warn|warning)$/],
  ["info", /^(info|information|informational|notice|log)$/],
  ["debug", /^(debug|dbug|trace|verbose|fine)$/],
];
const LABELS = ["level", "detected_level", "severity", "lvl", "loglevel"];
const FIELD = /["']?\b(?:level|severity|lvl)["']?\s*[=:]\s*["']?([A-Za-z]+)/;
const WORD =
  /(?:^|[\s[(<|])(EMERG|ALERT|CRIT|CRITICAL|FATAL|PANIC|ERROR|ERR|WARN|WARNING|INFO|NOTICE|DEBUG|TRACE)(?=$|[\s\])>:|])/;

export const COLORS: Record<Level, string> = {
  critical: "purple",
  error: "red",
  warning: "yellow",
  info: "green",
  debug: "blue",
  unknown: "gray",
};

export function findLevel({ line, labels }: LogLine): Level {
  for (const label of LABELS) {
    const level = parseLevel(labels[label] ?? "");
    if (level !== "unknown") return level;
  }
  return parseLevel(FIELD.exec(line)?.[1] ?? WORD.exec(line)?.[1] ?? "");
}

function parseLevel(word: string): Level {
  const lower = word.toLowerCase();
  return NAMES.find(([, pattern]) => pattern.test(lower))?.[0] ?? "unknown";
}

const ESCAPES = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** Without the colours that programs write for terminals. */
export const stripEscapes = (line: string): string => line.replace(ESCAPES, "");

/** The fields of a line that is a JSON object, or pairs of key=value. */
export function readFields(line: string): Record<string, string> {
  const fields: Record<string, string> = {};
  try {
    const parsed: unknown = JSON.parse(line);
    if (parsed && typeof parsed === "object" && !Array.isArray(parsed))
      for (const [name, value] of Object.entries(parsed))
        fields[name] = typeof value === "string" ? value : JSON.stringify(value);
    return fields;
  } catch {
    for (const [, name = "", quoted, plain] of line.matchAll(
      /(?:^|\s)([A-Za-z_][\w.-]*)=(?:"((?:[^"\\]|\\.)*)"|(\S+))/g,
    ))
      fields[name] = quoted ?? plain ?? "";
    return fields;
  }
}
