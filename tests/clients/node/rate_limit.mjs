// express-rate-limit with rate-limit-redis, two servers under one limit: node rate_limit.mjs PORT
import assert from "node:assert/strict";
import express from "express";
import { rateLimit } from "express-rate-limit";
import { Redis } from "ioredis";
import { RedisStore } from "rate-limit-redis";
import { createClient } from "redis";
import { run, until } from "./work.mjs";

const [port] = process.argv.slice(2);
const ioredis = new Redis({ port, retryStrategy: null });
const node_redis = createClient({ url: `redis://127.0.0.1:${port}` });
await node_redis.connect();
const senders = { "ioredis": (...words) => ioredis.call(...words), "node-redis": (...words) => node_redis.sendCommand(words) };

function listen(sendCommand, prefix, windowMs) {
  const store = new RedisStore({ sendCommand, prefix });
  const app = express();
  app.use(rateLimit({ windowMs, limit: 5, standardHeaders: "draft-8", legacyHeaders: true, store,
    skipFailedRequests: false, keyGenerator: request => request.query.who }));
  app.get("/", (request, response) => response.send("hello"));
  const server = app.listen(0);
  return { url: `http://127.0.0.1:${server.address().port}/`, store };
}

const steps = {};
for (const [name, send] of Object.entries(senders)) {
  steps[`five requests by two servers, ${name}`] = async () => {
    const [a, b] = [listen(send, `${name}:`, 60_000), listen(send, `${name}:`, 60_000)];
    const ask = async (server, who) => {
      const response = await fetch(`${server.url}?who=${who}`);
      await response.text();
      return [response.status, Number(response.headers.get("x-ratelimit-remaining"))];
    };
    for (let n = 1; n <= 5; n++) assert.deepEqual(await ask(n % 2 ? a : b, "ann"), [200, 5 - n]);
    assert.deepEqual(await ask(a, "ann"), [429, 0]);
    assert.deepEqual(await ask(b, "ann"), [429, 0]);
    assert.deepEqual(await ask(b, "bob"), [200, 4]);
    const ttl = await ioredis.pttl(`${name}:ann`);
    assert.ok(ttl > 0 && ttl <= 60_000);
    assert.equal((await a.store.get("ann")).totalHits, 7);
    await a.store.decrement("bob");
    assert.equal(await ioredis.get(`${name}:bob`), "0");
    await b.store.resetKey("ann");
    assert.deepEqual(await ask(a, "ann"), [200, 4]);
    await ioredis.script("FLUSH");
    assert.deepEqual(await ask(b, "ann"), [200, 3]);

    const short = listen(send, `${name}:short:`, 100);
    for (let n = 1; n <= 6; n++) await ask(short, "carl");
    await until("the window has passed", async () => (await ask(short, "carl"))[0] === 200);
  };
}
await run(steps);
