# cython: language_level=3, cdivision=True
"""Snapshots without a fork: a pass over the tables in slices, between batches.

Every entry has a mark (entry.pxd, SEEN) whose meaning turns over with each snapshot. The pass writes an entry when it comes to
it and marks it. Whoever is about to look at an unmarked entry, perhaps to change or remove it, has the database hand it to the
snapshot first (Guard.preserve), so it is written as it was at the beginning. New entries are born marked. So each entry of the
beginning is written once, and the order does not matter.

A structure is written whole in one step: a change of a sorted set of a million members that the pass has not reached takes as
long as writing it.
"""
import cython
from cython.cimports.carnelian.base.clock import steady_nanoseconds
from cython.cimports.carnelian.keyspace.database import frequency_at
from cython.cimports.carnelian.types.table import EXPIRES, INLINE, SEEN, entry_expiry, entry_key, entry_kind, entry_object, entry_value

import logging

from carnelian.persistence import format
from carnelian.types import serial_types
from carnelian.types.serial_write import type_of

log = logging.getLogger("carnelian")

# Bytes gathered before they are handed on.
CHUNK = cython.declare(cython.size_t, 1 << 15)
# Steps of a scan (a bucket or two each) between two looks at the clock.
STEPS = cython.declare(cython.int, 16)
DATABASE = cython.declare(cython.int, format.DATABASE)
SIZES = cython.declare(cython.int, format.SIZES)
EXPIRY = cython.declare(cython.int, format.EXPIRY_MILLISECONDS)
IDLE = cython.declare(cython.int, format.IDLE)
FREQUENCY = cython.declare(cython.int, format.FREQUENCY)
STRING = cython.declare(cython.int, serial_types.STRING)


def visit(context, slot):
    snapshot: Snapshot = cython.cast(Snapshot, context)
    return snapshot.see(snapshot.index, slot[0])


@cython.final
@cython.cclass
class Snapshot(Guard):
    """The state of a store now, as the body of an RDB file, from the first database to the last entry.

    `sink` gets its bytes in chunks, as `advance` is called; it must not block. `policy` is maxmemory-policy: recency or
    frequency of use is written where it matters. One at a time for a store.
    """

    def __init__(self, store: Store, sink, compress: bool = True, policy: str = "noeviction"):
        db: Database
        if any(cython.cast(Database, database).guard is not None for database in store.databases):
            raise RuntimeError("a snapshot of this store is under way")
        self.store = store
        self.sink = sink
        self.output = Output()
        self.output.compress = compress
        self.is_frequency = "lfu" in policy
        self.is_recency = "lru" in policy
        self.selected = -1
        self.parts = []
        self.adopted = []
        self.sizes = {}
        self.now = store.now
        for database in store.databases:
            db = cython.cast(Database, database)
            if len(db):
                self.parts.append((db.index, db.table))
                self.sizes[db.index] = len(db), db.volatile_count
                self.total += len(db)
            db.begin_guard(self)
            self.seen = db.epoch

    # --- what the databases say --------------------------------------------------------------------------------------

    def preserve(self, db, e):
        self.see(db.origin, e)
        return 0

    def adopt(self, db, table):
        self.adopted.append(table)
        return 0

    # --- writing -----------------------------------------------------------------------------------------------------

    def see(self, index, e):
        if e.meta & SEEN == self.seen:
            return 0
        e.meta ^= SEEN
        if self.silent:
            return 0
        try:
            self.put_entry(index, e)
        except Exception as error:
            log.exception("A snapshot can't be written")
            self.failure = error
            self.give_up()
        return 0

    def put_entry(self, index, e):
        output: Output = self.output
        if index != self.selected:
            self.selected = index
            output.put_byte(DATABASE)
            output.put_length(index)
            sizes = self.sizes.pop(index, None)
            if sizes is not None:
                output.put_byte(SIZES)
                output.put_length(sizes[0])
                output.put_length(sizes[1])
        if e.meta & EXPIRES:
            output.put_byte(EXPIRY)
            output.put_milliseconds(entry_expiry(e).at)
        if self.is_recency:
            output.put_byte(IDLE)
            output.put_length(max(0, ((self.now // 1000) & 0xFFFFFF) - (e.meta >> 8)))
        elif self.is_frequency:
            output.put_byte(FREQUENCY)
            output.put_byte(frequency_at(e, cython.cast(cython.uint, (self.now // 60000) & 0xFFFF) << 8))
        self.keys += 1
        if entry_kind(e) == INLINE:
            output.put_byte(STRING)
            output.put_string(entry_key(e), e.key_length)
            output.put_string(entry_value(e), e.value_length)
        else:
            value = cython.cast(object, entry_object(e))
            output.put_byte(type_of(value))
            output.put_string(entry_key(e), e.key_length)
            output.put_value(value)
        if output.size >= CHUNK:
            self.emit()
        return 0

    def emit(self):
        if self.output.size:
            self.sink(self.output.take())
        return 0

    # --- the pass ----------------------------------------------------------------------------------------------------

    def advance(self, nanoseconds):
        """Goes on for so long (below 0: to the end). Whether the end was reached; then everything has been handed to the sink."""
        began: cython.longlong = steady_nanoseconds()
        steps: cython.int = 0
        table: Table
        while self.parts:
            self.index, table = self.parts[0]
            self.cursor = table.scan(self.cursor, visit, cython.cast(cython.p_void, self))
            if self.cursor == 0:
                self.parts.pop(0)
            steps += 1
            if steps >= STEPS and nanoseconds >= 0:
                steps = 0
                if steady_nanoseconds() - began > nanoseconds:
                    return False
        if not self.ended:
            self.end()
        return True

    def end(self):
        db: Database
        self.ended = True
        if not self.silent:
            self.emit()
        for database in self.store.databases:
            db = cython.cast(Database, database)
            if db.guard is self:
                db.end_guard()
        for table in self.adopted:
            self.store.bury(table)
        self.adopted.clear()

    def give_up(self):
        """Nothing is written any more; the pass has still to come to its end, as every entry must be marked."""
        self.silent = True
        self.output.take()
        return 0
