// The choice of a variable's values.

import { ALL, type Option, type Variable } from "../data/variables.ts";
import { h } from "../dom.ts";
import { buildMenu } from "./menu.ts";

/** From so many options on they can be searched. */
const MANY = 8;

export function buildPicker(variable: Variable, change: (variable: Variable) => void): HTMLElement | null {
  const { model } = variable;
  if (model.hide === 2 || model.type === "constant") return null;
  const name = model.label || model.name;
  const label = h("span", { class: model.hide === 1 ? "unseen" : "variable-name" }, name);
  return h("div", { class: "variable" }, label, buildControl(variable, name, change));
}

function buildControl(variable: Variable, name: string, change: (variable: Variable) => void): HTMLElement {
  const { model, error } = variable;
  if (error) return h("span", { class: "failed", role: "alert", title: error }, "no choice: ", error);
  if (model.type === "textbox") return buildText(variable, name, change);
  if (model.type === "adhoc") return h("span", { class: "hint" }, "filters by hand are not offered by this viewer");
  const text = describeChoice(variable);
  return buildMenu({ label: text, name: `${name}: ${text}`, build: (close) => buildOptions(variable, change, close) });
}

function buildText(variable: Variable, name: string, change: (variable: Variable) => void): HTMLElement {
  const input = h("input", { value: variable.chosen[0] ?? "", "aria-label": name });
  input.addEventListener("change", () => {
    variable.chosen = [input.value];
    change(variable);
  });
  return input;
}

export function describeChoice({ chosen, options }: Variable): string {
  if (chosen.includes(ALL)) return "All";
  const texts = chosen.map((value) => options.find((option) => option.value === value)?.text ?? value);
  return texts.length > 2 ? `${texts.slice(0, 2).join(" + ")} + ${texts.length - 2} more` : texts.join(" + ") || "None";
}

type Change = (variable: Variable) => void;

function buildOptions(variable: Variable, change: Change, close: () => void): Node[] {
  const { model } = variable;
  const options: Option[] = model.includeAll ? [{ text: "All", value: ALL }, ...variable.options] : variable.options;
  const list = h("ul", { class: "options" });
  const build = (option: Option): HTMLElement =>
    model.multi ? buildCheck(option, variable, list, change) : buildChoice(option, variable, change, close);
  const fill = (words: string): void =>
    list.replaceChildren(
      ...options.filter((o) => o.text.toLowerCase().includes(words)).map((o) => h("li", {}, build(o))),
    );
  fill("");
  if (options.length === 0) list.append(h("li", { class: "empty" }, "No options"));
  if (options.length < MANY) return [list];
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search the options" });
  search.addEventListener("input", () => fill(search.value.toLowerCase()));
  return [search, list];
}

function buildChoice(option: Option, variable: Variable, change: Change, close: () => void): HTMLElement {
  const press = (): void => {
    close();
    variable.chosen = [option.value];
    change(variable);
  };
  const current = variable.chosen.includes(option.value) ? "true" : null;
  return h("button", { type: "button", "aria-current": current, on: { click: press } }, option.text);
}

function buildCheck(option: Option, variable: Variable, list: HTMLElement, change: Change): HTMLElement {
  const { value } = option;
  const box = h("input", { type: "checkbox", value, checked: variable.chosen.includes(value) });
  box.addEventListener("change", () => {
    variable.chosen = toggle(variable.chosen, value, box.checked, Boolean(variable.model.includeAll));
    for (const other of list.querySelectorAll("input")) other.checked = variable.chosen.includes(other.value);
    change(variable);
  });
  return h("label", {}, box, option.text);
}

/** All excludes the rest; with nothing left it is All again, where there is one. */
export function toggle(chosen: readonly string[], value: string, on: boolean, all: boolean): string[] {
  if (value === ALL) return on ? [ALL] : [...chosen];
  const others = chosen.filter((other) => other !== value && other !== ALL);
  const next = on ? [...others, value] : others;
  return next.length || !all ? next : [ALL];
}
