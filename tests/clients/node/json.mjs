// node-redis's JSON commands against a running server: node json.mjs PORT RESP
import assert from "node:assert/strict";
import { createClient } from "redis";

const [port, resp] = process.argv.slice(2).map(Number);
const client = createClient({ socket: { port, reconnectStrategy: false }, RESP: resp });
client.on("error", error => { console.error(error); process.exit(1); });
await client.connect();
await client.flushAll();

assert.equal(await client.json.set("doc", "$", { a: 1, l: [1, 2], s: "x", t: false }), "OK");
assert.deepEqual(await client.json.get("doc"), { a: 1, l: [1, 2], s: "x", t: false });
assert.deepEqual(await client.json.get("doc", { path: "$..a" }), [1]);
assert.deepEqual(await client.json.numIncrBy("doc", "$.a", 2), [3]);
assert.deepEqual(await client.json.arrAppend("doc", "$.l", 3, { b: null }), [4]);
assert.deepEqual(await client.json.arrPop("doc", { path: "$.l" }), [{ b: null }]);
assert.deepEqual(await client.json.strLen("doc", { path: "$.s" }), [1]);
assert.deepEqual(await client.json.toggle("doc", "$.t"), [1]);
assert.deepEqual(await client.json.mGet(["doc", "none"], "$.l"), [[[1, 2, 3]], null]);
assert.equal(await client.json.merge("doc", "$", { t: null }), "OK");
assert.deepEqual(await client.json.objKeys("doc", { path: "$" }), [["a", "l", "s"]]);
assert.equal(await client.json.del("doc", { path: "$.l" }), 1);
assert.equal(await client.json.set("doc", "$.a", 5, { condition: "NX" }), null);
await assert.rejects(client.json.get("s", { path: "$[" }), /Error occurred on position/);

await client.close();
console.log("ok");
