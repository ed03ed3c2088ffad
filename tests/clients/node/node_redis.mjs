// node-redis against a running server: node node_redis.mjs PORT RESP
import assert from "node:assert/strict";
import { createClient } from "redis";

const [port, resp] = process.argv.slice(2).map(Number);
const options = { socket: { port, reconnectStrategy: false }, RESP: resp };
const client = createClient(options);
client.on("error", error => { console.error(error); process.exit(1); });
await client.connect();

// every type
assert.equal(await client.set("s", "value", { expiration: { type: "EX", value: 100 }, GET: true }), null);
assert.equal(await client.get("s"), "value");
assert.ok(await client.ttl("s") > 0);
assert.deepEqual(await client.mGet(["s", "nothing"]), ["value", null]);
assert.equal(await client.incrBy("n", 41), 41);
assert.equal(await client.rPush("l", ["a", "b", "c"]), 3);
assert.deepEqual(await client.lRange("l", 0, -1), ["a", "b", "c"]);
assert.equal(await client.hSet("h", { a: 1, b: "x" }), 2);
assert.deepEqual({ ...await client.hGetAll("h") }, { a: "1", b: "x" });
assert.equal(await client.sAdd("set", ["1", "2"]), 2);
assert.deepEqual([...await client.sMembers("set")].sort(), ["1", "2"]);
assert.equal(await client.zAdd("z", [{ score: 1, value: "a" }, { score: 2.5, value: "b" }]), 2);
assert.deepEqual((await client.zRangeWithScores("z", 0, -1)).map(m => [m.value, m.score]), [["a", 1], ["b", 2.5]]);
assert.equal(await client.zScore("z", "b"), 2.5);

// iteration
const keys = [];
for await (const batch of client.scanIterator({ COUNT: 2 })) keys.push(...[batch].flat());
assert.deepEqual(keys.sort(), ["h", "l", "n", "s", "set", "z"]);

// errors
await assert.rejects(client.lPush("s", "x"), /WRONGTYPE/);
await assert.rejects(client.sendCommand(["NOSUCH"]), /unknown command/);

// what is sent in one tick is one pipeline
const many = await Promise.all(Array.from({ length: 2000 }, () => client.incr("counter")));
assert.equal(many.at(-1), 2000);

// transactions
assert.deepEqual(await client.multi().set("t", "1").incr("t").exec(), ["OK", 2]);
const other = client.duplicate();
other.on("error", error => { console.error(error); process.exit(1); });
await other.connect();
await other.watch("t");
await client.set("t", "changed");
await assert.rejects(other.multi().set("t", "lost").exec(), { name: /WatchError|Error/ });
assert.equal(await client.get("t"), "changed");

// blocking
const waiting = other.blPop("queue", 5);
await client.rPush("queue", "job");
const popped = await waiting;
assert.equal(popped.key, "queue");
assert.equal(popped.element, "job");

// publish and subscribe
const subscriber = client.duplicate();
subscriber.on("error", error => { console.error(error); process.exit(1); });
await subscriber.connect();
const got = new Promise(resolve => subscriber.subscribe("news", (message, channel) => resolve([channel, message]))
  .then(() => client.publish("news", "hello")));
assert.deepEqual(await got, ["news", "hello"]);
const matched = new Promise(resolve => subscriber.pSubscribe("w*", (message, channel) => resolve([channel, message]))
  .then(() => client.publish("weather", "rain")));
assert.deepEqual(await matched, ["weather", "rain"]);
await subscriber.unsubscribe("news");
await subscriber.pUnsubscribe("w*");

// streams
const id = await client.xAdd("stream", "*", { field: "value" });
await client.xGroupCreate("stream", "group", "0");
const read = await client.xReadGroup("group", "consumer", { key: "stream", id: ">" }, { COUNT: 10 });
assert.ok(JSON.stringify(read).includes(id));
assert.equal(await client.xAck("stream", "group", id), 1);

for (const each of [client, other, subscriber]) await each.close();
console.log("ok");
