// ioredis against a running server: node ioredis.mjs PORT
import assert from "node:assert/strict";
import Redis from "ioredis";

const port = Number(process.argv[2]);
const redis = new Redis({ port, retryStrategy: null });
redis.on("error", error => { console.error(error); process.exit(1); });

// every type
assert.equal(await redis.set("s", "value", "EX", 100), "OK");
assert.equal(await redis.get("s"), "value");
assert.deepEqual(await redis.mget("s", "nothing"), ["value", null]);
assert.equal(await redis.rpush("l", "a", "b", "c"), 3);
assert.deepEqual(await redis.lrange("l", 0, -1), ["a", "b", "c"]);
assert.equal(await redis.hset("h", { a: 1, b: "x" }), 2);
assert.deepEqual(await redis.hgetall("h"), { a: "1", b: "x" });
assert.equal(await redis.sadd("set", 1, 2), 2);
assert.deepEqual((await redis.smembers("set")).sort(), ["1", "2"]);
assert.equal(await redis.zadd("z", 1, "a", 2.5, "b"), 2);
assert.deepEqual(await redis.zrange("z", 0, -1, "WITHSCORES"), ["a", "1", "b", "2.5"]);
assert.deepEqual(await redis.getBuffer("s"), Buffer.from("value"));

// iteration
const keys = [];
for await (const batch of redis.scanStream({ count: 2 })) keys.push(...batch);
assert.deepEqual([...new Set(keys)].sort(), ["h", "l", "s", "set", "z"]);

// errors
await assert.rejects(redis.lpush("s", "x"), /WRONGTYPE/);

// pipelines and transactions
const pipeline = redis.pipeline();
for (let i = 0; i < 1000; i++) pipeline.incr("counter");
assert.deepEqual((await pipeline.exec()).at(-1), [null, 1000]);
assert.deepEqual(await redis.multi().set("t", "1").incr("t").exec(), [[null, "OK"], [null, 2]]);
const other = redis.duplicate();
await other.watch("t");
await redis.set("t", "changed");
assert.equal(await other.multi().set("t", "lost").exec(), null);

// blocking
const waiting = other.blpop("queue", 5);
await redis.rpush("queue", "job");
assert.deepEqual(await waiting, ["queue", "job"]);

// publish and subscribe
const subscriber = redis.duplicate();
await subscriber.subscribe("news");
const got = new Promise(resolve => subscriber.on("message", (channel, message) => resolve([channel, message])));
await redis.publish("news", "hello");
assert.deepEqual(await got, ["news", "hello"]);

// monitor
const monitor = await redis.duplicate().monitor();
const seen = new Promise(resolve => monitor.on("monitor", (time, words) => resolve(words)));
await redis.get("seen");
assert.deepEqual((await seen).map(word => word.toLowerCase()), ["get", "seen"]);

// streams
const id = await redis.xadd("stream", "*", "field", "value");
await redis.xgroup("CREATE", "stream", "group", "0");
assert.deepEqual(await redis.xreadgroup("GROUP", "group", "consumer", "STREAMS", "stream", ">"),
  [["stream", [[id, ["field", "value"]]]]]);
assert.equal(await redis.xack("stream", "group", id), 1);

for (const each of [redis, other, subscriber, monitor]) each.disconnect();
console.log("ok");
process.exit(0);                    // what the clients keep for reconnecting would hold the process
