"""Celery does real work, with Redis as broker and as result backend."""
import os
import signal
import time

import redis
from celery import Celery, chain, chord, group
from celery.exceptions import MaxRetriesExceededError
from kombu import Queue

from work import URL, Worker, until

app = Celery("celery_work", broker=URL, backend=URL)
app.conf.update(
    broker_transport_options={"visibility_timeout": 1, "priority_steps": [0, 3, 6, 9], "queue_order_strategy": "priority"},
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
    task_queues=[Queue(name) for name in ("celery", "priorities", "ticks", "killed")],
    task_routes={"celery_work.tick": "ticks"},
    task_track_started=True,
    beat_schedule={"tick": {"task": "celery_work.tick", "schedule": 0.3}},
    beat_max_loop_interval=0.1,
)
connection = redis.Redis.from_url(URL)


# ---- tasks

@app.task
def add(a, b):
    return a + b


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True, max_retries=3)
def flaky(self, failures):
    """Fails so many times, and retries after a moment."""
    if self.request.retries < failures:
        raise self.retry(countdown=0.05, exc=ValueError(f"attempt {self.request.retries + 1}"))
    return self.request.retries


@app.task(autoretry_for=(OSError,), retry_backoff=False, retry_kwargs={"max_retries": 1, "countdown": 0})
def hopeless():
    raise OSError("no use")


@app.task(ignore_result=True)
def note(key, text):
    connection.rpush(key, text)


@app.task
def now():
    return time.time()


@app.task
def tick():
    connection.incr("ticks-done")


@app.task(acks_late=True, reject_on_worker_lost=True)
def hang_once(key):
    """Hangs when it runs for the first time, and says in which process."""
    if connection.incr(f"{key}:runs") == 1:
        connection.rpush(key, os.getpid())
        connection.blpop(f"{key}:never")
    return "not lost"


# ---- steps

QUICKLY = ("--without-mingle", "--without-gossip")          # no talk among the workers before the first task


def start(*arguments):
    return Worker("celery", "-A", "celery_work", "worker", "--loglevel", "INFO", "--concurrency", 2, *arguments)


def results_groups_chords():
    worker = start("-Q", "celery", "-n", "one@%h")
    assert add.delay(2, 3).get(timeout=20) == 5
    assert group(add.s(n, n) for n in range(10))().get(timeout=20) == [2 * n for n in range(10)]
    assert chain(add.s(1, 2), add.s(3), add.s(4))().get(timeout=20) == 10
    assert chord((add.s(n, 1) for n in range(10)), total.s())().get(timeout=20) == 55
    assert chord([chain(add.s(1, 1), add.s(1)), group(add.s(2, 2), add.s(3, 3))], total.s())().get(timeout=20) == 13
    assert flaky.delay(2).get(timeout=20) == 2
    failed = flaky.delay(9)
    try:
        failed.get(timeout=20)
        raise AssertionError("it must fail")
    except (ValueError, MaxRetriesExceededError) as error:
        assert "attempt 4" in str(error)
    assert failed.state == "FAILURE"
    assert isinstance(hopeless.delay().get(timeout=20, propagate=False), OSError)
    before = time.time()
    assert now.apply_async(countdown=0.5).get(timeout=20) - before >= 0.5
    kept = add.delay(20, 22)
    assert kept.get(timeout=20) == 42
    assert connection.ttl(f"celery-task-meta-{kept.id}") > 86000
    kept.forget()
    assert not connection.exists(f"celery-task-meta-{kept.id}")
    # remote control goes by publish and subscribe
    [(name, answer)] = until("a worker answers", lambda: app.control.inspect(timeout=1, limit=1).ping()).items()
    assert name.startswith("one@") and answer == {"ok": "pong"}
    later = add.apply_async((1, 1), countdown=3600)
    until("it waits", lambda: later.id in str(app.control.inspect(timeout=1, limit=1).scheduled()))
    later.revoke()
    until("it is revoked", lambda: later.id in str(app.control.inspect(timeout=1, limit=1).revoked()))
    worker.stop()


def priorities():
    for priority in (9, 3, 0, 6, 0):
        note.apply_async(("order", str(priority)), queue="priorities", priority=priority)
    assert connection.llen("priorities") == 2 and connection.llen("priorities\x06\x163") == 1
    worker = start("-Q", "priorities", "--pool", "solo", *QUICKLY)
    until("all ran", lambda: connection.llen("order") == 5)
    assert connection.lrange("order", 0, -1) == [b"0", b"0", b"3", b"6", b"9"]
    worker.kill()


def repeated_tasks():
    worker = start("-Q", "ticks", "--beat", "--schedule", "beat", *QUICKLY)
    until("three ticks", lambda: int(connection.get("ticks-done") or 0) >= 3)
    worker.kill()
    connection.delete("ticks")


def killed_workers():
    # the process that runs the task is killed: its worker gives the task back
    worker = start("-Q", "killed", *QUICKLY)
    result = hang_once.apply_async(("child",), queue="killed")
    os.kill(int(connection.blpop("child", 20)[1]), signal.SIGKILL)
    assert result.get(timeout=20) == "not lost"
    # all is killed: another worker gets the task when the visibility timeout has passed
    result = hang_once.apply_async(("all",), queue="killed")
    child = int(connection.blpop("all", 20)[1])
    worker.kill()
    assert connection.hlen("unacked") == 1
    [(tag, since)] = connection.zrange("unacked_index", 0, -1, withscores=True)
    until("the visibility timeout has passed", lambda: time.time() > since + 1)
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    worker = start("-Q", "killed", *QUICKLY)
    assert result.get(timeout=20) == "not lost"
    until("nothing waits for its acknowledgement", lambda: connection.hlen("unacked") == 0)
    worker.kill()


steps = [results_groups_chords, priorities, repeated_tasks, killed_workers]
