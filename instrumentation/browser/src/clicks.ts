/** What people press, by a name that whoever wrote the page chose: never its text, never the value of an input. */

import { attempt } from "./client.ts";
import { cut } from "./text.ts";

const NAMED = "[data-telemetry]";
const PRESSED = "button, a, input, select, textarea, label, summary, [role=button], [role=link], [role=tab], [role=menuitem]";

/** What is read of an element. */
export interface Pressed {
  readonly tagName: string;
  readonly id: string;
  getAttribute(name: string): string | null;
  closest(selector: string): Pressed | null;
}

/** The name of what was pressed: `data-telemetry` of it or of what is around it, else its tag and id. */
export function nameElement(element: Pressed): string {
  const name = element.closest(NAMED)?.getAttribute("data-telemetry");
  if (name) return cut(name, 64);
  const pressed = element.closest(PRESSED) ?? element;
  const id = pressed.id ? `#${pressed.id}` : "";
  return cut(`${pressed.tagName.toLowerCase()}${id}`, 64);
}

/** Call `send` with the name of each element that is pressed. */
export function listenForClicks(send: (name: string) => void): void {
  const options = { capture: true, passive: true };
  document.addEventListener("click", ({ target }) => attempt(() => target instanceof Element && send(nameElement(target))), options);
}
