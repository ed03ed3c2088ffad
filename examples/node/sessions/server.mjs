// node server.mjs: REDIS_URL, PORT and SESSION_SECRET are taken from the environment.
import { createClient } from "redis";
import { makeApp } from "./app.mjs";

const client = createClient({ url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379" });
client.on("error", error => console.error(error.message));
await client.connect();

const server = makeApp(client).listen(process.env.PORT ?? 3000, () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
