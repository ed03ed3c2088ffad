// node measure.mjs: asks the API with and without the cache, and prints what was measured.
import { createClient } from "redis";
import { makeApp } from "./app.mjs";

const cache = createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" });
cache.on("error", error => { console.error(error.message); process.exit(1); });
await cache.connect();
await cache.del("product:1");

const server = makeApp(cache).listen(0);
const url = `http://127.0.0.1:${server.address().port}/products/1`;

async function ask(options) {
  const start = performance.now();
  const response = await fetch(url, options);
  const product = await response.json();
  return { milliseconds: performance.now() - start, cache: response.headers.get("X-Cache"), price: product.price };
}

function expect(what, wanted, got) {
  if (wanted !== got) {
    console.error(`${what}: expected ${wanted}, got ${got}`);
    process.exit(1);
  }
}

const first = await ask();
expect("first request", "miss", first.cache);
console.log(`without the cache: ${first.milliseconds.toFixed(1)} ms`);

const times = [];
for (let i = 0; i < 200; i++) {
  const answer = await ask();
  expect("repeated request", "hit", answer.cache);
  times.push(answer.milliseconds);
}
times.sort((a, b) => a - b);
console.log(`with the cache:    ${times[100].toFixed(1)} ms (median of ${times.length})`);

const price = first.price + 1;
await ask({ method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ price }) });
const changed = await ask();
expect("after a write", "miss", changed.cache);
expect("price after a write", price, changed.price);
console.log(`after a write:     ${changed.milliseconds.toFixed(1)} ms, and the new price`);
console.log(`kept for another ${await cache.ttl("product:1")} s`);

server.close();
await cache.close();
