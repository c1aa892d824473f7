// Calls to the server, which keeps the data sources' credentials to itself.

import type { Board, Source } from "./model.ts";

const page = globalThis.document;

/** The path below which the server is served, without a slash at its end: as the viewer says, or the page's base. */
export const base =
  page?.querySelector<HTMLMetaElement>('meta[name="viewer-base"]')?.content ??
  page?.querySelector("base")?.getAttribute("href")?.replace(/\/$/, "") ??
  "";

export interface Hit {
  uid: string;
  title: string;
  url: string;
  type: string;
  tags: string[];
  folderTitle?: string;
}

/** Asks for JSON; who is not signed in any more is sent to the login page. Throws Error with the server's words. */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const headers = { Accept: "application/json", ...init.headers };
  const answer = await fetch(base + path, { ...init, headers }).catch((error: Error) => {
    throw error instanceof TypeError ? new Error("the server does not answer") : error;
  });
  if (answer.status === 401 && answer.headers.has("X-Login")) {
    location.assign(`${base}/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    throw new Error("you are not signed in any more");
  }
  const text = await answer.text();
  const body = parse(text);
  if (!answer.ok) throw new Error(explain(body, text) || `${answer.status} ${answer.statusText}`);
  if (body === undefined) throw new Error("the answer is no JSON");
  return body as T;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function explain(body: unknown, text: string): string {
  const said = body as { error?: string; message?: string; errors?: { msg: string }[] } | undefined;
  return said?.error ?? said?.message ?? said?.errors?.[0]?.msg ?? text.slice(0, 300).trim();
}

/** Asks a data source through the server. */
export function askSource<T>(uid: string, path: string, query: URLSearchParams, options: AskOptions = {}): Promise<T> {
  const address = `/api/datasources/proxy/uid/${encodeURIComponent(uid)}/${path}`;
  if (options.post) return ask<T>(address, { method: "POST", body: query, signal: options.signal ?? null });
  const question = query.toString();
  return ask<T>(question ? `${address}?${question}` : address, { signal: options.signal ?? null });
}

export interface AskOptions {
  post?: boolean;
  signal?: AbortSignal | undefined;
}

export async function getBoard(uid: string): Promise<{ board: Board; folder: string }> {
  const answer = await ask<{ dashboard: Board; meta: { folderTitle: string } }>(
    `/api/dashboards/uid/${encodeURIComponent(uid)}`,
  );
  return { board: answer.dashboard, folder: answer.meta.folderTitle };
}

export const listSources = (): Promise<Source[]> => ask<Source[]>("/api/datasources");

export function findBoards(query: { tags?: string[]; words?: string }): Promise<Hit[]> {
  const wanted = new URLSearchParams({ type: "dash-db" });
  for (const tag of query.tags ?? []) wanted.append("tag", tag);
  if (query.words) wanted.set("query", query.words);
  return ask<Hit[]>(`/api/search?${wanted}`);
}
