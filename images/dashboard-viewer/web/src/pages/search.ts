// The search for traces: its form, and the traces in a list. The address has the whole search.

import { ask, base } from "../api.ts";
import { buildTimePicker } from "../board/timepicker.ts";
import {
  buildQuery,
  checkInput,
  describeSearch,
  formatTags,
  LIMITS,
  ORDERS,
  parseTags,
  readSearch,
  type Search,
  summarizeTrace,
  type Summary,
  writeSearch,
} from "../data/search.ts";
import { formatTime } from "../data/time.ts";
import type { RawTrace } from "../data/traces.ts";
import { formatValue } from "../data/units.ts";
import { h } from "../dom.ts";
import { assignPairs } from "../theme.ts";
import { count } from "./spans.ts";

const ADVICE = "A longer time, fewer tags, a shorter duration or all operations let more through.";

interface Answer<T> {
  data: T | null;
}

/** The services that sent spans, by the alphabet, so that each has the same colour on all pages. */
export async function listServices(): Promise<string[]> {
  const services = ((await ask<Answer<string[]>>("/api/services")).data ?? []).sort();
  assignPairs(services);
  return services;
}

async function listOperations(service: string): Promise<string[]> {
  const words = new URLSearchParams({ service });
  const { data } = await ask<Answer<{ name: string }[]>>(`/api/operations?${words}`);
  return [...new Set((data ?? []).map(({ name }) => name))].sort();
}

async function listTraces(search: Search): Promise<Summary[]> {
  const { data } = await ask<Answer<RawTrace[]>>(`/api/traces?${buildQuery(search, Date.now())}`);
  return (data ?? []).map(summarizeTrace).filter((trace) => trace !== undefined);
}

/** Shows the search that the address names; without one, the latest traces of the first service. */
export async function showSearch(main: HTMLElement): Promise<void> {
  document.title = "Traces · Jaeger";
  const services = await listServices();
  const head = h("div", { class: "board-head" }, h("h1", {}, "Traces"));
  if (services.length === 0) return main.replaceChildren(head, ...buildFirstSteps());
  const results: Results = {
    status: h("p", { role: "status" }), // said aloud when it changes
    list: h("section", { "aria-label": "Traces" }),
  };
  const read = (): Search => readSearch(new URLSearchParams(location.search), services[0]);
  const go = (search: Search): void => {
    history.pushState(null, "", `${base}/search?${writeSearch(search, Date.now())}`);
    void fillResults(results, search);
  };
  const form = h("div", {});
  const draw = (): Promise<void> => {
    form.replaceChildren(buildForm(read(), services, go));
    return fillResults(results, read());
  };
  addEventListener("popstate", () => void draw());
  main.replaceChildren(head, form, results.status, results.list);
  await draw();
}

function buildFirstSteps(): HTMLElement[] {
  return [
    h("p", {}, "No service has sent a span yet."),
    h(
      "p",
      { class: "hint" },
      "Services send their spans to jaeger:4317 (OTLP over gRPC) or jaeger:4318 (OTLP over HTTP), as by",
    ),
    h("pre", {}, "OTEL_EXPORTER_OTLP_ENDPOINT=http://jaeger:4318"),
    h("p", {}, h("button", { type: "button", class: "choice", on: { click: () => location.reload() } }, "Look again")),
  ];
}

// -- the form --------------------------------------------------------------------------------------------------------

function buildForm(search: Search, services: readonly string[], go: (search: Search) => void): HTMLElement {
  let range = search.range;
  const service = buildChoice("service", [...new Set([...services, search.service])], search.service);
  const operation = buildChoice("operation", [""], search.operation);
  const limit = buildChoice("limit", [...new Set([...LIMITS, search.limit])].map(String), String(search.limit));
  const tags = h("input", { name: "tags", value: formatTags(search.tags), placeholder: "error=true", size: "24" });
  const least = h("input", { name: "minDuration", value: search.minDuration, placeholder: "100ms", size: "7" });
  const wrong = h("p", { class: "failed", role: "alert" });
  const submit = (event?: Event): void => {
    event?.preventDefault();
    const minDuration = least.value.trim();
    wrong.textContent = checkInput(tags.value, minDuration);
    if (wrong.textContent) return;
    const wanted = { tags: parseTags(tags.value) ?? {}, minDuration, range, limit: Number(limit.value) };
    go({ service: service.value, operation: operation.value, ...wanted });
  };
  const times = h("div", {});
  const pick = (next: Search["range"]): void => {
    range = next;
    times.replaceChildren(buildTimePicker(range, pick));
    submit();
    times.querySelector<HTMLElement>("[popovertarget]")?.focus();
  };
  times.append(buildTimePicker(range, pick));
  void fillOperations(operation, service.value, search.operation);
  service.addEventListener("change", () => void fillOperations(operation, service.value, ""));
  const label = (name: string, field: HTMLElement, size = ""): HTMLElement =>
    h("label", { class: `field ${size}` }, name, field);
  return h(
    "form",
    { class: "toolbar search", role: "search", on: { submit } },
    label("Service", service),
    label("Operation", operation),
    label("Tags", tags),
    label("Min duration", least),
    label("Limit", limit, "short"),
    times,
    h("button", { type: "submit", class: "choice strong" }, "Find traces"),
    wrong,
  );
}

