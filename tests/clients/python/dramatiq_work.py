"""dramatiq does real work."""
import os
import time

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.rate_limits import ConcurrentRateLimiter, WindowRateLimiter
from dramatiq.rate_limits.backends import RedisBackend as LimitsBackend
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from work import URL, Worker, until

# Maintenance, which is done by chance with one command in a thousand, comes with each; the dead are known after a second.
broker = RedisBroker(url=URL, heartbeat_timeout=1000, maintenance_chance=1_000_000)
broker.add_middleware(Results(backend=RedisBackend(url=URL)))
broker.add_middleware(dramatiq.middleware.GroupCallbacks(LimitsBackend(url=URL)))
dramatiq.set_broker(broker)
connection = redis.Redis.from_url(URL)
limits = LimitsBackend(url=URL)


@dramatiq.actor(store_results=True)
def add(a, b):
    return a + b


@dramatiq.actor(max_retries=3, min_backoff=20, max_backoff=50, store_results=True)
def flaky(key, failures):
    count = connection.incr(key)
    if count <= failures:
        raise ValueError(f"attempt {count}")
    return count


@dramatiq.actor(max_retries=1, min_backoff=10, max_backoff=20)
def hopeless():
    connection.incr("hopeless")
    raise ValueError("no use")


@dramatiq.actor(store_results=True)
def now():
    return time.time()


@dramatiq.actor
def note(key, text):
    connection.rpush(key, text)


@dramatiq.actor(max_retries=0)
def exclusive():
    with ConcurrentRateLimiter(limits, "exclusive", limit=1).acquire(raise_on_failure=False) as acquired:
        connection.rpush("tried", int(acquired))


@dramatiq.actor(queue_name="killed", time_limit=3_600_000)
def hang_once(key):
    """Hangs when it runs for the first time, and says in which process."""
    if connection.incr(f"{key}:runs") == 1:
        connection.rpush(key, os.getpid())
        connection.blpop(f"{key}:never")
    connection.rpush(f"{key}:done", "not lost")


def start(*arguments):
    return Worker("dramatiq", "dramatiq_work", "--processes", 1, "--threads", 4, *arguments)


def results_retries_delays():
    worker = start("--queues", "default")
    assert add.send(2, 3).get_result(block=True, timeout=20_000) == 5
    group = dramatiq.group([add.message(n, n) for n in range(10)])
    group.add_completion_callback(note.message("groups", "done"))
    assert list(group.run().get_results(block=True, timeout=20_000)) == [2 * n for n in range(10)]
    assert connection.blpop("groups", 20)[1] == b"done"
    assert (add.message(1, 2) | add.message(3) | add.message(4)).run().get_result(block=True, timeout=20_000) == 10
    assert flaky.send("flaky", 2).get_result(block=True, timeout=20_000) == 3
    hopeless.send()
    until("a dead letter", lambda: connection.zcard("dramatiq:default.XQ") == 1)
    assert connection.get("hopeless") == b"2"
    before = time.time()
    assert now.send_with_options(delay=300).get_result(block=True, timeout=20_000) - before >= 0.3
    for _ in range(3):
        exclusive.send()
    until("three tried", lambda: connection.llen("tried") == 3)
    assert b"1" in connection.lrange("tried", 0, -1)
    broker.join("default", timeout=20_000)
    worker.stop()
    window = WindowRateLimiter(limits, "window", limit=3, window=60)
    entered = []
    for _ in range(5):
        with window.acquire(raise_on_failure=False) as acquired:
            entered.append(acquired)
    assert entered == [True] * 3 + [False] * 2


def killed_worker():
    hang_once.send("all")
    worker = start("--queues", "killed")
    connection.blpop("all", 20)
    worker.kill()
    worker = start("--queues", "killed")
    assert connection.blpop("all:done", 20)[1] == b"not lost"
    worker.kill()


steps = [results_retries_delays, killed_worker]
