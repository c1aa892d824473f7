// All dashboards by their folders, with a search; and what is wrong with what is provisioned.

import { ask, findBoards, type Hit } from "../api.ts";
import { h } from "../dom.ts";

export async function showList(main: HTMLElement): Promise<void> {
  document.title = "Dashboards";
  const [hits, state] = await Promise.all([
    findBoards({}),
    ask<{ warnings: string[]; complaint: string }>("/api/viewer/warnings"),
  ]);
  const results = h("div", { class: "folders" });
  const search = h("input", {
    type: "search",
    placeholder: "Search by name or tag",
    "aria-label": "Search dashboards",
  });
  const fill = (): void => results.replaceChildren(...buildFolders(hits, search.value.toLowerCase().trim()));
  search.addEventListener("input", fill);
  fill();
  main.replaceChildren(
    h("div", { class: "board-head" }, h("h1", {}, "Dashboards")),
    h("div", { class: "toolbar" }, search),
    state.complaint && h("p", { class: "failed", role: "alert" }, `Dashboards on disk are refused: ${state.complaint}`),
    ...state.warnings.map((warning) => h("p", { class: "failed" }, warning)),
    results,
  );
}

function buildFolders(hits: readonly Hit[], words: string): HTMLElement[] {
  const matching = hits.filter((hit) => `${hit.title} ${hit.tags.join(" ")}`.toLowerCase().includes(words));
  if (matching.length === 0) return [h("p", { class: "empty" }, "No dashboards")];
  const folders = Map.groupBy(matching, (hit) => hit.folderTitle ?? "General");
  return [...folders].map(([folder, inside]) =>
    h("section", {}, h("h2", {}, folder), h("ul", { class: "boards" }, ...inside.map(buildEntry))),
  );
}

const buildEntry = (hit: Hit): HTMLElement =>
  h("li", {}, h("a", { href: hit.url }, hit.title), h("small", {}, hit.tags.join(", ")));
