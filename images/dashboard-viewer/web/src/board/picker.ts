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

function buildOptions(variable: Variable, change: (variable: Variable) => void, close: () => void): Node[] {
  const { model } = variable;
  const options: Option[] = model.includeAll ? [{ text: "All", value: ALL }, ...variable.options] : variable.options;
  const list = h("ul", { class: "options" });
  const fill = (words: string): void =>
    list.replaceChildren(
      ...options
        .filter((o) => o.text.toLowerCase().includes(words))
        .map((o) => h("li", {}, model.multi ? buildCheck(o) : buildChoice(o))),
    );
  const buildChoice = (option: Option): HTMLElement => {
    const press = (): void => {
      close();
      variable.chosen = [option.value];
      change(variable);
    };
    return h(
      "button",
      { type: "button", "aria-current": variable.chosen.includes(option.value) ? "true" : null, on: { click: press } },
      option.text,
    );
  };
  const buildCheck = (option: Option): HTMLElement => {
    const box = h("input", { type: "checkbox", checked: variable.chosen.includes(option.value) });
    box.addEventListener("change", () => {
      variable.chosen = toggle(variable.chosen, option.value, box.checked, Boolean(model.includeAll));
      for (const [i, other] of [...list.querySelectorAll("input")].entries())
        other.checked = variable.chosen.includes(visible()[i]?.value ?? "");
      change(variable);
    });
    return h("label", {}, box, option.text);
  };
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search the options" });
  const visible = (): Option[] => options.filter((o) => o.text.toLowerCase().includes(search.value.toLowerCase()));
  search.addEventListener("input", () => fill(search.value.toLowerCase()));
  fill("");
  if (options.length === 0) list.append(h("li", { class: "empty" }, "No options"));
  return options.length >= MANY ? [search, list] : [list];
}

/** All excludes the rest; with nothing left it is All again, where there is one. */
export function toggle(chosen: readonly string[], value: string, on: boolean, all: boolean): string[] {
  if (value === ALL) return on ? [ALL] : [...chosen];
  const others = chosen.filter((other) => other !== value && other !== ALL);
  const next = on ? [...others, value] : others;
  return next.length || !all ? next : [ALL];
}
