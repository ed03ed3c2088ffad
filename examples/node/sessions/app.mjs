// Sessions of express-session, kept by connect-redis.
import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";

export function makeApp(client) {
  const app = express();
  app.use(session({
    store: new RedisStore({ client, prefix: "session:", ttl: 1800 }),
    secret: process.env.SESSION_SECRET ?? "only for this example",
    resave: false,
    saveUninitialized: false,
  }));

  app.get("/", (request, response) => {
    request.session.visits = (request.session.visits ?? 0) + 1;
    response.json({ visits: request.session.visits });
  });

  app.post("/logout", (request, response, next) => {
    request.session.destroy(error => error ? next(error) : response.json({ visits: 0 }));
  });

  return app;
}
