// A button that opens a box of choices; the browser closes it with Escape or a press elsewhere, and gives the
// focus back.

import { h } from "../dom.ts";
import { buildIcon } from "../icons.ts";

export interface Menu {
  label: string | Node;
  /** What it is called where the label does not say it. */
  name?: string;
  /** Without a frame, as in a panel's heading. */
  plain?: boolean;
  /** The content, made anew at each opening. */
  build: (close: () => void) => Node[];
}

let count = 0;

export function buildMenu({ label, name, plain, build }: Menu): HTMLElement {
  const id = `menu-${++count}`;
  const box = h("div", { id, class: "menu", popover: "auto" });
  const button = h(
    "button",
    {
      type: "button",
      class: plain ? "icon" : "choice",
      popovertarget: id,
      "aria-label": name ?? null,
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
    },
    label,
    !plain && buildIcon("down"),
  );
  box.addEventListener("beforetoggle", (event) => {
    const open = (event as ToggleEvent).newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (open) box.replaceChildren(...build(() => box.hidePopover()));
  });
  box.addEventListener("toggle", (event) => {
    if ((event as ToggleEvent).newState !== "open") return;
    place(box, button);
    const current = box.querySelector<HTMLElement>("[aria-current]");
    (current ?? box.querySelector<HTMLElement>("input, a, button"))?.focus();
  });
  return h("span", { class: "menu-holder" }, button, box);
}

/** Below its button, inside the window. */
function place(box: HTMLElement, button: HTMLElement): void {
  const at = button.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  box.style.left = `${Math.max(Math.min(at.left, innerWidth - width - 8), 8)}px`;
  const below = at.bottom + 4 + height < innerHeight || at.top < height;
  box.style.top = `${below ? Math.min(at.bottom + 4, Math.max(innerHeight - height - 8, 8)) : at.top - height - 4}px`;
}