function buildChoice(name: string, values: readonly string[], chosen: string): HTMLSelectElement {
  const select = h("select", { name });
  fillChoice(select, values, chosen);
  return select;
}

function fillChoice(select: HTMLSelectElement, values: readonly string[], chosen: string): void {
  const options = values.map((value) => h("option", { value, selected: value === chosen }, value || "all"));
  select.replaceChildren(...options);
}

/** A list that cannot be had leaves the choice as it is: the search says what is wrong. */
async function fillOperations(select: HTMLSelectElement, service: string, chosen: string): Promise<void> {
  fillChoice(select, [...new Set(["", chosen])], chosen);
  const names = await listOperations(service).catch(() => []);
  fillChoice(select, [...new Set(["", ...names, chosen])], chosen);
}

// -- the list --------------------------------------------------------------------------------------------------------

interface Results {
  status: HTMLElement;
  list: HTMLElement;
}

let latest = 0;

/** Fills in what a search leads to, unless another one began meanwhile. */
async function fillResults(results: Results, search: Search): Promise<void> {
  const own = ++latest;
  const show = (status: string, ...content: HTMLElement[]): void => {
    if (own !== latest) return;
    results.status.textContent = status;
    results.list.replaceChildren(...content);
  };
  results.status.textContent = "Loading";
  try {
    const traces = await listTraces(search);
    const nothing = `No trace fits: ${describeSearch(search)}.`;
    if (traces.length === 0) return show(nothing, h("p", { class: "hint" }, ADVICE));
    const more = traces.length >= search.limit ? ", and maybe more: the limit is reached" : "";
    show(count(traces.length, "trace") + more, ...buildResults(traces));
  } catch (error) {
    show("", buildFailure(error as Error, () => void fillResults(results, search)));
  }
}

/** What went wrong in words, and another try. */
export function buildFailure(error: Error, again: () => void): HTMLElement {
  return h(
    "div",
    { class: "nothing" },
    h("p", { class: "failed", role: "alert" }, `Traces cannot be shown: ${error.message}.`),
    h("button", { type: "button", class: "choice", on: { click: again } }, "Try again"),
  );
}

function buildResults(traces: readonly Summary[]): HTMLElement[] {
  const list = h("ol", { class: "traces" });
  const order = h("select", {}, ...Object.keys(ORDERS).map((name) => h("option", {}, name)));
  const longest = Math.max(...traces.map((trace) => trace.length));
  const fill = (): void => {
    const sorted = [...traces].sort(ORDERS[order.value as keyof typeof ORDERS]);
    list.replaceChildren(...sorted.map((trace) => buildEntry(trace, longest)));
  };
  order.addEventListener("change", fill);
  fill();
  return [h("label", { class: "toolbar" }, "Order", order), list];
}

function buildEntry(trace: Summary, longest: number): HTMLElement {
  const colors = assignPairs(trace.services.map(([service]) => service));
  const services = trace.services.map(([service, spans], i) =>
    h(
      "span",
      { class: "service" },
      h("i", { class: "swatch", style: { background: colors[i] ?? "" } }),
      service,
      h("small", {}, String(spans)),
    ),
  );
  const width = `${Math.min((trace.length / (longest || 1)) * 100, 100)}%`;
  return h(
    "li",
    { class: trace.failed > 0 ? "panel bad" : "panel" },
    h(
      "a",
      { href: `${base}/trace/${encodeURIComponent(trace.id)}` },
      h("span", { class: "trace-name" }, h("b", {}, trace.service), ` ${trace.name}`),
      h("span", { class: "number" }, formatValue(trace.length, "ms")),
      h("span", { class: "length", "aria-hidden": "true" }, h("i", { style: { width } })),
      h(
        "span",
        { class: "facts" },
        h("time", {}, formatTime(trace.start)),
        h("span", {}, count(trace.spans, "span")),
        trace.failed > 0 && h("span", { class: "failed" }, `${trace.failed} failed`),
        ...services,
      ),
    ),
  );
}
