import assert from "node:assert/strict";
import { test } from "node:test";

import request from "supertest";

import { createApp } from "../src/app.js";

test("health answers ok", async () => {
  await request(createApp()).get("/health").expect(200, "ok\n");
});

test("a bookmark can be added, read and removed", async () => {
  const app = createApp();
  const added = await request(app)
    .post("/api/bookmarks")
    .send({ url: "https://example.com/a" })
    .expect(201);
  assert.deepEqual(added.body, { id: 1, title: "example.com", url: "https://example.com/a" });
  await request(app).get("/api/bookmarks").expect(200, [added.body]);
  await request(app).delete("/api/bookmarks/1").expect(204);
  await request(app).get("/api/bookmarks/1").expect(404);
});

test("what is not an address on the web is refused", async () => {
  for (const url of [undefined, "nowhere", "javascript:alert(1)"]) {
    await request(createApp()).post("/api/bookmarks").send({ url }).expect(400);
  }
});
