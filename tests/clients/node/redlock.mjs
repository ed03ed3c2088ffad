// redlock, versions 4 and 5, over three databases: node redlock.mjs PORT
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import Redlock4 from "redlock";
import Redlock5 from "redlock5";
import { run, until } from "./work.mjs";

const [port] = process.argv.slice(2);
const instances = [0, 1, 2].map(db => new Redis({ port, db, retryStrategy: null }));
const held = async name => (await Promise.all(instances.map(each => each.exists(name)))).reduce((a, b) => a + b);

async function counted(using) {
  let inside = 0, done = 0;
  await Promise.all(Array.from({ length: 8 }, () => using(async () => {
    assert.equal(++inside, 1);
    await new Promise(later => setTimeout(later, 3));
    inside--;
    done++;
  })));
  assert.equal(done, 8);
}

await run({
  async "redlock 4"() {
    const redlock = new Redlock4(instances, { retryCount: 1000, retryDelay: 5, retryJitter: 3 });
    const impatient = new Redlock4(instances, { retryCount: 0 });
    const lock = await redlock.lock("v4", 2000);
    assert.equal(await held("v4"), 3);
    await assert.rejects(impatient.lock("v4", 100), /LockError|quorum|attempts/);
    const extended = await lock.extend(20_000);
    assert.ok(await instances[0].pttl("v4") > 2000);
    await extended.unlock();
    assert.equal(await held("v4"), 0);
    const both = await redlock.lock(["v4:a", "v4:b"], 1000);
    assert.equal(await held("v4:b"), 3);
    await both.unlock();
    await counted(async work => {
      const taken = await redlock.lock("v4:counted", 5000);
      await work();
      await taken.unlock();
    });
    await redlock.lock("v4:lapses", 30);
    await until("it lapses", async () => await held("v4:lapses") === 0);
  },

  async "redlock 5"() {
    const redlock = new Redlock5(instances, { retryCount: 1000, retryDelay: 5, retryJitter: 3, driftFactor: 0.01 });
    const impatient = new Redlock5(instances, { retryCount: 0 });
    const lock = await redlock.acquire(["v5"], 2000);
    assert.equal(await held("v5"), 3);
    await assert.rejects(impatient.acquire(["v5"], 100), { name: "ExecutionError" });
    const extended = await lock.extend(20_000);
    assert.ok(await instances[0].pttl("v5") > 2000);
    await extended.release();
    assert.equal(await held("v5"), 0);
    await counted(work => redlock.using(["v5:counted", "v5:other"], 5000, work));
    // one of three instances has lost its keys: the majority holds the lock
    const third = await redlock.acquire(["v5:third"], 5000);
    await instances[2].del("v5:third");
    await assert.rejects(impatient.acquire(["v5:third"], 100), { name: "ExecutionError" });
    await third.release();
    assert.equal(await held("v5:third"), 0);
  },
});
