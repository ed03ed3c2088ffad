// Stands for the database: a query takes 200 ms.
import { setTimeout as delay } from "node:timers/promises";

const rows = new Map([
  ["1", { id: "1", name: "lamp", price: 30 }],
  ["2", { id: "2", name: "chair", price: 80 }],
]);

export async function selectProduct(id) {
  await delay(200);
  return rows.get(id) ?? null;
}

export async function updateProduct(id, changes) {
  const row = { ...rows.get(id), ...changes, id };
  rows.set(id, row);
  return row;
}
