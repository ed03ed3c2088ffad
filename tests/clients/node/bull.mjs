// Bull does real work: node bull.mjs PORT
import assert from "node:assert/strict";
import Queue from "bull";
import { WorkerProcess, run, until } from "./work.mjs";

const [port] = process.argv.slice(2);
const queue = (name, options = {}) => {
  const made = new Queue(name, { redis: { port, host: "127.0.0.1" }, ...options });
  made.on("error", error => { console.error(error); process.exit(1); });
  return made;
};
const completed = job => until(`job ${job.id} is completed`, () => job.isCompleted());

await run({
  async "results, progress, events, concurrency"() {
    const jobs = queue("results"), seen = new Set(), progress = [];
    jobs.on("global:completed", (id, value) => seen.add(`${id}=${value}`));
    jobs.on("global:progress", (id, value) => progress.push(value));
    await jobs.isReady();
    let running = 0, release;
    const gate = new Promise(open => { release = open; });
    jobs.process(3, async job => {
      if (++running === 3) release();
      await gate;
      await job.progress(42);
      await job.log("done");
      return job.data.n * 2;
    });
    const added = await jobs.addBulk(Array.from({ length: 20 }, (_, n) => ({ data: { n } })));
    assert.deepEqual(await Promise.all(added.map(job => job.finished())), added.map(job => job.data.n * 2));
    await until("all events", () => seen.size === 20 && progress.length === 20);
    assert.deepEqual(await jobs.getJobCounts(), { waiting: 0, active: 0, completed: 20, failed: 0, delayed: 0, paused: 0 });
    assert.equal((await jobs.getJobLogs(added[0].id)).count, 1);
    await jobs.close();
  },

  async "retries with backoff, failures"() {
    const jobs = queue("retries");
    jobs.process(async job => {
      if (job.attemptsMade < job.data.failures) throw new Error(`attempt ${job.attemptsMade + 1}`);
      return "done";
    });
    const better = await jobs.add({ failures: 2 }, { attempts: 3, backoff: { type: "exponential", delay: 30 } });
    const worse = await jobs.add({ failures: 2 }, { attempts: 2, backoff: 20 });
    assert.equal(await better.finished(), "done");
    await assert.rejects(worse.finished(), /attempt 2/);
    const failed = await jobs.getJob(worse.id);
    assert.equal(failed.stacktrace.length, 2);
    await failed.retry();
    assert.equal(await failed.finished(), "done");
    await jobs.close();
  },

  async "priorities, delays, pause"() {
    const jobs = queue("order"), order = [];
    await jobs.pause();
    const added = await Promise.all([
      jobs.add("low", {}, { priority: 9 }), jobs.add("high", {}, { priority: 1 }), jobs.add("middle", {}, { priority: 5 }),
      jobs.add("promoted", {}, { priority: 20, delay: 3_600_000 }), jobs.add("later", {}, { delay: 80 })]);
    assert.equal(await jobs.getDelayedCount(), 2);
    await added[3].promote();
    jobs.process("*", async job => { order.push(job.name); });
    await jobs.resume();
    await Promise.all(added.map(completed));
    assert.deepEqual(order.filter(name => name !== "later"), ["high", "middle", "low", "promoted"]);
    await jobs.close();
  },

  async "rate limit"() {
    const jobs = queue("limited", { limiter: { max: 2, duration: 150 } }), times = [];
    const start = Date.now();
    jobs.process(async () => { times.push(Date.now()); });
    await jobs.addBulk(Array.from({ length: 5 }, () => ({ data: {} })));
    await until("5 jobs", () => times.length === 5);
    assert.ok(times[4] - start >= 298, `5 jobs, at most 2 in 150 ms, took ${times[4] - start} ms`);
    await jobs.close();
  },

  async "repeated jobs, cleaning"() {
    const jobs = queue("repeats");
    let runs = 0;
    jobs.process("tick", async () => { runs++; });
    await jobs.add("tick", {}, { repeat: { every: 50 } });
    await until("three runs", () => runs >= 3);
    assert.equal((await jobs.getRepeatableJobs())[0].every, 50);
    await jobs.removeRepeatable("tick", { every: 50 });
    assert.deepEqual(await jobs.getRepeatableJobs(), []);
    assert.ok((await jobs.clean(0, "completed")).length >= 2);
    await jobs.removeJobs("*");
    await jobs.obliterate({ force: true });
    await jobs.close();
  },

  async "a killed worker's job is recovered"() {
    const jobs = queue("stalled", { settings: { lockDuration: 300, stalledInterval: 100 } }), stalled = [];
    const killed = new WorkerProcess("bull_worker.mjs", port, "stalled");
    const job = await jobs.add({ text: "not lost" });
    await killed.printed(`working on ${job.id}.`);
    await killed.kill();
    assert.equal(await job.isActive(), true);
    jobs.on("stalled", ({ id }) => stalled.push(id));
    jobs.process(async ({ data }) => data.text);
    assert.equal(await job.finished(), "not lost");
    await until("the stall is told", () => stalled.length > 0);        // it may come after the job's end
    assert.deepEqual(stalled, [job.id]);
    await jobs.close();
  },
});
