// ioredis's cluster client against a node in cluster mode: node cluster_ioredis.mjs PORT
import assert from "node:assert/strict";
import { Cluster } from "ioredis";

const port = Number(process.argv[2]);
const cluster = new Cluster([{ host: "127.0.0.1", port }], { clusterRetryStrategy: () => null });
cluster.on("error", error => { console.error(error); process.exit(1); });
await new Promise(resolve => cluster.once("ready", resolve));

assert.equal(cluster.nodes("master").length, 1);
assert.equal(await cluster.set("a", "1"), "OK");
assert.equal(await cluster.incr("a"), 2);
assert.equal(await cluster.mset("{x}a", "1", "{x}b", "2"), "OK");
assert.deepEqual(await cluster.mget("{x}a", "{x}b"), ["1", "2"]);
await assert.rejects(cluster.mget("a", "b"), /CROSSSLOT/);
assert.deepEqual(await cluster.multi().set("{x}c", "3").get("{x}c").exec(), [[null, "OK"], [null, "3"]]);
assert.deepEqual(await cluster.pipeline().set("{x}d", "4").get("{x}d").exec(), [[null, "OK"], [null, "4"]]);

cluster.disconnect();
console.log("ok");
