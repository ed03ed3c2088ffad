// The API: it answers as soon as the e-mail is in the queue, and tells what has become of it.
import express from "express";
import { PRIORITIES } from "./queue.mjs";

/** What is wrong with a request for an e-mail, or null. */
function complaint({ to, subject, text, priority = "normal", delay = 0 } = {}) {
  if (typeof to !== "string" || !/^[^\s@]+@[^\s@]+$/.test(to)) return "`to` must be an address";
  if (typeof subject !== "string" || typeof text !== "string") return "`subject` and `text` must be strings";
  if (!Object.hasOwn(PRIORITIES, priority)) return `\`priority\` must be one of ${Object.keys(PRIORITIES).join(", ")}`;
  if (!Number.isFinite(delay) || delay < 0) return "`delay` must be a number of seconds";
  return null;
}

export function makeApp(queue) {
  const app = express();
  app.use(express.json());

  app.post("/emails", async (request, response) => {
    const error = complaint(request.body);
    if (error) {
      return response.status(400).json({ error });
    }
    const { to, subject, text, priority = "normal", delay = 0 } = request.body;
    // A client that repeats a request, because it has not seen the answer, sends no second e-mail.
    const key = request.get("Idempotency-Key");
    const job = await queue.add("send", { to, subject, text }, {
      priority: PRIORITIES[priority],
      delay: delay * 1000,
      ...key && { deduplication: { id: key, ttl: 24 * 3600 * 1000 } },
    });
    response.status(202).location(`/emails/${job.id}`).json({ id: job.id });
  });

  app.get("/emails", async (request, response) => {
    response.json(await queue.getJobCounts("waiting", "prioritized", "delayed", "active", "completed", "failed"));
  });

  app.param("id", async (request, response, next, id) => {
    // The state first: what the job says of itself is then at least as new.
    request.state = await queue.getJobState(id);        // waiting, prioritized, delayed, active, completed or failed
    request.job = await queue.getJob(id);
    if (request.job) {
      return next();
    }
    response.status(404).json({ error: "no such e-mail" });
  });

  app.get("/emails/:id", async ({ job, state }, response) => {
    const { logs } = await queue.getJobLogs(job.id);
    response.json({ id: job.id, to: job.data.to, state, progress: job.progress, attempts: job.attemptsMade,
      error: job.failedReason, result: job.returnvalue, log: logs });
  });

  app.post("/emails/:id/retry", async ({ job, state }, response) => {
    if (state !== "failed") {
      return response.status(409).json({ error: "only what has failed can be tried again" });
    }
    await job.retry("failed");
    response.status(202).json({ id: job.id });
  });

  app.delete("/emails/:id", async ({ job, state }, response) => {
    if (state === "active") {
      return response.status(409).json({ error: "it is being sent" });
    }
    await job.remove();
    response.status(204).end();
  });

  return app;
}
