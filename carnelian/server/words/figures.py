"""Figures about the process and the memory that INFO and MEMORY show."""
import os
import secrets
import sys
import threading

try:
    import resource
except ImportError:                         # Windows
    resource = None

RUN_ID = secrets.token_hex(20)


class Replication:
    """The identity of this data set for replicas (DEBUG CHANGE-REPL-ID gives it a new one)."""

    id = secrets.token_hex(20)

    @classmethod
    def change(cls) -> None:
        cls.id = secrets.token_hex(20)


def human(size: float) -> str:
    """Bytes for people: `512B`, `1.50K`, `3.20M`, ..."""
    if size < 1024:
        return f"{int(size)}B"
    for unit in "KMGTPE":
        size /= 1024
        if size < 1024:
            break
    return f"{size:.2f}{unit}"


def resident() -> int:
    """Bytes of the process that are in memory; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        pass
    if resource is None:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


# Bytes of the interpreter and its modules: what the process takes before there are any data, about.
AT_START = resident()


def machine_memory() -> int:
    """Bytes of memory of the machine; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def processor_times() -> dict:
    """Seconds of processor time of the process, of its children and of this thread."""
    if resource is None:
        times = os.times()
        return {"used_cpu_sys": times.system, "used_cpu_user": times.user, "used_cpu_sys_children": 0.0, "used_cpu_user_children": 0.0}
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {"used_cpu_sys": own.ru_stime, "used_cpu_user": own.ru_utime,
               "used_cpu_sys_children": children.ru_stime, "used_cpu_user_children": children.ru_utime}
    if hasattr(resource, "RUSAGE_THREAD") and threading.current_thread() is threading.main_thread():
        main = resource.getrusage(resource.RUSAGE_THREAD)
        figures.update(used_cpu_sys_main_thread=main.ru_stime, used_cpu_user_main_thread=main.ru_utime)
    return figures


class Memory:
    """What the store's memory goes into, in bytes: `used` in all, `overhead` beside the data, `dataset`."""

    def __init__(self, engine):
        store = engine.store
        self.used = store.memory()
        samples = engine.samples
        samples.peak_memory = self.peak = max(samples.peak_memory, self.used)
        self.tables = {database.index: database.table_memory() for database in store.databases if len(database)}
        self.clients = sum(session.reader.size_in_memory + session.writer.size_in_memory for session in engine.sessions.values())
        self.overhead = min(self.used, sum(self.tables.values()) + self.clients)
        self.dataset = self.used - self.overhead
        self.resident = resident()
        self.keys = sum(map(len, store.databases))

    def share(self, part: int) -> float:
        """Percent of `used`."""
        return part * 100 / self.used if self.used else 0.0

    @property
    def data_resident(self) -> int:
        """Bytes of the process beyond those that it began with: what the allocators hold for the data, about."""
        return max(self.used, self.resident - AT_START)

    @property
    def fragmentation(self) -> float:
        return self.resident / self.used if self.used else 0.0
