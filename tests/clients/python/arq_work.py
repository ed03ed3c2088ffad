"""arq does real work. It wants a redis-py before version 6, which requirements-arq.txt installs beside the environment."""
import asyncio
import os
import time
from datetime import timedelta

import redis
from arq import Retry, create_pool, cron, func
from arq.connections import RedisSettings
from arq.jobs import JobStatus

from work import URL, Worker, until

settings = RedisSettings.from_dsn(URL)
connection = redis.Redis.from_url(URL)


async def add(ctx, a, b):
    return a + b


async def flaky(ctx, failures):
    if ctx["job_try"] <= failures:
        raise Retry(defer=0.02)
    return ctx["job_try"]


async def hopeless(ctx):
    raise ValueError("no use")


async def now(ctx):
    return time.time()


async def tick(ctx):
    connection.incr("ticks")


async def sleepy(ctx):
    connection.incr("sleepy")
    await asyncio.sleep(3600)


async def hang_once(ctx, key):
    """Hangs when it runs for the first time, and says in which process."""
    if connection.incr(f"{key}:runs") == 1:
        connection.rpush(key, os.getpid())
        await asyncio.sleep(3600)
    return "not lost"


class WorkerSettings:
    functions = [add, func(flaky, max_tries=3), hopeless, now, sleepy, hang_once]
    cron_jobs = [cron(tick, second=set(range(60)))]
    redis_settings = settings
    poll_delay = 0.05
    allow_abort_jobs = True


async def results_retries_delays():
    worker = Worker("-m", "arq", "arq_work.WorkerSettings")
    jobs = await create_pool(settings)
    assert await (await jobs.enqueue_job("add", 2, 3)).result(timeout=20, poll_delay=0.02) == 5
    many = [await jobs.enqueue_job("add", n, n) for n in range(10)]
    assert [await job.result(timeout=20, poll_delay=0.02) for job in many] == [2 * n for n in range(10)]
    assert await (await jobs.enqueue_job("flaky", 2)).result(timeout=20, poll_delay=0.02) == 3
    for failing in (await jobs.enqueue_job("flaky", 9), await jobs.enqueue_job("hopeless")):
        try:
            await failing.result(timeout=20, poll_delay=0.02)
            raise AssertionError("it must fail")
        except Exception as error:
            assert "no use" in str(error) or "max 3 retries" in str(error), error
    before = time.time()
    later = await jobs.enqueue_job("now", _defer_by=timedelta(seconds=0.5))
    assert await later.status() == JobStatus.deferred
    assert await later.result(timeout=20, poll_delay=0.02) - before >= 0.5
    assert await jobs.enqueue_job("add", 1, 1, _job_id="one") is not None
    assert await jobs.enqueue_job("add", 1, 1, _job_id="one") is None
    assert len(await jobs.all_job_results()) >= 14
    sleeping = await jobs.enqueue_job("sleepy")
    until("it sleeps", lambda: connection.exists("sleepy"))
    assert await sleeping.abort(timeout=20, poll_delay=0.02)
    until("two ticks", lambda: int(connection.get("ticks") or 0) >= 2)

    # a killed worker's job is run again when the key that says that it is in progress has expired
    job = await jobs.enqueue_job("hang_once", "all")
    assert connection.blpop("all", 20)
    worker.kill()
    assert await job.status() == JobStatus.in_progress and connection.pttl(f"arq:in-progress:{job.job_id}") > 0
    connection.pexpire(f"arq:in-progress:{job.job_id}", 1)                  # so much for the time that passes
    worker = Worker("-m", "arq", "arq_work.WorkerSettings")
    assert await job.result(timeout=20, poll_delay=0.02) == "not lost"
    worker.kill()
    await jobs.aclose()


steps = [results_retries_delays]
