"""RQ does real work: retries, schedules, dependencies, unique and limited jobs, killed workers."""
import os
import signal
from datetime import timedelta

import redis
from rq import Callback, Queue, Repeat, Retry, get_current_job
from rq.job import JobStatus
from rq.registry import FailedJobRegistry, FinishedJobRegistry, ScheduledJobRegistry, StartedJobRegistry

from work import URL, Worker, dead, until

connection = redis.Redis.from_url(URL)


# ---- jobs

def square(n):
    return n * n


def note(text, key="notes"):
    get_current_job().connection.rpush(key, text)


def fail(key, times):
    """Fails so many times."""
    count = get_current_job().connection.incr(key)
    if count <= times:
        raise ValueError(f"attempt {count}")
    return count


def total():
    return sum(dependency.return_value() for dependency in get_current_job().fetch_dependencies())


def hang_once(key):
    """Hangs when it runs for the first time, and says in which process."""
    own = get_current_job().connection
    if own.incr(f"{key}:runs") == 1:
        own.rpush(key, os.getpid())
        own.blpop(f"{key}:never")
    return "not lost"


def succeeded(job, own_connection, result, *args, **kwargs):
    own_connection.rpush("callbacks", f"{job.func_name} {result}")


# ---- steps

def start(*arguments):
    return Worker("rq", "worker", "--url", URL, "--job-monitoring-interval", 1, *arguments)


def finished(job):
    def check():
        status = job.get_status()
        assert status not in (JobStatus.FAILED, JobStatus.STOPPED), job.latest_result().exc_string
        return status == JobStatus.FINISHED
    until(f"{job.func_name} is finished", check)
    return job.return_value()


def results_order_and_dependencies():
    high, low = (Queue(name, connection=connection) for name in ("high", "low"))
    squares = [high.enqueue("rq_work.square", n) for n in range(5)]
    dependent = high.enqueue("rq_work.total", depends_on=squares, on_success=Callback("rq_work.succeeded"))
    low.enqueue("rq_work.note", "low")
    low.enqueue("rq_work.note", "low, in front", at_front=True)
    last = low.enqueue("rq_work.note", "last")
    high.enqueue("rq_work.note", "high")
    assert (low.count, dependent.get_status()) == (3, JobStatus.DEFERRED)
    worker = start("high", "low")
    assert finished(dependent) == 30 and [finished(job) for job in squares] == [0, 1, 4, 9, 16]
    finished(last)
    assert connection.lrange("notes", 0, -1) == [b"high", b"low, in front", b"low", b"last"]
    assert connection.lrange("callbacks", 0, -1) == [b"rq_work.total 30"]
    assert set(FinishedJobRegistry(queue=high).get_job_ids()) >= {job.id for job in (*squares, dependent)}
    worker.stop()


def retries_schedules_and_repeats():
    queue = Queue("q", connection=connection)
    better = queue.enqueue("rq_work.fail", "better", 2, retry=Retry(max=2))
    worse = queue.enqueue("rq_work.fail", "worse", 2, retry=Retry(max=1))
    later = queue.enqueue_in(timedelta(seconds=1), "rq_work.square", 12)
    again = queue.enqueue("rq_work.note", "again", "repeats", repeat=Repeat(times=2, interval=0))
    slow = queue.enqueue("rq_work.fail", "slow", 1, retry=Retry(max=1, interval=1))
    assert later in ScheduledJobRegistry(queue=queue)
    worker = start("--with-scheduler", "q")
    assert finished(better) == 3
    until("it has failed", lambda: worse.get_status() == JobStatus.FAILED)
    assert worse in FailedJobRegistry(queue=queue) and "attempt 2" in worse.latest_result().exc_string
    assert [result.type.name for result in worse.results()] == ["FAILED"]
    assert finished(later) == 144 and finished(slow) == 2
    until("it ran three times", lambda: connection.llen("repeats") == 3)
    assert again.get_status() == JobStatus.FINISHED and len(again.results()) >= 1
    FailedJobRegistry(queue=queue).requeue(worse)
    assert finished(worse) == 3
    worker.stop()


def unique_and_limited():
    from rq.exceptions import DuplicateJobError
    from rq.rate_limit import RateLimit
    queue = Queue("limits", connection=connection)
    queue.enqueue("rq_work.square", 1, job_id="one", unique=True)
    try:
        queue.enqueue("rq_work.square", 1, job_id="one", unique=True)
        raise AssertionError("enqueued twice")
    except DuplicateJobError:
        pass
    limited = [queue.enqueue("rq_work.square", n, rate_limit=RateLimit("api", concurrency=1)) for n in range(4)]
    assert queue.count == 2 and limited[3].get_status() == JobStatus.RATE_LIMITED
    worker = start("limits")
    assert [finished(job) for job in limited] == [0, 1, 4, 9]
    worker.stop()


def killed_workers():
    queue = Queue("killed", connection=connection)
    # the process that runs the job is killed: its worker sees it
    job = queue.enqueue("rq_work.hang_once", "horse", retry=Retry(max=1))
    worker = start("killed")
    os.kill(int(connection.blpop("horse", 20)[1]), signal.SIGKILL)
    assert finished(job) == "not lost"
    # both are killed: another worker finds the job when its heartbeat is overdue
    job = queue.enqueue("rq_work.hang_once", "both", retry=Retry(max=1))
    horse = int(connection.blpop("both", 20)[1])
    worker.kill()
    if not dead(horse):
        os.kill(horse, signal.SIGKILL)
    until("it is dead", lambda: dead(horse))
    registry = StartedJobRegistry(queue=queue)
    assert job.get_status() == JobStatus.STARTED and job in registry
    for member in connection.zrange(registry.key, 0, -1):
        connection.zadd(registry.key, {member: 1})              # so much for the time that passes
    worker = start("killed")
    assert finished(job) == "not lost"
    assert registry.count == 0
    worker.stop()


steps = [results_order_and_dependencies, retries_schedules_and_repeats, unique_and_limited, killed_workers]
