// node-redis's client-side cache against a running server: node caching.mjs PORT
import assert from "node:assert/strict";
import { BasicClientSideCache, createClient } from "redis";

const port = Number(process.argv[2]);
const cache = new BasicClientSideCache({ ttl: 0, maxEntries: 100, evictPolicy: "LRU" });
const options = { socket: { port, reconnectStrategy: false }, RESP: 3 };
const client = createClient({ ...options, clientSideCache: cache });
const other = createClient(options);
for (const one of [client, other]) {
  one.on("error", error => { console.error(error); process.exit(1); });
  await one.connect();
}

const told = name => new Promise(resolve => cache.once(name, resolve));

await other.set("a", "1");
assert.equal(await client.get("a"), "1");
assert.equal(await client.get("a"), "1");
assert.equal(cache.stats().hitCount, 1);
assert.equal(cache.stats().missCount, 1);

let invalidated = told("invalidate");
await other.set("a", "2");
await invalidated;
assert.equal(await client.get("a"), "2");

invalidated = told("invalidate");
await client.set("a", "3");
await invalidated;
assert.equal(await client.get("a"), "3");

invalidated = told("invalidate");
await other.flushAll();
await invalidated;
assert.equal(await client.get("a"), null);
assert.equal(cache.stats().hitCount, 1);

await client.close();
await other.close();
console.log("ok");
