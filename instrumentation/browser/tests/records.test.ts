/** Records as they are sent: lines, names, sizes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { TransportItemType } from "@grafana/faro-core";
import type { MeasurementEvent, TraceEvent, TransportItem } from "@grafana/faro-core";

import { nameElement } from "../src/clicks.ts";
import type { Pressed } from "../src/clicks.ts";
import { describeBrowser } from "../src/page.ts";
import { cleanItem, formatMeasurement } from "../src/records.ts";
import { describeRequest } from "../src/requests.ts";
import { matchBelow } from "../src/tracing.ts";
import { estimateBytes, splitItems } from "../src/transport.ts";

function format(type: string, values: Record<string, number>, context?: Record<string, string>): string {
  const payload = { type, values, timestamp: "", ...(context ? { context } : {}) };
  return formatMeasurement({ type: TransportItemType.MEASUREMENT, payload, meta: {} } satisfies TransportItem<MeasurementEvent>);
}

test("lines are for people", () => {
  assert.equal(format("web-vitals", { lcp: 1234 }), "lcp 1234 ms");
  assert.equal(format("web-vitals", { cls: 0.12 }), "cls 0.12");
  assert.equal(format("request", { duration: 34 }, { method: "GET", route: "/a", status: "200" }), "GET /a 200 34 ms");
  assert.equal(format("request", { duration: 1 }, { method: "GET", route: "/a", status_class: "failed" }), "GET /a failed 1 ms");
});

test("a request is its route and how it ended", () => {
  const url = new URL("https://me:secret@api.example/orders/17?token=secret#secret");
  assert.deepEqual(describeRequest("post", url, 201), {
    method: "POST", host: "api.example", route: "/orders/{id}", status: "201", status_class: "2xx",
  });
  assert.equal(describeRequest("BREW", url, "aborted")["method"], "_OTHER");
  const ended = [0, "failed", "aborted", "opaque", 404, 503] as const;
  const classes = ended.map((each) => describeRequest("GET", url, each)["status_class"]);
  assert.deepEqual(classes, ["failed", "failed", "aborted", "opaque", "4xx", "5xx"]);
});

test("a press is named by an attribute, else by tag and id", () => {
  function make(tagName: string, id = "", name: string | null = null, around: Pressed | null = null): Pressed {
    const own: Pressed = {
      tagName, id, getAttribute: () => name,
      closest: (selector) => {
        const fits = selector === "[data-telemetry]" ? name !== null : selector.split(", ").includes(tagName.toLowerCase());
        return fits ? own : (around?.closest(selector) ?? null);
      },
    };
    return own;
  }
  assert.equal(nameElement(make("SPAN", "", null, make("BUTTON", "pay"))), "button#pay");
  assert.equal(nameElement(make("SPAN", "", null, make("BUTTON", "pay", "pay-now"))), "pay-now");
  assert.equal(nameElement(make("DIV")), "div");
  assert.equal(nameElement(make("DIV", "x".repeat(500))).length, 64);
});

test("a browser is its name and one number", () => {
  const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.7390.54 Safari/537.36";
  assert.deepEqual(describeBrowser(chrome), { name: "Chrome", version: "141", mobile: false });
  assert.deepEqual(describeBrowser(`${chrome} Edg/141.0.1`), { name: "Edge", version: "141", mobile: false });
  const iphone = "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1";
  assert.deepEqual(describeBrowser(iphone), { name: "Safari", version: "26", mobile: true });
  assert.deepEqual(describeBrowser("curl/8"), { name: "other", mobile: false });
});

test("context goes to what is below an address, and to no host that begins alike", () => {
  const pattern = matchBelow("https://api.example.com/v1/");
  const fits = ["https://api.example.com/v1", "https://api.example.com/v1/a", "https://api.example.com/v1?a"];
  const others = ["https://api.example.com/v10", "https://apiXexample.com/v1", "https://evil.example/?https://api.example.com/v1/"];
  assert.deepEqual([fits, others].map((list) => list.map((each) => pattern?.test(each))), [[true, true, true], [false, false, false]]);
  assert.ok(!matchBelow("https://api.example.com")?.test("https://api.example.com.evil.example/"));
  assert.equal(matchBelow("no address"), undefined);
});

test("spans have no queries, and Faro's events of them are not sent", () => {
  const attribute = { key: "url.full", value: { stringValue: "https://x.example/a?q=secret" } };
  const payload = { resourceSpans: [{ scopeSpans: [{ spans: [{ attributes: [attribute] }] }] }] } as unknown as TraceEvent;
  const meta = { session: { attributes: { isSampled: "true" } } };
  const cleaned = cleanItem({ type: TransportItemType.TRACE, payload, meta });
  assert.ok(cleaned && !JSON.stringify(cleaned).includes("secret") && !("session" in cleaned.meta));
  const event = { name: "faro.tracing.fetch", timestamp: "" };
  assert.equal(cleanItem({ type: TransportItemType.EVENT, payload: event, meta: {} }), null);
});

test("a request is within its bytes, and what is too large alone is left out", () => {
  const items = [..."abcdefgh"].map((letter) => ({ text: letter.repeat(400) }));
  const lists = splitItems([...items, { text: "x".repeat(5000) }], 2000);
  assert.deepEqual(lists.flat(), items);
  assert.ok(lists.length > 1 && lists.every((list) => list.reduce((sum, item) => sum + estimateBytes(item), 0) <= 2000));
});
