// BullMQ does real work: node bullmq.mjs PORT [bullmq | bullmq5] [ioredis | node-redis]
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { WorkerProcess, run, until } from "./work.mjs";

const [port, version = "bullmq", driver = "ioredis"] = process.argv.slice(2);
const { DelayedError, FlowProducer, Queue, QueueEvents, UnrecoverableError, WaitingChildrenError, Worker } = await import(version);

async function connect() {
  if (driver === "ioredis") return new Redis({ port, maxRetriesPerRequest: null, retryStrategy: null });
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  client.on("error", error => { console.error(error); process.exit(1); });
  return client.connect();
}

const connection = await connect();
connection.setMaxListeners(100);
const queue = (name, options = {}) => new Queue(name, { connection, ...options });
const worker = (name, work, options = {}) => {
  const started = new Worker(name, work, { connection, drainDelay: 1, ...options });
  started.on("error", error => { console.error(error); process.exit(1); });
  return started;
};
const finished = (jobs, state = "completed") => until(`${state}: ${jobs.map(job => job.id)}`,
  async () => (await Promise.all(jobs.map(job => job.getState()))).every(each => each === state));
const result = async (jobs, id) => (await jobs.getJob(id)).returnvalue;

await run({
  async "results, progress, logs, events, concurrency"() {
    const jobs = queue("results"), seen = { progress: [], completed: 0, added: 0 };
    const events = new QueueEvents("results", { connection: await connect(), lastEventId: "0-0" });
    events.on("progress", ({ data }) => seen.progress.push(data));
    events.on("completed", () => { seen.completed++; });
    events.on("added", () => { seen.added++; });
    await events.waitUntilReady();
    let running = 0, most = 0, release;
    const gate = new Promise(open => { release = open; });
    const doing = worker("results", async job => {
      running++;
      most = Math.max(most, running);
      if (running === 4) release();
      await gate;
      await job.updateProgress({ percent: 50 });
      await job.log(`doing ${job.data.n}`);
      running--;
      return { square: job.data.n ** 2, text: "naïve ☃" };
    }, { concurrency: 4 });
    const added = await jobs.addBulk(Array.from({ length: 40 }, (_, n) => ({ name: "square", data: { n } })));
    assert.deepEqual(await added[39].waitUntilFinished(events), { square: 1521, text: "naïve ☃" });
    await finished(added);
    assert.equal(most, 4);
    await until("all events", () => seen.completed === 40 && seen.added === 40 && seen.progress.length === 40);
    assert.deepEqual(seen.progress[7], { percent: 50 });
    assert.deepEqual(await jobs.getJobLogs(added[3].id), { logs: ["doing 3"], count: 1 });
    const counts = await jobs.getJobCounts();
    assert.equal(counts.completed, 40);
    assert.equal(counts.waiting + counts.active + counts.failed + counts.delayed, 0);
    const again = await jobs.getJob(added[5].id);
    assert.deepEqual([again.data, again.returnvalue.square, again.progress, again.attemptsMade], [{ n: 5 }, 25, { percent: 50 }, 1]);
    assert.equal((await jobs.getJobs(["completed"], 0, 9, true)).length, 10);
    await Promise.all([doing.close(), events.close(), jobs.close()]);
  },

  async "retries with backoff"() {
    const jobs = queue("retries"), failures = [];
    const doing = worker("retries", async job => {
      if (job.name === "hopeless") throw new UnrecoverableError("no use");
      if (job.attemptsMade < job.data.failures) throw new Error(`attempt ${job.attemptsMade + 1}`);
      return job.attemptsMade;
    }, { settings: { backoffStrategy: attempts => attempts * 20 } });
    doing.on("failed", (job, error) => failures.push([job.name, error.message]));
    const better = await jobs.add("better", { failures: 2 }, { attempts: 3, backoff: { type: "exponential", delay: 40 } });
    const custom = await jobs.add("custom", { failures: 1 }, { attempts: 2, backoff: { type: "custom" } });
    const worse = await jobs.add("worse", { failures: 9 }, { attempts: 2 });
    const hopeless = await jobs.add("hopeless", {}, { attempts: 5 });
    await finished([better, custom]);
    await finished([worse, hopeless], "failed");
    assert.equal(await result(jobs, better.id), 2);
    assert.equal(await result(jobs, custom.id), 1);
    assert.deepEqual(failures.filter(([name]) => name === "better"), [["better", "attempt 1"], ["better", "attempt 2"]]);
    const failed = await jobs.getJob(worse.id);
    assert.deepEqual([failed.failedReason, failed.attemptsMade, failed.stacktrace.length], ["attempt 2", 2, 2]);
    assert.equal((await jobs.getJob(hopeless.id)).attemptsMade, 1);
    await failed.updateData({ failures: 0 });
    await failed.retry("failed");
    await finished([worse]);
    assert.equal(await jobs.getFailedCount(), 1);
    await Promise.all([doing.close(), jobs.close()]);
  },

  async "priorities and order"() {
    const jobs = queue("priorities"), order = [];
    await jobs.pause();
    assert.equal(await jobs.isPaused(), true);
    const added = [
      await jobs.add("low", {}, { priority: 10 }), await jobs.add("high", {}, { priority: 1 }), await jobs.add("first", {}),
      await jobs.add("middle", {}, { priority: 5 }), await jobs.add("high again", {}, { priority: 1 }),
      await jobs.add("before all", {}, { lifo: true }), await jobs.add("raised", {}, { priority: 50 }),
    ];
    await added[6].changePriority({ priority: 3 });
    assert.deepEqual(await jobs.getCountsPerPriority([0, 1, 3, 5, 10]), { 0: 2, 1: 2, 3: 1, 5: 1, 10: 1 });
    const doing = worker("priorities", async job => { order.push(job.name); });
    await jobs.resume();
    await finished(added);
    assert.deepEqual(order, ["before all", "first", "high", "high again", "raised", "middle", "low"]);
    await Promise.all([doing.close(), jobs.close()]);
  },

  async "delays"() {
    const jobs = queue("delays"), at = {};
    const doing = worker("delays", async (job, token) => {
      if (job.name === "again" && !job.data.moved) {
        await job.updateData({ moved: true });
        await job.moveToDelayed(Date.now() + 50, token);
        throw new DelayedError();
      }
      at[job.name] = Date.now();
    });
    const start = Date.now();
    const soon = await jobs.add("soon", {}, { delay: 150 });
    const never = await jobs.add("promoted", {}, { delay: 3_600_000 });
    const changed = await jobs.add("changed", {}, { delay: 3_600_000 });
    const again = await jobs.add("again", {});
    assert.equal(await never.getState(), "delayed");
    assert.equal(await jobs.getDelayedCount(), 3);
    await never.promote();
    await changed.changeDelay(30);
    await finished([soon, never, changed, again]);
    assert.ok(at.soon - start >= 148, `the delayed job came after ${at.soon - start} ms`);
    await Promise.all([doing.close(), jobs.close()]);
  },

  async "rate limit"() {
    const jobs = queue("limited"), times = [];
    const doing = worker("limited", async () => { times.push(Date.now()); }, { limiter: { max: 2, duration: 150 }, concurrency: 5 });
    const start = Date.now();
    const added = await jobs.addBulk(Array.from({ length: 5 }, (_, n) => ({ name: "call", data: { n } })));
    await finished(added);
    assert.ok(times[4] - start >= 298, `5 jobs, at most 2 in 150 ms, took ${times[4] - start} ms`);
    await Promise.all([doing.close(), jobs.close()]);
  },

  async "repeated jobs"() {
    const jobs = queue("repeats"), runs = [];
    const doing = worker("repeats", async job => { runs.push(job.name); });
    await jobs.upsertJobScheduler("ticker", { every: 60 }, { name: "tick", data: { a: 1 }, opts: { removeOnComplete: 2 } });
    await jobs.upsertJobScheduler("nightly", { pattern: "0 15 3 * * *" }, { name: "report" });
    await jobs.upsertJobScheduler("thrice", { every: 40, limit: 3 }, { name: "thrice" });
    await until("the scheduler's third jobs", () => ["tick", "thrice"].every(name => runs.filter(each => each === name).length >= 3));
    const schedulers = await jobs.getJobSchedulers();
    assert.ok(schedulers.some(each => each.key === "nightly" && each.next > Date.now()), JSON.stringify(schedulers));
    assert.equal((await jobs.getJobScheduler("ticker")).every.toString(), "60");
    assert.equal(await jobs.removeJobScheduler("ticker"), true);
    assert.equal(await jobs.removeJobScheduler("nightly"), true);
    assert.equal(await jobs.removeJobScheduler("nightly"), false);
    await until("no scheduled job is left", async () => await jobs.getDelayedCount() === 0);
    assert.equal(runs.filter(each => each === "thrice").length, 3);
    await Promise.all([doing.close(), jobs.close()]);
  },

  async "flows"() {
    const flow = new FlowProducer({ connection }), pages = queue("pages"), books = queue("books");
    const workers = [
      worker("pages", async job => {
        if (job.data.torn) throw new Error("torn");
        return `page ${job.data.n}`;
      }, { concurrency: 3 }),
      worker("books", async (job, token) => {
        if (job.name === "grows" && !job.data.grown) {
          await pages.add("late", { n: 9 }, { parent: { id: job.id, queue: job.queueQualifiedName } });
          await job.updateData({ grown: true });
          if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
        }
        return Object.values(await job.getChildrenValues()).sort();
      }),
    ];
    const children = [1, 2, 3].map(n => ({ name: "page", queueName: "pages", data: { n } }));
    const { job: book } = await flow.add({ name: "book", queueName: "books", children });
    const shelf = await flow.add({ name: "shelf", queueName: "books",
      children: [{ name: "book", queueName: "books", children: children.slice(0, 2) }] });
    const torn = { name: "page", queueName: "pages", data: { torn: true } };
    const { job: broken } = await flow.add({ name: "broken", queueName: "books",
      children: [{ ...torn, opts: { failParentOnFailure: true } }, children[0]] });
    const { job: bears } = await flow.add({ name: "bears it", queueName: "books",
      children: [{ ...torn, opts: { ignoreDependencyOnFailure: true } }, children[1]] });
    const grows = await books.add("grows", {});
    await finished([book, shelf.job, bears, grows]);
    await finished([broken], "failed");
    assert.deepEqual(await result(books, book.id), ["page 1", "page 2", "page 3"]);
    assert.deepEqual(await result(books, shelf.job.id), [["page 1", "page 2"]]);
    assert.deepEqual(await result(books, bears.id), ["page 2"]);
    assert.deepEqual(await result(books, grows.id), ["page 9"]);
    const tree = await flow.getFlow({ id: shelf.job.id, queueName: "books" });
    assert.equal(tree.children[0].children.length, 2);
    await Promise.all([...workers.map(each => each.close()), pages.close(), books.close(), flow.close()]);
  },

  async "ids, deduplication, cleaning"() {
    const jobs = queue("cleaning");
    assert.equal((await jobs.add("a", {}, { jobId: "one" })).id, (await jobs.add("b", {}, { jobId: "one" })).id);
    const first = await jobs.add("c", { v: 1 }, { deduplication: { id: "same", ttl: 60_000 } });
    assert.equal((await jobs.add("c", { v: 2 }, { deduplication: { id: "same", ttl: 60_000 } })).id, first.id);
    assert.equal(await jobs.getDeduplicationJobId("same"), first.id);
    assert.equal(await jobs.count(), 2);
    const doing = worker("cleaning", async () => {});
    const many = await jobs.addBulk(Array.from({ length: 20 }, () => ({ name: "kept?", data: {}, opts: { removeOnComplete: 5 } })));
    await until("all are done", async () => await jobs.count() + await jobs.getActiveCount() === 0);
    assert.equal(await jobs.getCompletedCount(), 5);
    assert.equal(await jobs.getJob(many[0].id), undefined);
    assert.equal((await jobs.clean(0, 3, "completed")).length, 3);
    await doing.close();
    await jobs.addBulk(Array.from({ length: 50 }, (_, n) => ({ name: "drained", data: {}, opts: n % 2 ? { delay: 9_999_999 } : {} })));
    const [gone] = await jobs.getWaiting(0, 0);
    await gone.remove();
    assert.equal(await jobs.getWaitingCount(), 24);
    await jobs.drain(true);
    assert.equal(await jobs.getWaitingCount() + await jobs.getDelayedCount(), 0);
    await jobs.obliterate({ force: true });
    assert.deepEqual(await connection.keys("bull:cleaning:*"), ["bull:cleaning:de:same"]);      // has a TTL
    await jobs.close();
  },

  async "a killed worker's job is recovered"() {
    const jobs = queue("stalled"), stalled = [];
    const killed = new WorkerProcess("bullmq_worker.mjs", port, version, "stalled");
    const job = await jobs.add("long", { text: "not lost" });
    await killed.printed(`working on ${job.id}`);
    await killed.kill();
    assert.equal(await job.getState(), "active");
    const doing = worker("stalled", async ({ data }) => data.text, { stalledInterval: 100 });
    doing.on("stalled", id => stalled.push(id));
    await finished([job]);
    assert.deepEqual(stalled, [job.id]);
    assert.equal(await result(jobs, job.id), "not lost");
    await Promise.all([doing.close(), jobs.close()]);
  },
});
