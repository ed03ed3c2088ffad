"""MEMORY: https://redis.io/docs/latest/commands/memory-stats/"""
import gc

from carnelian.base.errors import SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK, Verbatim
from carnelian.keyspace import LOADING, READONLY, STALE, command
from carnelian.scripting.figures import ScriptFigures
from carnelian.server.words.common import help_text
from carnelian.server.words.figures import Memory, human


@command("MEMORY USAGE key [SAMPLES count]", READONLY, since="4.0.0", group="server", keys="RO", complexity="O(1)")
def memory_usage(c, key: bytes, *options: bytes):
    """Tell the bytes that a key and its value take (all of it is counted, whatever SAMPLES says)."""
    if options:
        if len(options) != 2 or options[0].upper() != b"SAMPLES" or parse_integer(options[1]) < 0:
            raise SyntaxFault()
    return c.db.memory_of(key)


@command("MEMORY STATS", 0, since="4.0.0", group="server", complexity="O(1)")
def memory_stats(c):
    """Tell where the memory goes."""
    memory = Memory(c.engine)
    resident = memory.data_resident
    reply = {
        b"peak.allocated": memory.peak, b"total.allocated": memory.used, b"startup.allocated": 0, b"replication.backlog": 0,
        b"clients.slaves": 0, b"clients.normal": memory.clients, b"cluster.links": 0, b"aof.buffer": 0,
        b"lua.caches": ScriptFigures(c.engine).caches,
        b"functions.caches": 0}
    for index, size in memory.tables.items():
        reply[b"db.%d" % index] = {
            b"overhead.hashtable.main": size, b"overhead.hashtable.expires": 0, b"overhead.hashtable.slot-to-keys": 0}
    reply.update({
        b"overhead.total": memory.overhead, b"keys.count": memory.keys,
        b"keys.bytes-per-key": memory.used // memory.keys if memory.keys else 0, b"dataset.bytes": memory.dataset,
        b"dataset.percentage": memory.share(memory.dataset),
        b"peak.percentage": memory.used * 100 / memory.peak if memory.peak else 0.0,
        b"allocator.allocated": memory.used, b"allocator.active": resident, b"allocator.resident": resident,
        b"allocator-fragmentation.ratio": 1.0, b"allocator-fragmentation.bytes": 0,
        b"allocator-rss.ratio": resident / memory.used if memory.used else 0.0, b"allocator-rss.bytes": resident - memory.used,
        b"rss-overhead.ratio": memory.resident / resident if resident else 0.0,
        b"rss-overhead.bytes": memory.resident - resident, b"fragmentation": memory.fragmentation,
        b"fragmentation.bytes": memory.resident - memory.used})
    return reply


@command("MEMORY DOCTOR", 0, since="4.0.0", group="server", complexity="O(1)")
def memory_doctor(c):
    """Say in words what is remarkable about the memory."""
    memory = Memory(c.engine)
    lines = []
    if memory.used < 5 << 20:
        lines.append("There is next to nothing in this instance: nothing can be said about its memory yet.")
    else:
        if memory.peak > memory.used * 1.5:
            lines.append(f"- At its peak the store took {human(memory.peak)}, now it takes {human(memory.used)}: the process may keep "
                         "memory that is free, for later use.")
        if memory.fragmentation > 1.4 and memory.resident - memory.used > 100 << 20:
            lines.append(f"- The process takes {memory.fragmentation:.1f} times the memory of the data. MEMORY PURGE gives back what it "
                         "can; Python itself takes some 20 MB.")
        if memory.clients > memory.used // 4:
            lines.append(f"- The buffers of the clients take {human(memory.clients)}: somebody sends or receives much at once "
                         "(CLIENT LIST shows qbuf and omem).")
        if c.engine.maxmemory and memory.used > c.engine.maxmemory * 0.9:
            lines.append(f"- {memory.used * 100 / c.engine.maxmemory:.0f} % of maxmemory are in use.")
        lines.insert(0, "This is remarkable about the memory:" if lines else "Nothing is remarkable about the memory.")
    return Verbatim("\n".join(lines).encode() + b"\n")


@command("MEMORY PURGE", 0, since="4.0.0", group="server", complexity="Depends on how much is free")
def memory_purge(c):
    """Give back memory that is not in use."""
    gc.collect()
    for session in c.engine.sessions.values():
        if session is not c.session:
            session.reader.trim()
            session.writer.trim()
    return OK


@command("MEMORY MALLOC-STATS", 0, since="4.0.0", group="server", complexity="O(1)")
def memory_malloc_stats(c):
    """Tell what the allocator tells."""
    memory = Memory(c.engine)
    return Verbatim(f"carnelian: {memory.used} bytes in use, {memory.peak} at the peak; process: {memory.resident} bytes resident. "
                    "Blocks come from Python's allocator.\n".encode())


@command("MEMORY HELP", LOADING | STALE, since="4.0.0", group="server", complexity="O(1)")
def memory_help(c):
    """Explain the subcommands of MEMORY."""
    return help_text("MEMORY", """
DOCTOR
    Say in words what is remarkable about the memory.
MALLOC-STATS
    Tell what the allocator tells.
PURGE
    Give back memory that is not in use.
STATS
    Tell where the memory goes.
USAGE <key> [SAMPLES <count>]
    Tell the bytes that a key and its value take.
""")
