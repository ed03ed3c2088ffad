// Bee-Queue does real work: node bee_queue.mjs PORT
import assert from "node:assert/strict";
import Queue from "bee-queue";
import { WorkerProcess, run, until } from "./work.mjs";

const [port] = process.argv.slice(2);
const queue = (name, options = {}) => {
  const made = new Queue(name, { redis: { port, host: "127.0.0.1" }, ...options });
  made.on("error", error => { console.error(error); process.exit(1); });
  return made;
};
const succeeded = job => new Promise((done, failed) => job.on("succeeded", done).on("failed", failed));

await run({
  async "results, progress, concurrency"() {
    const jobs = queue("results"), progress = [];
    let running = 0, release;
    const gate = new Promise(open => { release = open; });
    jobs.process(3, async job => {
      if (++running === 3) release();
      await gate;
      job.reportProgress({ at: job.data.n });
      return job.data.n * 2;
    });
    const added = Array.from({ length: 20 }, (_, n) => jobs.createJob({ n }));
    added[0].on("progress", value => progress.push(value));
    const results = added.map(succeeded);
    assert.equal((await jobs.saveAll(added)).size, 0);
    assert.deepEqual(await Promise.all(results), added.map(job => job.data.n * 2));
    assert.deepEqual(progress, [{ at: 0 }]);
    const health = await jobs.checkHealth();
    assert.deepEqual([health.waiting, health.active, health.succeeded, health.failed, health.newestJob], [0, 0, 20, 0, 20]);
    await jobs.close();
  },

  async "retries with backoff"() {
    const jobs = queue("retries", { activateDelayedJobs: true, removeOnFailure: false });
    const tries = {};
    jobs.process(async job => {
      tries[job.data.name] = (tries[job.data.name] ?? 0) + 1;
      if (tries[job.data.name] <= job.data.failures) throw new Error(`attempt ${tries[job.data.name]}`);
      return tries[job.data.name];
    });
    const better = jobs.createJob({ name: "better", failures: 2 }).retries(2).backoff("exponential", 30);
    const worse = jobs.createJob({ name: "worse", failures: 2 }).retries(1).backoff("immediate");
    const results = [succeeded(better), new Promise(failed => worse.on("failed", failed))];
    await better.save();
    await worse.save();
    assert.equal(await results[0], 3);
    assert.match((await results[1]).message, /attempt 2/);
    assert.equal((await jobs.getJobs("failed", { size: 10 })).length, 1);
    await jobs.close();
  },

  async "delays, ids, removal"() {
    const jobs = queue("delays", { activateDelayedJobs: true });
    const start = Date.now();
    const later = jobs.createJob({}).delayUntil(start + 150);
    const never = jobs.createJob({}).delayUntil(start + 3_600_000);
    const at = succeeded(later);
    await Promise.all([later.save(), never.save()]);
    assert.equal((await jobs.checkHealth()).delayed, 2);
    jobs.process(async () => Date.now());
    const late = await at - start;
    assert.ok(late >= 148, `the delayed job came after ${late} ms`);
    await jobs.removeJob(never.id);
    const first = await jobs.createJob({}).setId("own").save();
    assert.equal(first.id, "own");
    assert.equal((await jobs.createJob({}).setId("own").save()).id, null);
    await jobs.close();
  },

  async "a killed worker's job is recovered"() {
    const killed = new WorkerProcess("bee_queue_worker.mjs", port, "stalled");
    const jobs = queue("stalled", { stallInterval: 300 }), stalled = [];
    const job = jobs.createJob({ text: "not lost" });
    const result = succeeded(job);
    await job.save();
    await killed.printed(`working on ${job.id}.`);
    await killed.kill();
    jobs.on("stalled", id => stalled.push(id));
    jobs.process(async ({ data }) => data.text);
    await until("the job has stalled", async () => { await jobs.checkStalledJobs(); return stalled.length; });
    assert.equal(await result, "not lost");
    assert.deepEqual(stalled, [job.id]);
    await jobs.close();
  },
});
