// Begins: the bar at the top, and the page that the address names.

import { ask, base } from "./api.ts";
import { showBoard } from "./board/board.ts";
import { h } from "./dom.ts";
import { showList } from "./pages/list.ts";
import { showTrace } from "./pages/trace.ts";
import { applyTheme } from "./theme.ts";
import { buildTop } from "./top.ts";
import "uplot/dist/uPlot.min.css";
import "./base.css";
import "./style.css";
import "./trace.css";

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
const links = { Home: `${base}/`, Dashboards: `${base}/dashboards` };
const out = h("a", { class: "choice", href: `${base}/logout` }, "Log out");
document.body.replaceChildren(buildTop({ name: "the dashboard", main, links }, out), main);
route(main).catch((error: Error) => {
  main.replaceChildren(
    h("p", { class: "failed", role: "alert" }, error.message),
    h("p", {}, h("a", { href: `${base}/dashboards` }, "All dashboards")),
  );
});
