# cython: language_level=3, cdivision=True
"""Cluster mode, as one node that owns every slot: code that was written for a cluster runs, and is refused what a cluster
refuses. https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""
import secrets

import cython
from cython.cimports.carnelian.engine.command_table import BoundCommand
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.request_keys import keys_of
from cython.cimports.carnelian.types.table import Entry, Position, Table, entry_key
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.string import memchr

SLOTS = 16384
CROSS_SLOT = "CROSSSLOT Keys in request don't hash to the same slot"

remainders = cython.declare(cython.ushort[256])


@cython.cfunc
@cython.exceptval(check=False)
def fill_remainders() -> cython.void:
    """The CRC16 of each byte: polynomial 0x1021, most significant bit first (XMODEM)."""
    byte: cython.int
    bit: cython.int
    crc: cython.uint
    for byte in range(256):
        crc = byte << 8
        for bit in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        remainders[byte] = crc & 0xFFFF


fill_remainders()


def slot_of(key, n):
    i: cython.size_t
    crc: cython.uint = 0
    end: cython.p_const_char
    begin: cython.p_const_char = cython.cast(cython.p_const_char, memchr(key, b"{", n))
    if begin != cython.NULL:
        # A hash tag: what stands between the first { and the first } after it counts alone, unless it is empty.
        begin += 1
        end = cython.cast(cython.p_const_char, memchr(begin, b"}", n - (begin - key)))
        if end != cython.NULL and end != begin:
            key = begin
            n = end - begin
    for i in range(n):
        crc = ((crc << 8) & 0xFFFF) ^ remainders[(crc >> 8) ^ cython.cast(cython.uchar, key[i])]
    return crc & (SLOTS - 1)


def key_slot(key: bytes) -> int:
    """The hash slot of a key."""
    return slot_of(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))


@cython.cfunc
@cython.exceptval(-9, check=False)
def common_slot(keys: list, slot: cython.int) -> cython.int:
    """The slot of all the keys, and of those before (slot, -1 if there were none); -2: there are several."""
    found: cython.int
    for item in keys:
        key: bytes = item
        found = slot_of(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot >= 0 and found != slot:
            return -2
        slot = found
    return slot


def same_slot(keys: list) -> bool:
    """Whether all the keys (bytes) belong to one slot."""
    return common_slot(keys, -1) != -2


@cython.cfunc
@cython.exceptval(check=False)
def next_in_slot(table: Table, position: cython.pointer(Position), slot: cython.int) -> cython.pointer(Entry):
    """The next entry of a slot, NULL at the end of the table."""
    at: cython.pointer(cython.pointer(Entry))
    while True:
        at = table.next(position)
        if at == cython.NULL:
            return cython.NULL
        if slot_of(entry_key(at[0]), at[0].key_length) == slot:
            return at[0]


def count_keys(database: Database, slot: cython.int) -> int:
    """How many keys belong to a slot: every key of the database is looked at."""
    position: Position
    count: cython.size_t = 0
    database.table.start(cython.address(position))
    while next_in_slot(database.table, cython.address(position), slot) != cython.NULL:
        count += 1
    return count


def keys_in_slot(database: Database, slot: cython.int, limit: int) -> list:
    """Up to so many keys of a slot."""
    found: list = []
    position: Position
    e: cython.pointer(Entry)
    most: cython.Py_ssize_t = min(limit, 1 << 62)
    database.table.start(cython.address(position))
    while len(found) < most:
        e = next_in_slot(database.table, cython.address(position), slot)
        if e == cython.NULL:
            break
        found.append(PyBytes_FromStringAndSize(entry_key(e), e.key_length))
    return found


@cython.final
@cython.cclass
class Cluster:
    """What an engine in cluster mode is called, and what it refuses. The names are new with each start."""

    def __init__(self, engine: Engine):
        self.node_id = secrets.token_hex(20)
        self.shard_id = secrets.token_hex(20)
        # A twin does not ask whether its keys go together.
        for name, item in engine.table.commands.items():
            command: BoundCommand = item
            usage = command.declaration.usage
            if command.twin != cython.NULL and (usage.movable or usage.legacy[0] != usage.legacy[1]):
                command.twin = cython.NULL

    def slot_of_request(self, command, words):
        return common_slot(keys_of(command, words), -1)

    def is_split(self, session, command, words):
        slot: cython.int = -1
        if command.name == "exec":
            for queued, request in session.queue:
                slot = common_slot(keys_of(queued, request), slot)
                if slot == -2:
                    return True
            return False
        return self.slot_of_request(command, words) == -2
