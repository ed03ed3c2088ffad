"""Rate limits: Flask-Limiter, and the strategies of the library `limits` under it, sync and async. redis-py's locks."""
import asyncio
import threading

import limits
import redis
from flask import Flask
from flask_limiter import Limiter
from limits import parse
from limits.storage import storage_from_string
from redis.exceptions import LockError, LockNotOwnedError

from work import URL, until

connection = redis.Redis.from_url(URL)


def flask_limiter():
    for strategy in ("fixed-window", "moving-window", "sliding-window-counter"):
        def make_app():
            app = Flask("limits_work")
            limiter = Limiter(lambda: "ann", app=app, storage_uri=URL, strategy=strategy, headers_enabled=True,
                              key_prefix=strategy)

            @app.get("/")
            @limiter.limit("3 per minute")
            def hello():
                return "hello"
            return app.test_client()
        one, other = make_app(), make_app()
        answers = [client.get("/") for client in (one, other, one, other)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429], strategy
        assert [int(answer.headers["X-RateLimit-Remaining"]) for answer in answers] == [2, 1, 0, 0]


def strategies():
    storage = storage_from_string(URL)
    assert storage.check()
    for kind in (limits.strategies.FixedWindowRateLimiter, limits.strategies.MovingWindowRateLimiter,
                 limits.strategies.SlidingWindowCounterRateLimiter):
        limiter, rule, name = kind(storage), parse("5/hour"), kind.__name__
        assert limiter.test(rule, name) and [limiter.hit(rule, name) for _ in range(7)] == [True] * 5 + [False] * 2
        assert not limiter.test(rule, name) and limiter.get_window_stats(rule, name).remaining == 0
        assert limiter.hit(rule, name, "another") and limiter.get_window_stats(rule, name, "another").remaining == 4
        assert limiter.hit(rule, name, "dear", cost=4) and not limiter.hit(rule, name, "dear", cost=2)
        limiter.clear(rule, name)
        assert limiter.hit(rule, name)
        brief = parse("2/second")
        while limiter.hit(brief, name):
            pass
        until("the second has passed", lambda: limiter.hit(brief, name))
    storage.reset()
    assert connection.keys("LIMITS*") == []


async def strategies_async():
    storage = storage_from_string("async+" + URL, implementation="redispy")
    for kind in (limits.aio.strategies.FixedWindowRateLimiter, limits.aio.strategies.MovingWindowRateLimiter,
                 limits.aio.strategies.SlidingWindowCounterRateLimiter):
        limiter, rule, name = kind(storage), parse("5/hour"), "async " + kind.__name__
        hits = await asyncio.gather(*(limiter.hit(rule, name) for _ in range(12)))
        assert sum(hits) == 5, name
    await storage.reset()


def locks():
    lock = connection.lock("lock", timeout=100)
    assert lock.acquire() and lock.locked() and lock.owned()
    other = connection.lock("lock", timeout=100, blocking=False)
    assert not other.acquire()
    assert lock.extend(100) and connection.ttl("lock") > 100
    assert lock.reacquire() and 0 < connection.ttl("lock") <= 100
    lock.release()
    try:
        lock.release()
        raise AssertionError("released twice")
    except LockError:
        pass
    brief = connection.lock("brief", timeout=0.02)
    assert brief.acquire()
    until("it has lapsed", lambda: not brief.locked())
    try:
        brief.release()
        raise AssertionError("it had lapsed")
    except LockNotOwnedError:
        pass
    waiting = []
    assert lock.acquire()
    thread = threading.Thread(target=lambda: waiting.append(connection.lock("lock", sleep=0.005).acquire(blocking_timeout=20)))
    thread.start()
    lock.release()
    thread.join()
    assert waiting == [True]


async def locks_async():
    own = redis.asyncio.Redis.from_url(URL)
    inside = []

    async def work(n):
        async with own.lock("async lock", timeout=10, sleep=0.002):
            inside.append(n)
            await asyncio.sleep(0.001)
            assert inside.pop() == n and not inside
    await asyncio.gather(*(work(n) for n in range(8)))
    await own.aclose()


steps = [flask_limiter, strategies, strategies_async, locks, locks_async]
