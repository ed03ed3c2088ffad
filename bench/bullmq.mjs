// One run of BullMQ against a server, for bench/bullmq.py: node bullmq.mjs PORT JOBS. Prints jobs per second as JSON:
// `add` (100 at a time), `process` (20 at a time, jobs that do nothing), `both` (added and processed at the same time).
import { createRequire } from "node:module";

const require = createRequire(new URL("../tests/clients/node/package.json", import.meta.url));
const { Queue, Worker } = require("bullmq");
const { Redis } = require("ioredis");

const [port, jobs] = process.argv.slice(2).map(Number);
const connection = new Redis({ port, maxRetriesPerRequest: null });
await connection.flushall();
const data = { to: "reader@example.com", subject: "Hello", text: "Your order has been sent.", order: 17 };
const queue = new Queue("bench", { connection, defaultJobOptions: { attempts: 3, backoff: { type: "exponential", delay: 1000 },
  removeOnComplete: 1000 } });

async function add() {
  for (let n = 0; n < jobs; n += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, i) => queue.add("send", { ...data, n: n + i })));
  }
}

function workAll() {
  let done = 0;
  return new Promise((finished, failed) => {
    const worker = new Worker("bench", async () => "sent", { connection, concurrency: 20 });
    worker.on("error", failed);
    worker.on("failed", (job, error) => failed(error));
    worker.on("completed", async () => {
      if (++done === jobs) {
        await worker.close();
        finished();
      }
    });
  });
}

async function timed(work) {
  const start = performance.now();
  await work();
  return jobs / (performance.now() - start) * 1000;
}

await add();
await workAll();                                    // warm: the scripts are loaded, and Node has compiled its own
const result = { add: await timed(add), process: await timed(workAll), both: await timed(() => Promise.all([add(), workAll()])) };
console.log(JSON.stringify(result));
process.exit(0);
