// What the tests of job queues share: waiting for a condition, steps with a name, worker processes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export const sleep = milliseconds => new Promise(done => setTimeout(done, milliseconds));

/** The first truthy value that `condition` gives; an error when there is none within some seconds. */
export async function until(what, condition, seconds = 20) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(5);
  }
}

/** Runs the steps one after another, names the one that fails, and ends the process. */
export async function run(steps) {
  process.on("unhandledRejection", error => { console.error(error); process.exit(1); });
  for (const [name, step] of Object.entries(steps)) {
    const start = performance.now();
    try {
      await step();
    } catch (error) {
      console.error(`${name}:`, error);
      process.exit(1);
    }
    console.log(`${name}: ${Math.round(performance.now() - start)} ms`);
  }
  console.log("ok");
  process.exit(0);
}

/** A worker in a process of its own: another script of this directory. */
export class WorkerProcess {
  constructor(script, ...words) {
    this.child = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...words.map(String)],
      { stdio: ["ignore", "pipe", "inherit"] });
    this.output = "";
    this.child.stdout.on("data", data => { this.output += data; });
    process.on("exit", () => this.child.kill("SIGKILL"));
  }

  /** Waits until it has printed the text. */
  printed(text) {
    return until(`the worker prints ${text}`, () => {
      if (this.child.exitCode !== null) throw new Error(`the worker has ended with ${this.child.exitCode}: ${this.output}`);
      return this.output.includes(text);
    });
  }

  /** kill -9, and waits for its end. */
  async kill() {
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }
}
