// What a reader sees of each panel of an open dashboard, by the test ids that Grafana's pages have as well:
// https://github.com/grafana/grafana/blob/main/packages/grafana-e2e-selectors/src/selectors/components.ts
(() => {
  const HEADER = "data-testid Panel header ";

  /** Boxes that hide what is larger than they are. */
  const hides = (style) => [style.overflowX, style.overflowY].some((value) => value === "hidden" || value === "clip");

  /** The texts that an ancestor cuts off at its edge, or that have an ellipsis. */
  const listCut = (panel) => {
    const cut = [];
    const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.textContent.trim();
      const holder = node.parentElement;
      if (!text || holder.closest(".unseen, [popover], svg, pre, .lines, .table td")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      if (box.width === 0) continue;
      for (let above = holder; above !== panel.parentElement; above = above.parentElement) {
        const edge = above.getBoundingClientRect();
        if (hides(getComputedStyle(above)) && (box.right > edge.right + 1.5 || box.bottom > edge.bottom + 3)) {
          cut.push(text);
          break;
        }
      }
    }
    return cut;
  };

  const all = (element, selector) => [...element.querySelectorAll(selector)].map((e) => e.innerText.trim());

  return JSON.stringify(
    [...document.querySelectorAll(`[data-testid^="${HEADER}"]`)].map((panel) => ({
      title: panel.dataset.testid.slice(HEADER.length),
      failures: all(panel, '[data-testid="data-testid Panel status error"]'),
      empty: panel.innerText.split("\n").some((line) => line.trim().toLowerCase() === "no data"),
      cut: listCut(panel),
      label: panel.querySelector('[aria-label*="Thresholds: "]')?.getAttribute("aria-label") ?? "",
      lines: panel.innerText.split("\n").map((line) => line.trim()).filter(Boolean),
    })),
  );
})();
