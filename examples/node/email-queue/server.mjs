// node server.mjs: REDIS_URL and PORT are taken from the environment.
import { makeApp } from "./app.mjs";
import { connect, makeQueue } from "./queue.mjs";

const server = makeApp(makeQueue(connect())).listen(process.env.PORT ?? 3000, () => {
  console.log(`http://127.0.0.1:${server.address().port}/emails`);
});
