// Begins: the bar at the top, and the page that the address names.

import { ask, base } from "./api.ts";
import { showBoard } from "./board/board.ts";
import { h } from "./dom.ts";
import { showList } from "./pages/list.ts";
import { showTrace } from "./pages/trace.ts";
import { applyTheme, currentTheme, onTheme, switchTheme } from "./theme.ts";
import "uplot/dist/uPlot.min.css";
import "./style.css";

function buildTop(): HTMLElement {
  const theme = h("button", { type: "button", class: "choice", on: { click: switchTheme } });
  const name = (): void => void (theme.textContent = currentTheme() === "dark" ? "Light" : "Dark");
  name();
  theme.setAttribute("aria-label", "Switch between dark and light");
  onTheme(name);
  return h(
    "header",
    { class: "top" },
    h("a", { class: "unseen skip", href: "#main" }, "Skip to the dashboard"),
    h(
      "nav",
      { "aria-label": "Pages" },
      h("a", { href: `${base}/` }, "Home"),
      h("a", { href: `${base}/dashboards` }, "Dashboards"),
    ),
    h("span", { class: "gap" }),
    theme,
    h("a", { class: "choice", href: `${base}/logout` }, "Log out"),
  );
}

async function route(main: HTMLElement): Promise<void> {
  const path = location.pathname.slice(base.length);
  const board = /^\/d\/([^/]+)/.exec(path);
  const trace = /^\/trace\/([^/]+)\/([^/]+)/.exec(path);
  if (board?.[1]) return showBoard(decodeURIComponent(board[1]), main);
  if (trace?.[1] && trace[2]) return showTrace(decodeURIComponent(trace[1]), decodeURIComponent(trace[2]), main);
  if (path === "/" || path === "") {
    const { uid } = await ask<{ uid: string }>("/api/viewer/home");
    if (uid) return showBoard(uid, main);
  }
  return showList(main);
}

applyTheme();
const main = h("main", { id: "main", tabindex: "-1" }, h("p", { class: "empty" }, "Loading"));
document.body.replaceChildren(buildTop(), main);
route(main).catch((error: Error) => {
  main.replaceChildren(
    h("p", { class: "failed", role: "alert" }, error.message),
    h("p", {}, h("a", { href: `${base}/dashboards` }, "All dashboards")),
  );
});
