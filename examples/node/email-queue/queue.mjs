// The queue that the API fills and the workers empty.
import { Queue } from "bullmq";
import { Redis } from "ioredis";

export const NAME = process.env.QUEUE ?? "email";
export const PRIORITIES = { high: 1, normal: 5, low: 10 };

/** A connection as BullMQ wants it: commands wait for the server to come back, however long that takes. */
export function connect() {
  const connection = new Redis(process.env.REDIS_URL ?? "redis://127.0.0.1:6379", { maxRetriesPerRequest: null });
  connection.on("error", error => console.error(error.message));
  return connection;
}

export function makeQueue(connection) {
  return new Queue(NAME, {
    connection,
    defaultJobOptions: {
      attempts: 5,
      // after 1, 2, 4 and 8 seconds
      backoff: { type: "exponential", delay: Number(process.env.BACKOFF_MS ?? 1000) },
      removeOnComplete: { age: 24 * 3600, count: 10_000 },
      removeOnFail: { age: 7 * 24 * 3600 },
    },
  });
}
