// The pages that Jaeger serves where its own are not part of it: a search for traces, and one of them.

import { ask, base } from "./api.ts";
import { listSpans, type RawTrace } from "./data/traces.ts";
import { h } from "./dom.ts";
import { buildFailure, listServices, showSearch } from "./pages/search.ts";
import { buildHead, buildTree } from "./pages/spans.ts";
import { applyTheme } from "./theme.ts";
import { buildTop } from "./top.ts";
import "./base.css";
import "./trace.css";

const NAME = "Traces · Jaeger";
/** In the words of Jaeger. */
const ABSENT = "trace not found";

async function showTrace(id: string, main: HTMLElement): Promise<void> {
  document.title = `Trace ${id} · Jaeger`;
  const [{ data }] = await Promise.all([
    ask<{ data: RawTrace[] }>(`/api/traces/${encodeURIComponent(id)}`),
    listServices().catch(() => []), // for colours alone
  ]);
  const spans = data[0] ? listSpans(data[0]) : [];
  if (spans.length === 0) throw new Error(ABSENT);
  document.title = `${spans[0]?.service}: ${spans[0]?.name} · Jaeger`;
  main.replaceChildren(buildHead(id, spans), buildTree(spans));
}

function route(main: HTMLElement): Promise<void> {
  const [, id] = /^\/trace\/([^/]+)/.exec(location.pathname.slice(base.length)) ?? [];
  return id ? showTrace(decodeURIComponent(id), main) : showSearch(main);
}

function explain(error: Error): Error {
  if (error.message !== ABSENT) return error;
  return new Error("there is none with this id. It has expired, was not sampled, or has not arrived yet");
}

function load(main: HTMLElement): void {
  document.title = NAME;
  main.replaceChildren(h("p", { class: "empty" }, "Loading"));
  route(main).catch((error: Error) => {
    const heading = h("div", { class: "board-head" }, h("h1", {}, "Traces"));
    main.replaceChildren(heading, buildFailure(explain(error), () => load(main)));
  });
}

function buildOpener(): HTMLElement {
  const id = h("input", { "aria-label": "Id of a trace", placeholder: "Id of a trace", size: "18" });
  const submit = (event: Event): void => {
    event.preventDefault();
    if (id.value.trim()) location.assign(`${base}/trace/${encodeURIComponent(id.value.trim())}`);
  };
  return h("form", { class: "opener", on: { submit } }, id, h("button", { type: "submit", class: "choice" }, "Open"));
}

applyTheme();
const main = h("main", { id: "main", tabindex: "-1" });
const about = "Small pages on Jaeger's API. Jaeger's own interface comes with its upstream image.";
document.body.replaceChildren(
  buildTop({ name: "the traces", main, links: { Traces: `${base}/search` } }, buildOpener()),
  main,
  h("footer", { class: "hint" }, about),
);
load(main);
