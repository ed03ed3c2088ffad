// node-redis's cluster client against a node in cluster mode: node cluster_node_redis.mjs PORT
import assert from "node:assert/strict";
import { createCluster } from "redis";

const port = Number(process.argv[2]);
const cluster = createCluster({ rootNodes: [{ socket: { host: "127.0.0.1", port } }] });
cluster.on("error", error => { console.error(error); process.exit(1); });
await cluster.connect();

assert.equal(cluster.masters.length, 1);
assert.equal(cluster.masters[0].port, port);
assert.equal(await cluster.set("a", "1"), "OK");
assert.equal(await cluster.incr("a"), 2);
assert.equal(await cluster.mSet({ "{x}a": "1", "{x}b": "2" }), "OK");
assert.deepEqual(await cluster.mGet(["{x}a", "{x}b"]), ["1", "2"]);
await assert.rejects(cluster.mGet(["a", "b"]), /CROSSSLOT/);
assert.deepEqual(await cluster.multi().set("{x}c", "3").get("{x}c").exec(), ["OK", "3"]);
assert.deepEqual(await cluster.lPush("l", ["x", "y"]), 2);

const heard = new Promise(resolve => cluster.sSubscribe("news", resolve));
while (await cluster.sPublish("news", "hello") === 0);
assert.equal(await heard, "hello");

await cluster.close();
console.log("ok");
