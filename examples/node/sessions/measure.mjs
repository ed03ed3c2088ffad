// node measure.mjs: a visitor who comes back, one who leaves, and the time that the session adds to a request.
import { createClient } from "redis";
import { makeApp } from "./app.mjs";

const client = createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" });
client.on("error", error => { console.error(error.message); process.exit(1); });
await client.connect();

const server = makeApp(client).listen(0);
const url = `http://127.0.0.1:${server.address().port}/`;

class Visitor {
  async ask(path = "", method = "GET") {
    const response = await fetch(url + path, { method, headers: this.cookie ? { Cookie: this.cookie } : {} });
    this.cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? this.cookie;
    return (await response.json()).visits;
  }
}

function expect(what, wanted, got) {
  if (wanted !== got) {
    console.error(`${what}: expected ${wanted}, got ${got}`);
    process.exit(1);
  }
}

const [ann, bob] = [new Visitor(), new Visitor()];
expect("Ann's first visit", 1, await ann.ask());
expect("Ann's second visit", 2, await ann.ask());
expect("Bob's first visit", 1, await bob.ask());
const id = decodeURIComponent(ann.cookie.split("=")[1]).slice(2).split(".")[0];
const ttl = await client.ttl(`session:${id}`);
expect("the session has a TTL", true, ttl > 0 && ttl <= 1800);

const start = performance.now();
for (let i = 0; i < 200; i++) await ann.ask();
console.log(`a request with its session read and written: ${((performance.now() - start) / 200).toFixed(2)} ms`);
console.log(`Ann came ${await ann.ask()} times; her session ends in ${await client.ttl(`session:${id}`)} s`);

await ann.ask("logout", "POST");
expect("the session after logout", 0, await client.exists(`session:${id}`));
expect("Ann after logout", 1, await ann.ask());
expect("Bob's second visit", 2, await bob.ask());
console.log("after logout the session is gone, and others' are not");

server.close();
await client.close();
