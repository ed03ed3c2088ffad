// Two socket.io servers, joined by @socket.io/redis-adapter: node socket_io.mjs PORT
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { run, until } from "./work.mjs";

const [port] = process.argv.slice(2);

function ioredis() {
  const client = new Redis({ port, retryStrategy: null });
  client.on("error", error => { console.error(error); process.exit(1); });
  return client;
}

async function nodeRedis() {
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  client.on("error", error => { console.error(error); process.exit(1); });
  return client.connect();
}

async function listen(adapter) {
  const http = createServer();
  await new Promise(listening => http.listen(0, listening));
  const server = new Server(http, { adapter });
  server.on("connection", socket => {
    socket.on("join", async (room, done) => { await socket.join(room); done(); });
    socket.on("say", (room, text) => socket.to(room).emit("said", text));
    socket.on("ask", (question, answer) => answer(`${question}!`));
  });
  return { server, url: `http://127.0.0.1:${http.address().port}/` };
}

async function visitor(url) {
  const socket = io(url, { transports: ["websocket"] });
  const heard = [];
  socket.on("said", text => heard.push(text));
  socket.on("question", (text, answer) => answer(`${text} from ${socket.id}`));
  await new Promise((connected, failed) => socket.on("connect", connected).on("connect_error", failed));
  return Object.assign(socket, { heard });
}

async function talk(adapterOfA, adapterOfB) {
  const [a, b] = [await listen(adapterOfA), await listen(adapterOfB)];
  const [ann, bob, carl] = [await visitor(a.url), await visitor(b.url), await visitor(b.url)];
  await until("both servers see all sockets", async () => (await a.server.fetchSockets()).length === 3
    && (await b.server.fetchSockets()).length === 3);

  a.server.emit("said", "to all");
  await until("all hear it", () => [ann, bob, carl].every(each => each.heard.includes("to all")));
  await ann.emitWithAck("join", "room");
  await bob.emitWithAck("join", "room");
  ann.emit("say", "room", "to the room");
  await until("Bob hears it", () => bob.heard.includes("to the room"));
  b.server.except("room").emit("said", "outside");
  await until("Carl hears it", () => carl.heard.includes("outside"));
  assert.deepEqual(ann.heard, ["to all"]);
  assert.deepEqual(carl.heard, ["to all", "outside"]);

  const answers = await a.server.timeout(5000).emitWithAck("question", "who");
  assert.deepEqual(answers.sort(), [ann, bob, carl].map(each => `who from ${each.id}`).sort());
  a.server.in(carl.id).socketsJoin("late");
  await until("Carl is in", async () => (await a.server.in("late").fetchSockets()).some(each => each.id === carl.id));
  b.server.on("greeting", (text, answer) => answer(`${text} back`));
  assert.deepEqual(await a.server.serverSideEmitWithAck("greeting", "hello"), ["hello back"]);
  a.server.in("room").disconnectSockets();
  await until("both are gone", () => !ann.connected && !bob.connected && carl.connected);
  carl.disconnect();
  await Promise.all([a.server.close(), b.server.close()]);
}

await run({
  async "pub/sub adapter, ioredis"() {
    await talk(createAdapter(ioredis(), ioredis()), createAdapter(ioredis(), ioredis()));
  },
  async "pub/sub adapter, node-redis"() {
    await talk(createAdapter(await nodeRedis(), await nodeRedis()), createAdapter(await nodeRedis(), await nodeRedis()));
  },
  async "sharded adapter, node-redis"() {
    await talk(createShardedAdapter(await nodeRedis(), await nodeRedis()), createShardedAdapter(await nodeRedis(), await nodeRedis()));
  },
});
