// Dashboards by their tags or words.

import { findBoards, type Hit } from "../api.ts";
import { carryOn } from "../board/address.ts";
import { h } from "../dom.ts";
import { type Draw, readOptions } from "./kind.ts";

interface Options {
  tags: string[];
  query: string;
  maxItems: number;
  keepTime: boolean;
  includeVars: boolean;
  showSearch: boolean;
  showHeadings: boolean;
}

export const drawDashlist: Draw = (host, view) => {
  const options = readOptions<Options>(view.panel);
  const list = h("ul", { class: "boards" });
  host.append(list);
  if (options.showSearch === false) {
    list.append(
      h("li", { class: "empty" }, "Only searches are listed here: nobody has starred or recently seen dashboards"),
    );
    return;
  }
  findBoards({ tags: options.tags ?? [], words: options.query ?? "" }).then(
    (hits) => list.replaceChildren(...hits.slice(0, options.maxItems ?? 10).map((hit) => buildEntry(hit, options))),
    (error: Error) => list.replaceChildren(h("li", { role: "alert" }, error.message)),
  );
};

const buildEntry = (hit: Hit, options: Partial<Options>): HTMLElement =>
  h(
    "li",
    {},
    h("a", { href: carryOn(hit.url, Boolean(options.keepTime), Boolean(options.includeVars)) }, hit.title),
    hit.folderTitle && h("small", {}, hit.folderTitle),
  );
