// Variables in texts: $name, ${name}, ${name:format}, [[name]].
// https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/

export interface Value {
  /** What is chosen; several where the variable takes several. */
  values: string[];
  texts: string[];
  /** Whether more than one may be chosen, so that a query gets a regular expression. */
  many: boolean;
  /** What stands for all as it is written, where all is chosen and the variable says it. */
  raw?: string | undefined;
}

export type Scope = ReadonlyMap<string, Value>;

const VARIABLE = /\$(\w+)|\$\{(\w+)(?:\.[^:^}]+)?(?::([^}]+))?\}|\[\[(\w+)(?::(\w+))?\]\]/g;

/** How a value stands in a query of Prometheus or Loki, or in a text. */
export type Language = "query" | "text" | "address";

/** The text with its variables replaced; unknown ones stay as they are. */
export function interpolate(text: string, scope: Scope, language: Language = "query"): string {
  return text.replace(
    VARIABLE,
    (whole: string, plain?: string, braced?: string, format?: string, old?: string, oldFormat?: string) => {
      const value = scope.get(plain ?? braced ?? old ?? "");
      return value ? formatVariable(value, format ?? oldFormat ?? language) : whole;
    },
  );
}

/** The names of variables in a text, each once. */
export function listVariables(text: string): string[] {
  return [...new Set([...text.matchAll(VARIABLE)].map((match) => match[1] ?? match[2] ?? match[4] ?? ""))];
}

export const single = (value: string): Value => ({ values: [value], texts: [value], many: false });

const FORMATS: Record<string, (values: string[], texts: string[]) => string> = {
  raw: (values) => values.join(","),
  csv: (values) => values.join(","),
  text: (_, texts) => texts.join(" + "),
  pipe: (values) => values.join("|"),
  regex: (values) => group(values.map(escapeRegex)),
  glob: (values) => (values.length > 1 ? `{${values.join(",")}}` : (values[0] ?? "")),
  json: (values) => JSON.stringify(values.length > 1 ? values : values[0]),
  singlequote: (values) => values.map((v) => `'${v.replace(/'/g, "\\'")}'`).join(","),
  doublequote: (values) => values.map((v) => `"${v.replace(/"/g, '\\"')}"`).join(","),
  percentencode: (values) => encodeURIComponent(values.join(",")),
  address: (values) => encodeURIComponent(values.join(",")),
};

function formatVariable(value: Value, format: string): string {
  if (value.raw !== undefined && format !== "text") return value.raw;
  const known = FORMATS[format];
  if (known) return known(value.values, value.texts);
  if (!value.many) return value.values.join(",");
  return group(value.values.map((v) => escapeText(escapeRegex(v))));
}

const group = (values: string[]): string => (values.length === 1 ? (values[0] ?? "") : `(${values.join("|")})`);

/** A value as a regular expression that matches it alone. */
export const escapeRegex = (value: string): string => value.replace(/[\\^$*+?.()|[\]{}]/g, "\\$&");

/** A text inside the double quotes of a query. */
export const escapeText = (value: string): string => value.replace(/[\\"]/g, "\\$&");

/** The name of a series by its template, such as {{service}}; by its labels where there is none. */
export function nameSeries(
  template: string | undefined,
  labels: Readonly<Record<string, string>>,
  expr: string,
): string {
  if (template && template !== "__auto") {
    const filled = template.replace(/\{\{\s*([^}]+?)\s*\}\}/g, (_, name: string) => labels[name] ?? "");
    if (filled.trim()) return filled;
  }
  const { __name__: metric = "", ...others } = labels;
  const listed = Object.entries(others).map(([name, value]) => `${name}="${value}"`);
  if (template === "__auto" && listed.length === 1 && !metric) return Object.values(others)[0] ?? "";
  return listed.length ? `${metric}{${listed.join(", ")}}` : metric || expr;
}
