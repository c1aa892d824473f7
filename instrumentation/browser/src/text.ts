/** What is left of texts and addresses before they are sent: no query, no fragment, no login, a bounded length. */

const ADDRESS = /\b[a-z][a-z\d+.-]*:\/\/[^\s"'`<>]+/gi;
const RELATIVE_QUERY = /[?#][^\s"'`<>?#=]*=[^\s"'`<>]*/g;
const INLINE_DATA = /\bdata:[^\s"'`<>]+/gi;
const WHERE = /^([^?#]*)[?#].*?((?::\d+){0,2})$/;
const LOGIN = /^([a-z][a-z\d+.-]*:\/\/)[^/@]*@/i;

/** The text up to `most` characters; half of a surrogate pair is left out. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = /[\uD800-\uDBFF]/.test(text.charAt(most - 1)) ? most - 1 : most;
  return text.slice(0, end);
}

/** A text in which addresses have no query, fragment or login; `:line:column` at the end of one stays. */
export function cleanText(text: string, most: number): string {
  // what is cut before cleaning bounds the work; twice as much, as cleaning makes texts shorter
  const cleaned = cut(text, most * 2)
    .replace(ADDRESS, cleanAddress)
    .replace(RELATIVE_QUERY, "")
    .replace(INLINE_DATA, "data:");
  return cut(cleaned, most);
}

function cleanAddress(address: string): string {
  const parts = WHERE.exec(address);
  return (parts ? `${parts[1]}${parts[2]}` : address).replace(LOGIN, "$1");
}

const NUMBER = /^\d+$/;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const LONG = /^(?=.*\d)[\w~-]{16,}$/;
const PERSON = /@|%40/;

/** A path whose segments that name one thing or person (numbers, UUIDs, long keys, mail addresses) are `{id}`. */
export function cleanPath(path: string): string {
  const parts = path.split("/").map((part) => ([NUMBER, UUID, LONG, PERSON].some((way) => way.test(part)) ? "{id}" : part));
  return cut(parts.join("/"), 200);
}

/** An address without login, query and fragment and with a clean path; empty where it is none of http or https. */
export function cleanUrl(address: string): string {
  const url = parseUrl(address);
  return url && /^https?:$/.test(url.protocol) ? url.origin + cleanPath(url.pathname) : "";
}

/** An absolute address, or one that is relative to the page. */
export function parseUrl(address: string): URL | undefined {
  try {
    return new URL(address, typeof document === "undefined" ? undefined : document.baseURI);
  } catch {
    return undefined;
  }
}

export type Context = Record<string, string>;

/** At most 16 entries of 256 characters each; what is neither text, number nor boolean is left out. */
export function boundContext(context: unknown): Context {
  if (typeof context !== "object" || context === null) return {};
  const usable = Object.entries(context).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  return Object.fromEntries(usable.slice(0, 16).map(([key, value]) => [cut(key, 64), cleanText(String(value), 256)]));
}
