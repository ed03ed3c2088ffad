// node worker.mjs: sends the queued e-mails. Start as many as you like, on as many machines.
import { UnrecoverableError, Worker } from "bullmq";
import { NAME, connect } from "./queue.mjs";
import { Rejected, send } from "./transport.mjs";

const lockDuration = Number(process.env.LOCK_MS ?? 30_000);

const worker = new Worker(NAME, async job => {
  const attempt = job.attemptsMade + 1;
  await job.log(`attempt ${attempt} by process ${process.pid}`);
  try {
    return await send(job.data, attempt, percent => job.updateProgress(percent));
  } catch (error) {
    throw error instanceof Rejected ? new UnrecoverableError(error.message) : error;
  }
}, {
  connection: connect(),
  concurrency: 10,
  // The mail server allows that many in a second.
  limiter: { max: Number(process.env.MAX_PER_SECOND ?? 200), duration: 1000 },
  // A worker that dies loses its lock after this time, and the next one takes its job.
  lockDuration,
  stalledInterval: lockDuration,
});
worker.on("ready", () => console.log("ready"));
worker.on("error", error => console.error(error.message));
worker.on("stalled", id => console.log(`took over ${id}`));

// Those that are being sent are sent to the end; the others stay in the queue.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await worker.close();
    process.exit(0);
  });
}
