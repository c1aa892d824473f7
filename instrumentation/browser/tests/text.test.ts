/** Addresses and texts: what is left of them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { boundContext, cleanPath, cleanText, cleanUrl, cut } from "../src/text.ts";

test("an address has no login, query, fragment or name of a single thing", () => {
  assert.equal(cleanUrl("https://me:secret@shop.example/a/b?token=secret#part"), "https://shop.example/a/b");
  assert.equal(cleanUrl("https://shop.example:8443/orders/4711/items"), "https://shop.example:8443/orders/{id}/items");
  for (const none of ["blob:https://x/1", "javascript:alert(1)", "not an address", ""]) assert.equal(cleanUrl(none), "");
});

test("a path keeps the words of its route", () => {
  assert.equal(cleanPath("/u/7c9e6679-7425-40de-944b-e07fc1f90ae7/mail/me@example.com"), "/u/{id}/mail/{id}");
  assert.equal(cleanPath("/reset/3f2a9c1b8d7e6f504132/x"), "/reset/{id}/x");
  assert.equal(cleanPath("/api/v1/internationalization"), "/api/v1/internationalization");
  assert.equal(cleanPath("/a".repeat(300)).length, 200);
});

test("a text has no query of an address in it, and keeps where a line is", () => {
  assert.equal(cleanText("GET https://x.example/a?q=secret&b=1 failed", 99), "GET https://x.example/a failed");
  assert.equal(cleanText("at https://x.example/a.js?v=secret:10:5", 99), "at https://x.example/a.js:10:5");
  assert.equal(cleanText("no /search?q=secret#id=secret here", 99), "no /search here");
  assert.equal(cleanText("to https://me:secret@x.example/a", 99), "to https://x.example/a");
  assert.equal(cleanText("see data:text/plain,secret", 99), "see data:");
  assert.equal(cleanText("Is it there? It is not: a = 1", 99), "Is it there? It is not: a = 1");
});

test("a text is cut between characters", () => {
  assert.equal(cut("ab😀", 3), "ab");
  assert.equal(cut("ab😀", 4), "ab😀");
  assert.equal(cleanText("x".repeat(10_000), 256).length, 256);
});

test("a context is flat and bounded", () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, number) => [`k${number}`, "v".repeat(500)]));
  const bounded = boundContext(many);
  assert.equal(Object.keys(bounded).length, 16);
  assert.ok(Object.values(bounded).every((value) => value.length === 256));
  assert.deepEqual(boundContext({ a: 1, b: true, c: { d: 1 }, e: null, f: undefined, g: "/x?y=secret" }), { a: "1", b: "true", g: "/x" });
  assert.deepEqual(boundContext(null), {});
  assert.deepEqual(boundContext("text"), {});
});
