// An API whose slow query is cached for a minute; a write removes what was cached.
import express from "express";
import { selectProduct, updateProduct } from "./database.mjs";

const SECONDS = 60;

export function makeApp(cache) {
  const app = express();
  app.use(express.json());

  app.get("/products/:id", async (request, response) => {
    const key = `product:${request.params.id}`;
    const cached = await cache.get(key);
    if (cached !== null) {
      return response.set("X-Cache", "hit").type("json").send(cached);
    }
    const product = await selectProduct(request.params.id);
    if (product === null) {
      return response.status(404).json({ error: "no such product" });
    }
    const body = JSON.stringify(product);
    await cache.set(key, body, { expiration: { type: "EX", value: SECONDS } });
    response.set("X-Cache", "miss").type("json").send(body);
  });

  app.put("/products/:id", async (request, response) => {
    const product = await updateProduct(request.params.id, request.body);
    await cache.del(`product:${request.params.id}`);
    response.json(product);
  });

  return app;
}
