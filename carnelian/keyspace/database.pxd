# One numbered database: the table of its keys, their expiry, their access clocks.

from libc.stdint cimport int64_t, uint64_t, uint32_t
from carnelian.types.table cimport Table, Entry

ctypedef struct Due:
    int64_t at                  # milliseconds since the epoch, as in the entry's expiry cell
    Entry *entry

# lfu-log-factor and lfu-decay-time, for the whole process.
cdef uint32_t lfu_log_factor, lfu_decay_minutes
# The LFU counter of an entry (0 to 255) at a clock: what it was, less what time has taken.
cdef uint32_t frequency_at(Entry *e, uint32_t clock) noexcept

cdef enum:
    NOTHING_UNSEEN = 1          # no value of the flag SEEN: no snapshot is under way

# What a snapshot wants to be told of a database whose keys it is reading. persistence/snapshot.py has the one that writes.
cdef class Guard:
    # The entry is about to be looked at, perhaps to be changed, and has not been seen: its state is taken now.
    cdef int preserve(self, Database db, Entry *e) noexcept
    # All keys of the table go at once (FLUSHDB): it is the guard's now, unchanged, until it has been read.
    cdef int adopt(self, Database db, Table table) except -1

cdef class Database:
    cdef readonly int index
    cdef readonly Guard guard           # of the snapshot that reads this table, or None
    cdef int origin                     # the index that the table had when that began (SWAPDB may have moved it)
    cdef uint32_t epoch                 # new entries get it: the flag SEEN, or 0
    cdef uint32_t unseen                # entries with this value of the flag SEEN are still to be read; NOTHING_UNSEEN
    cdef Table table
    cdef public int64_t now             # set by Store.tick for every batch
    cdef public uint32_t clock          # 24 bits: what a touched entry gets (LRU: seconds; LFU: minutes << 8)
    cdef public bint frequency          # an LFU policy is in force: the low 8 bits are the logarithmic counter
    cdef public bint keep_expired       # expired keys are hidden, not removed (CLIENT PAUSE)
    cdef object owner                   # the Store: learns of expired keys, takes what is to be freed in slices
    cdef Due *due                       # every entry with an expiry, in no order; the entry's cell has its place
    cdef size_t due_count
    cdef size_t due_capacity
    cdef size_t due_cursor              # where the active cycle goes on
    cdef Due *hashes                    # hashes with fields that expire: when the first does; the hash has its place
    cdef size_t hash_count
    cdef size_t hash_capacity
    cdef size_t hash_cursor

    # The slot of a key, NULL if it is missing or has expired. Valid until the next change of the database.
    cdef Entry **lookup(self, const char *key, size_t n) noexcept       # renews the access clock
    cdef Entry **peek(self, const char *key, size_t n) noexcept         # does not
    cdef bint has_expired(self, Entry *e) noexcept
    cdef int touch(self, Entry *e) noexcept
    # SET's effect; returns the entry. keep_expiry: KEEPTTL.
    cdef Entry *set_string(self, const char *key, size_t n, const char *value, size_t m, bint keep_expiry) except NULL
    # The same for a value that the caller fills in: the entry's value has room for m bytes (found: the slot or NULL).
    cdef Entry *store_string(self, Entry **found, const char *key, size_t n, size_t m, bint keep_expiry) except NULL
    cdef Entry *put_object(self, const char *key, size_t n, int kind, object structure, bint keep_expiry) except NULL
    cdef Entry *reshape(self, Entry **slot, int kind, int flags, size_t value_length) except NULL
    cdef int set_expiry(self, Entry **slot, int64_t at) except -1
    cdef bint clear_expiry(self, Entry **slot) except -1                # whether it had one
    cdef bint remove(self, const char *key, size_t n) except -1         # whether it was there; no event
    cdef int forget_due(self, Entry *e) noexcept
    cdef int drop(self, Entry *e) except -1
    cdef int expire_slot(self, Entry **slot) noexcept
    cdef Entry **sample(self, bint volatile_only) noexcept              # a random slot; NULL if there is none
    cpdef size_t expire_some(self, size_t look_at, size_t remove_at_most) except? 0
    # Before a look into a hash with fields that expire: these are hidden, and some of them deleted; False: the key is gone.
    cdef bint freshen(self, Entry **slot) except -1
    # After the times of a hash's fields have changed: it is, or is no longer, among `hashes`.
    cdef int settle(self, Entry *e) except -1
    cdef int forget_hash(self, Entry *e) noexcept
    cdef int has_moved(self, Entry *e) noexcept                         # the entry of any value
    cdef size_t reap(self, Entry *e, size_t at_most, bint *gone) except? 0
    cpdef size_t expire_fields(self, size_t look_at, size_t remove_at_most) except? 0
    cdef int save_object(self, Entry * e) except -1
    cdef int begin_guard(self, Guard guard) except -1                   # every entry is unseen from now on
    cdef int end_guard(self) except -1                                  # all have been seen
    cdef uint32_t first_clock(self) noexcept

cdef class Scan:                        # what one step of SCAN has gathered
    cdef Database database
    cdef bytes pattern
    cdef int kind
    cdef list keys
    cdef list expired
    cdef int64_t seen

cdef int scan_visit(void *context, Entry **slot) except -1
