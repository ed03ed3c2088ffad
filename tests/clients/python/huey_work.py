"""huey does real work."""
import time

import redis
from huey import PriorityRedisHuey, crontab
from huey.exceptions import TaskException, TaskLockedException

from work import URL, Worker, until

huey = PriorityRedisHuey("jobs", url=URL)
connection = redis.Redis.from_url(URL)


@huey.task()
def add(a, b):
    return a + b


@huey.task(retries=2, retry_delay=0)
def flaky(key, failures):
    count = connection.incr(key)
    if count <= failures:
        raise ValueError(f"attempt {count}")
    return count


@huey.task()
def note(key, text):
    connection.rpush(key, text)


@huey.task()
def now():
    return time.time()


@huey.task()
def total(numbers):
    return sum(numbers)


@huey.task()
@huey.lock_task("alone")
def alone():
    connection.rpush("alone", "in")
    connection.blpop("alone:go", 20)
    return "done"


@huey.periodic_task(crontab(minute="*"))
def each_minute():
    connection.incr("minutes")


@huey.task()
def hang():
    connection.rpush("hangs", "here")
    connection.blpop("hangs:never")


def start(*arguments):
    return Worker("huey_consumer", "huey_work.huey", "--workers", 2, "--scheduler-interval", 1, "--delay", 0.05, *arguments)


def results_retries_delays():
    # priorities: what waits is taken in their order
    for priority in (1, 9, 5, 9):
        note("order", priority, priority=priority)
    assert len(huey) == 4
    worker = Worker("huey_consumer", "huey_work.huey", "--workers", 1, "--no-periodic")
    until("all ran", lambda: connection.llen("order") == 4)
    assert connection.lrange("order", 0, -1) == [b"9", b"9", b"5", b"1"]
    worker.stop()

    worker = start()
    assert add(2, 3).get(blocking=True, timeout=20) == 5
    assert add.map([(n, n) for n in range(5)]).get(blocking=True, timeout=20) == [2 * n for n in range(5)]
    assert huey.enqueue(add.s(1, 2).then(add, 3).then(add, 4)).get(blocking=True, timeout=20)[-1] == 10
    assert flaky("flaky", 2).get(blocking=True, timeout=20) == 3
    try:
        flaky("hopeless", 9).get(blocking=True, timeout=20)
        raise AssertionError("it must fail")
    except TaskException as error:
        assert "attempt" in str(error)
    before = time.time()
    later, revoked = now.schedule(delay=1), now.schedule(delay=1)
    revoked.revoke()
    assert revoked.is_revoked()
    until("both are scheduled", lambda: huey.scheduled_count() == 2)
    assert later.get(blocking=True, timeout=20) - before >= 1
    until("the revoked one is done with", lambda: huey.scheduled_count() == 0 and not revoked.is_revoked())
    assert revoked.get() is None
    # one at a time: the second one finds the lock taken
    first = alone()
    assert connection.blpop("alone", 20)
    second = alone()
    try:
        second.get(blocking=True, timeout=20)
        raise AssertionError("it must fail")
    except TaskException as error:
        assert TaskLockedException.__name__ in str(error)
    connection.rpush("alone:go", "go")
    assert first.get(blocking=True, timeout=20) == "done"
    with huey.lock_task("here"):
        assert huey.is_locked("here")
    assert not huey.is_locked("here")
    assert connection.exists("minutes")
    # kill -9: huey takes a task from the queue before it runs it, so the running one is gone, and the waiting ones are not
    hang()
    hang()
    for _ in range(2):
        assert connection.blpop("hangs", 20)
    waits = add(20, 22)
    worker.kill()
    worker = start()
    assert waits.get(blocking=True, timeout=20) == 42
    worker.stop()


steps = [results_retries_delays]
