// node measure.mjs: sends e-mails through the API and a worker, lets things go wrong, and prints what was measured.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

process.env.QUEUE = `email-measured-${process.pid}`;
process.env.BACKOFF_MS = "100";
process.env.LOCK_MS = "500";
process.env.MAX_PER_SECOND = "1000";
const { makeApp } = await import("./app.mjs");
const { connect, makeQueue } = await import("./queue.mjs");

const connection = connect(), queue = makeQueue(connection);
const server = makeApp(queue).listen(0);
const url = `http://127.0.0.1:${server.address().port}/emails`;

function fail(message) {
  console.error(message);
  process.exit(1);
}

function expect(what, wanted, got) {
  if (wanted !== got) fail(`${what}: expected ${wanted}, got ${got}`);
}

async function until(what, condition) {
  for (const end = performance.now() + 20_000; performance.now() < end;) {
    const value = await condition();
    if (value) return value;
    await new Promise(later => setTimeout(later, 5));
  }
  fail(`not within 20 s: ${what}`);
}

async function post(mail, headers = {}) {
  const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ subject: "Hello", text: "Your order has been sent.", ...mail }) });
  return { status: response.status, ...await response.json() };
}

const look = async id => (await fetch(`${url}/${id}`)).json();
const sent = ids => until("all are sent", async () => {
  const all = await Promise.all(ids.map(look));
  return all.every(each => each.state === "completed") && all;
});

const workers = [];
async function startWorker() {
  const worker = spawn(process.execPath, [fileURLToPath(new URL("worker.mjs", import.meta.url))], { stdio: ["ignore", "pipe", "inherit"] });
  workers.push(worker);
  process.on("exit", () => worker.kill("SIGKILL"));
  await once(worker.stdout, "data");
  return worker;
}

// The API answers before anything is sent; the worker comes later, and takes the urgent ones first.
expect("a bad address", 400, (await post({ to: "nowhere" })).status);
expect("a bad priority", 400, (await post({ to: "ann@example.com", priority: "huge" })).status);
expect("an unknown e-mail", 404, (await fetch(`${url}/none`)).status);
const start = performance.now();
const ids = [];
for (let n = 0; n < 100; n++) ids.push((await post({ to: `reader${n}@example.com`, priority: "low" })).id);
console.log(`queued by the API:     ${((performance.now() - start) / ids.length).toFixed(2)} ms for each of ${ids.length} requests`);
const urgent = (await post({ to: "ann@example.com", priority: "high" })).id;
const once1 = await post({ to: "bob@example.com" }, { "Idempotency-Key": "order 17" });
const once2 = await post({ to: "bob@example.com" }, { "Idempotency-Key": "order 17" });
expect("the same request again", once1.id, once2.id);
const cancelled = (await post({ to: "carl@example.com", delay: 3600 })).id;
expect("a delayed e-mail", "delayed", (await look(cancelled)).state);
expect("its cancellation", 204, (await fetch(`${url}/${cancelled}`, { method: "DELETE" })).status);
expect("what is left of it", 404, (await fetch(`${url}/${cancelled}`)).status);
expect("the queue", 102, (await (await fetch(url)).json()).prioritized);

const begun = performance.now();
const first = await startWorker();
await until("all are sent", async () => (await (await fetch(url)).json()).completed === 102);
console.log(`sent by one worker:    ${Math.round((ids.length + 2) / (performance.now() - begun) * 1000)} a second, 10 at a time, 20 ms each`);
const begunAt = async id => (await queue.getJob(id)).processedOn;
expect("the urgent one came first", true, await begunAt(urgent) <= Math.min(...await Promise.all(ids.map(begunAt))));
expect("its progress", 100, (await look(urgent)).progress);

// delays
const asked = Date.now();
const delayed = (await post({ to: "dora@example.com", delay: 0.3 })).id;
await sent([delayed]);
const after = (await queue.getJob(delayed)).processedOn - asked;
expect("a delayed e-mail waits", true, after >= 300);
console.log(`delayed by 300 ms:     begun after ${after} ms`);

// a mail server that is busy, and one that refuses
const busy = (await post({ to: "busy+2@example.com" })).id;
const [retried] = await sent([busy]);
expect("its attempts", 3, retried.attempts);
console.log(`retried with backoff:  ${retried.log.length} attempts`);
const refused = (await post({ to: "nobody@example.com" })).id;
const failed = await until("it has failed", async () => { const one = await look(refused); return one.state === "failed" && one; });
expect("attempts at what is refused", 1, failed.attempts);
console.log(`refused:               ${failed.error}`);
expect("trying again by hand", 202, (await fetch(`${url}/${refused}/retry`, { method: "POST" })).status);
await until("it has failed again", async () => (await look(refused)).state === "failed");

// kill -9: the e-mail that the worker was sending is sent by another
const slow = (await post({ to: "slow+400@example.com" })).id;
await until("it is being sent", async () => (await look(slow)).progress === 50);
const killed = performance.now();
first.kill("SIGKILL");
await once(first, "exit");
const second = await startWorker();
const [recovered] = await sent([slow]);
expect("processes that tried", 2, new Set(recovered.log.map(line => line.split(" ").at(-1))).size);
console.log(`after a kill -9:       sent by another worker ${Math.round(performance.now() - killed)} ms later (the lock lasts 500 ms)`);

// SIGTERM: what has begun is ended
const last = (await post({ to: "slow+200@example.com" })).id;
await until("it is being sent", async () => (await look(last)).progress === 50);
second.kill("SIGTERM");
await once(second, "exit");
expect("what was being sent at the end", "completed", (await look(last)).state);
console.log(`in the end:            ${JSON.stringify(await (await fetch(url)).json())}`);

await queue.obliterate({ force: true });
await connection.unlink(await connection.keys(`bull:${process.env.QUEUE}:*`));
server.close();
process.exit(0);
