// A BullMQ worker that never ends its job, to be killed: node bullmq_worker.mjs PORT bullmq|bullmq5 QUEUE
import { Redis } from "ioredis";

const [port, version, queue] = process.argv.slice(2);
const { Worker } = await import(version);
new Worker(queue, async job => {
  console.log(`working on ${job.id}.`);
  await new Promise(() => {});
}, { connection: new Redis({ port, maxRetriesPerRequest: null }), lockDuration: 300, stalledInterval: 100 });
setInterval(() => {}, 1000);
