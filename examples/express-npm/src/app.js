import { fileURLToPath } from "node:url";

import express from "express";

import { Bookmarks } from "./bookmarks.js";

const PUBLIC = fileURLToPath(new URL("../public", import.meta.url));

/** The whole service, without a socket. */
export function createApp(bookmarks = new Bookmarks()) {
  const app = express();
  app.disable("x-powered-by");
  app.use(express.static(PUBLIC));
  app.use(express.json());

  app.get("/health", (_request, response) => {
    response.type("text").send("ok\n");
  });

  app.get("/api/bookmarks", (_request, response) => {
    response.json(bookmarks.all());
  });

  app.post("/api/bookmarks", (request, response) => {
    const bookmark = bookmarks.add(request.body ?? {});
    if (bookmark) {
      response.status(201).json(bookmark);
    } else {
      response.status(400).json({ error: "url is missing or not an address" });
    }
  });

  app.get("/api/bookmarks/:id", (request, response) => {
    const bookmark = bookmarks.get(Number(request.params.id));
    if (bookmark) {
      response.json(bookmark);
    } else {
      response.status(404).json({ error: "no such bookmark" });
    }
  });

  app.delete("/api/bookmarks/:id", (request, response) => {
    response.sendStatus(bookmarks.remove(Number(request.params.id)) ? 204 : 404);
  });

  return app;
}
