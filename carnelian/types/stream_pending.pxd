# Pending entries of a consumer group, ordered by ID: a directory of chunks, each a sorted array of pointers. Finding is
# two binary searches; adding behind the last one and removing touch one chunk of at most CHUNK pointers.

from libc.stdint cimport int64_t, uint64_t

cdef enum:
    CHUNK = 128

ctypedef struct Nack:               # an entry that was delivered and not acknowledged; belongs to the group's list,
    uint64_t ms                     # and stands in its consumer's too
    uint64_t seq
    int64_t delivered               # when, the last time; milliseconds since the epoch
    int64_t count                   # deliveries
    void *consumer                  # a Consumer, not counted

ctypedef struct PendingChunk:
    uint64_t ms                     # the ID of the first item
    uint64_t seq
    Nack **items
    int count
    int capacity

ctypedef struct Pending:
    PendingChunk *chunks
    Py_ssize_t count                # chunks
    Py_ssize_t capacity
    size_t size                     # entries

ctypedef struct PendingPlace:       # in a walk; stale after a change
    Py_ssize_t chunk
    int index

cdef int pending_add(Pending *list, Nack *nack) except -1               # its ID is not there
cdef Nack *pending_find(Pending *list, uint64_t ms, uint64_t seq) noexcept
cdef Nack *pending_take(Pending *list, uint64_t ms, uint64_t seq) noexcept      # removed, and given to the caller; NULL
# The first entry at or behind an ID; NULL if there is none.
cdef Nack *pending_seek(Pending *list, uint64_t ms, uint64_t seq, PendingPlace *place) noexcept
cdef Nack *pending_next(Pending *list, PendingPlace *place) noexcept
cdef Nack *pending_last(Pending *list) noexcept
cdef void pending_clear(Pending *list) noexcept                         # forgets all; the entries live on
cdef size_t pending_memory(Pending *list) noexcept                      # without the entries
cdef int pending_check(Pending *list) except -1
