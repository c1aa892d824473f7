// A small part of Markdown as a tree: headings, lists, paragraphs, code, and in them links, bold, italics and code.

export type Inline =
  { kind: "text" | "code" | "strong" | "em"; text: string } | { kind: "link"; text: string; href: string };
export type Block =
  | { kind: "heading"; level: number; content: Inline[] }
  | { kind: "paragraph"; content: Inline[] }
  | { kind: "list"; ordered: boolean; items: Inline[][] }
  | { kind: "code"; text: string };

export function parseMarkdown(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.replaceAll("\r\n", "\n").split("\n");
  for (let i = 0; i < lines.length;) i = takeBlock(lines, i, blocks);
  return blocks;
}

function takeBlock(lines: readonly string[], at: number, blocks: Block[]): number {
  const line = lines[at] ?? "";
  if (!line.trim()) return at + 1;
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (heading) {
    blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, content: parseInline(heading[2] ?? "") });
    return at + 1;
  }
  if (line.startsWith("```")) {
    const end = lines.findIndex((other, i) => i > at && other.startsWith("```"));
    blocks.push({ kind: "code", text: lines.slice(at + 1, end < 0 ? undefined : end).join("\n") });
    return end < 0 ? lines.length : end + 1;
  }
  const item = /^\s*(?:[-*+]|(\d+)\.)\s+/;
  const first = item.exec(line);
  const end = findEnd(lines, at, (other) =>
    first ? !item.test(other) : !other.trim() || item.test(other) || /^(#|```)/.test(other),
  );
  const taken = lines.slice(at, end);
  if (first)
    blocks.push({
      kind: "list",
      ordered: first[1] !== undefined,
      items: taken.map((other) => parseInline(other.replace(item, ""))),
    });
  else blocks.push({ kind: "paragraph", content: parseInline(taken.join(" ")) });
  return end;
}

function findEnd(lines: readonly string[], at: number, ends: (line: string) => boolean): number {
  const end = lines.findIndex((line, i) => i > at && ends(line));
  return end < 0 ? lines.length : end;
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|__([^_]+)__|\*([^*]+)\*|\[([^\]]+)\]\(([^)\s]+)\)|(https?:\/\/[^\s)]+)/g;

export function parseInline(text: string): Inline[] {
  const parts: Inline[] = [];
  let done = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > done) parts.push({ kind: "text", text: text.slice(done, match.index) });
    const [whole, code, bold, strong, em, label, href, bare] = match;
    if (code) parts.push({ kind: "code", text: code });
    else if (bold ?? strong) parts.push({ kind: "strong", text: bold ?? strong ?? "" });
    else if (em) parts.push({ kind: "em", text: em });
    else parts.push({ kind: "link", text: label ?? bare ?? "", href: href ?? bare ?? "" });
    done = match.index + whole.length;
  }
  if (done < text.length) parts.push({ kind: "text", text: text.slice(done) });
  return parts;
}
