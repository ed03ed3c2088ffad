// A Bull worker that never ends its job, to be killed: node bull_worker.mjs PORT QUEUE
import Queue from "bull";

const [port, name] = process.argv.slice(2);
new Queue(name, { redis: { port, host: "127.0.0.1" }, settings: { lockDuration: 300, stalledInterval: 100 } }).process(async job => {
  console.log(`working on ${job.id}.`);
  await new Promise(() => {});
});
