// Elements without markup: whatever text comes from elsewhere stays text.

type Child = Node | string | null | undefined | false;

export interface Props {
  class?: string;
  /** Set one by one in the object model, as the Content-Security-Policy allows no style attributes. */
  style?: Record<string, string>;
  on?: { [name: string]: (event: Event) => void };
  [attribute: string]: unknown;
}

const SVG = "http://www.w3.org/2000/svg";

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]) {
  return fill(document.createElement(tag), props, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]) {
  return fill(document.createElementNS(SVG, tag) as SVGElementTagNameMap[K], props, children);
}

function fill<T extends HTMLElement | SVGElement>(element: T, props: Props, children: Child[]): T {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "style") setStyle(element, value as Record<string, string>);
    else if (name === "on") listen(element, value as Record<string, (event: Event) => void>);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

function setStyle(element: HTMLElement | SVGElement, style: Record<string, string>): void {
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
}

function listen(element: Element, on: Record<string, (event: Event) => void>): void {
  for (const [name, handler] of Object.entries(on)) element.addEventListener(name, handler);
}

/** Only addresses that cannot run anything: http, https and paths of this host. */
export function safeHref(address: string): string | undefined {
  if (!URL.canParse(address, location.origin)) return undefined;
  return /^https?:$/.test(new URL(address, location.origin).protocol) ? address : undefined;
}
