// A Bee-Queue worker that never ends its job, to be killed: node bee_queue_worker.mjs PORT QUEUE
import Queue from "bee-queue";

const [port, name] = process.argv.slice(2);
new Queue(name, { redis: { port, host: "127.0.0.1" }, stallInterval: 300 }).process(async job => {
  console.log(`working on ${job.id}.`);
  await new Promise(() => {});
});
