// Stands in for an SMTP server: it takes 20 ms, and the address says what goes wrong.
import { setTimeout as sleep } from "node:timers/promises";

/** The server will never take this e-mail: trying again is no use. */
export class Rejected extends Error {}

/** Sends an e-mail and reports how far it is, from 0 to 100. `attempt` counts from 1. */
export async function send({ to, subject, text }, attempt, report) {
  const [, user, number] = /^([^+@]*)\+?(\d*)@/.exec(to);
  if (user === "nobody") throw new Rejected(`550 no such user: ${to}`);
  if (user === "busy" && attempt <= number) throw new Error(`421 try again later (attempt ${attempt})`);
  await report(50);
  await sleep(user === "slow" ? Number(number) : 20);
  await report(100);
  return { messageId: `<${Date.now()}.${Math.random().toString(36).slice(2)}@example>`, bytes: subject.length + text.length };
}
