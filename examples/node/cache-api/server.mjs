// node server.mjs: REDIS_URL and PORT are taken from the environment.
import { createClient } from "redis";
import { makeApp } from "./app.mjs";

const cache = createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" });
cache.on("error", error => console.error(error.message));
await cache.connect();

const server = makeApp(cache).listen(process.env.PORT ?? 3000, () => {
  console.log(`http://127.0.0.1:${server.address().port}/products/1`);
});
