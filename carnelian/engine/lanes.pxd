# What the compiled twins share. A twin answers the common case from the slices of the input buffer; see engine.pxd.

from libc.stdint cimport int64_t
from carnelian.keyspace.database cimport Database
from carnelian.keyspace.session cimport Session
from carnelian.keyspace.store cimport Store
from carnelian.protocol.reader cimport Slice
from carnelian.types.table cimport Entry, entry_kind, entry_object

# Tells whoever watches the key what Call.changed would tell.
cdef int tell(Store store, Database db, Slice *key, str event, str group) except -1
# After a removal from a structure: deletes the key if nothing is left in it, with its event.
cdef int vanish(Store store, Database db, Slice *key) except -1

cdef inline int effect(Store store, Database db, Slice *key, int64_t changes, str event, str group) except -1:
    store.dirty += changes
    if store.attentive:
        tell(store, db, key, event, group)
    return 0

cdef inline bint says(Slice *word, const char *upper, size_t n) noexcept nogil:
    """Whether the word is that option (given in upper case) in any case."""
    cdef size_t i
    cdef unsigned char c
    if word.length != n:
        return False
    for i in range(n):
        c = word.data[i]
        if 97 <= c <= 122:
            c -= 32
        if c != <unsigned char>upper[i]:
            return False
    return True

cdef enum:                      # what reach() has found
    MISSING = 0
    FOUND = 1
    ELSEWHERE = 2               # another type, or a notification is due: the general body answers

cdef inline int read(Store store, Database db, Slice *key, int kind, Entry **found) noexcept:
    """The entry that a reading word asks for; hits and misses are counted."""
    cdef Entry **slot
    if store.notify_flags:
        return ELSEWHERE
    slot = db.lookup(key.data, key.length)
    if slot == NULL:
        store.misses += 1
        return MISSING
    if entry_kind(slot[0]) != kind:
        return ELSEWHERE
    store.hits += 1
    found[0] = slot[0]
    return FOUND

cdef inline int reach(Store store, Database db, Slice *key, int kind, Entry **found) noexcept:
    """The entry that a writing word changes."""
    cdef Entry **slot
    if store.notify_flags:
        return ELSEWHERE
    slot = db.lookup(key.data, key.length)
    if slot == NULL:
        return MISSING
    if entry_kind(slot[0]) != kind:
        return ELSEWHERE
    found[0] = slot[0]
    return FOUND

# The elements [start, stop] of `length` that LRANGE's and ZRANGE's indexes mean: how many, and the first; -1: no integers.
cdef int64_t bounds(Slice *first, Slice *last, int64_t length, int64_t *start) noexcept
