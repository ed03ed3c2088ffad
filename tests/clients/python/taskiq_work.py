"""taskiq does real work, over streams and over lists."""
import asyncio
import os
import time
from datetime import UTC, datetime, timedelta

import redis
from taskiq import SimpleRetryMiddleware, TaskiqScheduler
from taskiq.schedule_sources import LabelScheduleSource
from taskiq_redis import ListQueueBroker, ListRedisScheduleSource, RedisAsyncResultBackend, RedisStreamBroker

from work import URL, Worker, until

results = RedisAsyncResultBackend(URL, result_ex_time=600)
stream = RedisStreamBroker(URL, idle_timeout=1000, consumer_group_name="workers").with_result_backend(results) \
    .with_middlewares(SimpleRetryMiddleware(default_retry_count=3))
lists = ListQueueBroker(URL, queue_name="lists").with_result_backend(results)
source = ListRedisScheduleSource(URL, prefix="schedules")
scheduler = TaskiqScheduler(stream, [source, LabelScheduleSource(stream)])
connection = redis.Redis.from_url(URL)


@stream.task
async def add(a, b):
    return a + b


@lists.task
async def multiply(a, b):
    return a * b


@stream.task(retry_on_error=True)
async def flaky(key, failures):
    count = connection.incr(key)
    if count <= failures:
        raise ValueError(f"attempt {count}")
    return count


@stream.task(schedule=[{"interval": 1}])
async def tick():
    connection.incr("ticks")


@stream.task
async def note_time(key):
    connection.set(key, time.time())


@stream.task
async def hang_once(key):
    """Hangs when it runs for the first time, and says in which process."""
    if connection.incr(f"{key}:runs") == 1:
        connection.rpush(key, os.getpid())
        connection.blpop(f"{key}:never")
    return "not lost"


def start(broker):
    return Worker("taskiq", "worker", f"taskiq_work:{broker}", "--workers", 1, "--ack-type", "when_executed")


async def result(task):
    answer = await task.wait_result(check_interval=0.02, timeout=20)
    answer.raise_for_error()
    return answer.return_value


async def results_retries_schedules():
    worker = start("stream")
    await stream.startup()
    await lists.startup()
    await source.startup()
    assert await result(await add.kiq(2, 3)) == 5
    assert await asyncio.gather(*[result(await add.kiq(n, n)) for n in range(10)]) == [2 * n for n in range(10)]
    assert await result(await flaky.kiq("flaky", 2)) == 3
    failed = await (await flaky.kiq("hopeless", 9)).wait_result(check_interval=0.02, timeout=20)
    assert failed.is_err and "attempt" in str(failed.error)

    beat = Worker("taskiq", "scheduler", "taskiq_work:scheduler", "--update-interval", 1)
    at = datetime.now(UTC) + timedelta(seconds=1)
    await note_time.schedule_by_time(source, at, "at")
    until("the scheduled task", lambda: connection.get("at"))
    assert float(connection.get("at")) >= int(at.timestamp())               # it counts in whole seconds
    until("two ticks", lambda: int(connection.get("ticks") or 0) >= 2)
    beat.kill()

    other = start("lists")
    assert await asyncio.gather(*[result(await multiply.kiq(n, n)) for n in range(10)]) == [n * n for n in range(10)]
    other.kill()

    # a killed worker's message stays pending; once it has been idle for a second, another worker claims it with its next message
    task = await hang_once.kiq("all")
    assert connection.blpop("all", 20)
    worker.kill()
    assert connection.xpending("taskiq", "workers")["pending"] == 1
    worker = start("stream")
    while not await task.is_ready():
        assert await result(await add.kiq(1, 1)) == 2
    assert await result(task) == "not lost"
    worker.kill()
    for each in (stream, lists, source):
        await each.shutdown()


steps = [results_retries_schedules]
