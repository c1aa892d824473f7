// Text that a dashboard brings along. HTML is shown as the text that it is: nothing of a file is run or styled.

import { interpolate } from "../data/interpolate.ts";
import { type Block, type Inline, parseMarkdown } from "../data/markdown.ts";
import { h, safeHref } from "../dom.ts";
import { type Draw, readOptions } from "./kind.ts";

interface Options {
  mode: string;
  content: string;
}

export const drawText: Draw = (host, view) => {
  const { mode = "markdown", content = "" } = readOptions<Options>(view.panel);
  const text = interpolate(content, view.scope, "text");
  const body = h("div", { class: "text", tabindex: "0", role: "region", "aria-label": view.panel.title || "Text" });
  if (mode === "code") body.append(h("pre", {}, text));
  else for (const block of parseMarkdown(mode === "html" ? readMarkup(text) : text)) body.append(buildBlock(block));
  host.append(body);
};

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', nbsp: " " };

/** The text of markup: it is never made into elements. */
const readMarkup = (markup: string): string =>
  markup.replace(/<[^>]*>/g, "").replace(/&(\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);

function buildBlock(block: Block): HTMLElement {
  switch (block.kind) {
    case "heading":
      return h(`h${Math.min(block.level + 2, 6)}` as "h3", {}, ...block.content.map(buildInline));
    case "list":
      return h(block.ordered ? "ol" : "ul", {}, ...block.items.map((item) => h("li", {}, ...item.map(buildInline))));
    case "code":
      return h("pre", {}, block.text);
    default:
      return h("p", {}, ...block.content.map(buildInline));
  }
}

function buildInline(part: Inline): Node {
  if (part.kind === "text") return document.createTextNode(part.text);
  if (part.kind !== "link") return h(part.kind, {}, part.text);
  const href = safeHref(part.href);
  return href ? h("a", { href, rel: "noreferrer" }, part.text) : document.createTextNode(part.text);
}
