// Values as text with their units, by Grafana's unit ids: those that our dashboards use, and their neighbours.
// https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/#unit

interface Formatted {
  /** With the unit before it where that is its place, such as ₹. */
  value: string;
  unit: string;
}

type Format = (value: number, decimals: number | undefined) => Formatted;

/** Digits behind the point that leave three significant ones, or so many as asked for. */
export function formatNumber(value: number, decimals?: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001 && decimals === undefined) return trimNumber(value.toPrecision(2));
  const digits = decimals ?? (size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
  return decimals === undefined ? trimNumber(value.toFixed(digits)) : value.toFixed(digits);
}

const trimNumber = (text: string): string =>
  text.includes("e") || !text.includes(".") ? text : text.replace(/\.?0+$/, "");

/** Steps of one factor: 1000 or 1024 of a name make one of the next. */
function scale(factor: number, names: readonly string[], after = "", start = 0): Format {
  return (value, decimals) => {
    let left = value;
    let index = start;
    // what would be written as a whole factor belongs to the next name
    while (Math.abs(left) >= factor * 0.9995 && index < names.length - 1) {
      left /= factor;
      index += 1;
    }
    return { value: formatNumber(left, decimals), unit: `${names[index] ?? ""}${after}`.trimEnd() };
  };
}

/** Names with the size of each in one base: the greatest that is not above the value is taken. */
function ladder(steps: readonly (readonly [number, string])[], factor = 1): Format {
  return (value, decimals) => {
    const size = Math.abs(value) * factor;
    const fitting = steps.filter(([least]) => size >= least * 0.9995).at(-1) ?? steps[0];
    if (!fitting || value === 0) return { value: formatNumber(0, decimals), unit: findBase(steps, factor) };
    return { value: formatNumber((value * factor) / fitting[0], decimals), unit: fitting[1] };
  };
}

const findBase = (steps: readonly (readonly [number, string])[], factor: number): string =>
  steps.find(([size]) => size === factor)?.[1] ?? "";

const SHORT = ["", "K", "Mil", "Bil", "Tri"];
const SI = ["", "k", "M", "G", "T", "P"];
const DURATION = [
  [1e-9, "ns"],
  [1e-6, "µs"],
  [1e-3, "ms"],
  [1, "s"],
  [60, "min"],
  [3600, "h"],
  [86400, "d"],
  [604800, "wk"],
  [31536000, "yr"],
] as const;
const short = scale(1000, SHORT);
const simple =
  (unit: string, factor = 1): Format =>
  (value, decimals) => ({
    value: formatNumber(value * factor, decimals),
    unit,
  });
const rate =
  (unit: string): Format =>
  (value, decimals) => {
    const { value: text, unit: size } = scale(1000, SI)(value, decimals);
    return { value: text, unit: `${size}${unit}` };
  };
const binary = (unit: string, after = ""): Format =>
  scale(
    1024,
    ["", "Ki", "Mi", "Gi", "Ti", "Pi"].map((p) => p + unit),
    after,
  );
const decimal = (unit: string, after = ""): Format =>
  scale(
    1000,
    SI.map((p) => p + unit),
    after,
  );
const money =
  (sign: string): Format =>
  (value, decimals) => {
    const { value: text, unit } = short(Math.abs(value), decimals);
    return { value: `${value < 0 ? "-" : ""}${sign}${text}`, unit };
  };
const duration = (factor: number): Format => ladder(DURATION, factor);
const whole =
  (make: (value: number) => string): Format =>
  (value) => ({ value: make(value), unit: "" });
const words = (yes: string, no: string): Format => whole((value) => (value ? yes : no));

function formatClock(seconds: number): string {
  const [d, h, m, s] = [86400, 3600, 60, 1].map((size, i) =>
    Math.floor((i ? seconds % ([86400, 3600, 60][i - 1] ?? 1) : seconds) / size),
  );
  const two = (n = 0): string => String(n).padStart(2, "0");
  return `${d ? `${d}d ` : ""}${two(h)}:${two(m)}:${two(s)}`;
}

const FORMATS: Record<string, Format> = {
  none: simple(""),
  string: simple(""),
  short,
  percent: simple("%"),
  percentunit: simple("%", 100),
  s: duration(1),
  ms: duration(1e-3),
  µs: duration(1e-6),
  ns: duration(1e-9),
  m: duration(60),
  h: duration(3600),
  d: duration(86400),
  dtdurations: duration(1),
  clocks: whole(formatClock),
  bytes: binary("B"),
  decbytes: decimal("B"),
  kbytes: scale(1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], "", 1),
  mbytes: scale(1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"], "", 2),
  bits: binary("b"),
  decbits: decimal("b"),
  Bps: decimal("B/s"),
  binBps: binary("B/s"),
  bps: decimal("b/s"),
  binbps: binary("b/s"),
  pps: rate(" p/s"),
  reqps: rate(" req/s"),
  rps: rate(" rd/s"),
  wps: rate(" wr/s"),
  ops: rate(" ops/s"),
  iops: rate(" io/s"),
  cps: rate(" c/s"),
  opm: rate(" ops/min"),
  rpm: rate(" rd/min"),
  cpm: rate(" c/min"),
  hertz: decimal("Hz"),
  celsius: simple("°C"),
  watt: decimal("W"),
  volt: decimal("V"),
  currencyINR: money("₹"),
  currencyUSD: money("$"),
  currencyEUR: money("€"),
  currencyGBP: money("£"),
  bool: words("True", "False"),
  bool_yes_no: words("Yes", "No"),
  bool_on_off: words("On", "Off"),
  dateTimeAsIso: whole((ms) => new Date(ms).toLocaleString("sv")),
  dateTimeFromNow: whole((ms) => describeAgo((Date.now() - ms) / 1000)),
};

function describeAgo(seconds: number): string {
  const { value, unit } = duration(1)(Math.abs(seconds), 0);
  return seconds >= 0 ? `${value} ${unit} ago` : `in ${value} ${unit}`;
}

/** A value with its unit, in two parts; an unknown unit is shown as it is. */
export function splitValue(value: number, unit = "short", decimals?: number | null): Formatted {
  if (Number.isNaN(value)) return { value: "NaN", unit: "" };
  if (!Number.isFinite(value)) return { value: value > 0 ? "∞" : "-∞", unit: "" };
  return pickFormat(unit)(value, decimals ?? undefined);
}

function pickFormat(unit: string): Format {
  const known = FORMATS[unit || "none"];
  if (known) return known;
  const affix = /^(prefix|suffix|si|currency):(.*)$/s.exec(unit);
  if (affix?.[1] === "prefix" || affix?.[1] === "currency")
    return (value, decimals) => ({ value: `${affix[2]}${formatNumber(value, decimals)}`, unit: "" });
  if (affix?.[1] === "si") return decimal(affix[2] ?? "");
  return simple(affix?.[2] ?? unit);
}

/** A value with its unit as one text: 1.5 GiB, 12%, ₹1.2 K. */
export function formatValue(value: number, unit?: string, decimals?: number | null): string {
  const parts = splitValue(value, unit, decimals);
  return joinUnit(parts.value, parts.unit);
}

export function joinUnit(value: string, unit: string): string {
  if (!unit) return value;
  return /^[%°]/.test(unit) || unit.startsWith(" ") ? `${value}${unit}` : `${value} ${unit}`;
}

/** Whether ticks of an axis fall on powers of two. */
export const isBinary = (unit = ""): boolean => /^(bytes|bits|kbytes|mbytes|binBps|binbps)$/.test(unit);
