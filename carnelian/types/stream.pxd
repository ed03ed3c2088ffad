# A stream: an append-only log of entries with rising IDs, and its consumer groups. The log is a sequence of blocks
# (types/stream_block) in one array, found by binary search; what is trimmed from the front only moves the array's start.
#
# In Python an ID is a tuple (milliseconds, sequence).

from libc.stdint cimport int64_t, uint8_t, uint64_t
from carnelian.protocol.reader cimport Slice
from carnelian.types.stream_block cimport Block, BlockEntry

cdef class Stream:
    cdef Block *blocks              # in use: [front, front + count)
    cdef Py_ssize_t capacity
    cdef Py_ssize_t front
    cdef Py_ssize_t count
    cdef size_t last_capacity       # allocated bytes of the last pack; the others have none to spare
    cdef size_t first_offset        # of the first live entry in the first pack, 0 if it is to be looked for
    cdef size_t packs               # bytes of all packs, as allocated
    cdef readonly uint64_t length   # live entries
    cdef readonly uint64_t entries_added
    cdef uint64_t first_ms, first_seq           # the first live entry, 0-0 if there is none
    cdef uint64_t last_ms, last_seq             # the highest ID that was ever added
    cdef uint64_t deleted_ms, deleted_seq       # the highest one that was ever deleted by its ID
    cdef readonly dict groups       # name -> Group, or None

    # --- the log ---
    # The ID of an automatic entry at this time; False when there is no higher one.
    cdef bint next_id(self, uint64_t now, uint64_t *ms, uint64_t *seq) noexcept
    # Adds an entry: words are field, value, field, value, ... (pairs of them). Returns 1; 0, and nothing is done, when the
    # ID is not above the last one. The caller sees to it that an entry stays below BLOCK_LIMIT bytes.
    cdef int append(self, uint64_t ms, uint64_t seq, const Slice *words, Py_ssize_t pairs) except -1
    # Entries removed from the front to leave no more than `length` of them; approximate: whole blocks only, and at most
    # `limit` entries (0: no limit).
    cdef int64_t cut_length(self, uint64_t length, bint approximate, int64_t limit) except -1
    cdef int64_t cut_before(self, uint64_t ms, uint64_t seq, bint approximate, int64_t limit) except -1
    # One entry: as XDEL does, or as trimming does, which the highest deleted ID does not tell of. True if it was there.
    cdef bint remove(self, uint64_t ms, uint64_t seq) except -1
    cdef bint take(self, uint64_t ms, uint64_t seq) except -1
    cdef bint has(self, uint64_t ms, uint64_t seq) noexcept
    # The last block whose key is not above the ID, counted from front; -1 if there is none.
    cdef Py_ssize_t block_of(self, uint64_t ms, uint64_t seq) noexcept

    # --- steps of the calls above ---
    cdef bint is_full(self, Block *block) noexcept
    cdef size_t allocated(self, Py_ssize_t at) noexcept
    cdef int add_block(self, uint64_t ms, uint64_t seq, const Slice *words, Py_ssize_t pairs) except -1
    cdef int room_for_block(self) except -1
    cdef int close_last(self) except -1
    cdef int drop_block(self, Py_ssize_t at) except -1
    cdef int shrink(self) except -1
    cdef int mark_deleted(self, Py_ssize_t at, BlockEntry *entry) except -1
    cdef int find_first(self) except -1
    cdef int cut_first(self) except -1

cdef class Walk:
    """Live entries of a range, forwards or backwards; the stream must not change meanwhile."""
    cdef Stream stream
    cdef Py_ssize_t block           # counted from front
    cdef BlockEntry entry           # where the walk stands, once next() has said True
    cdef bint backwards
    cdef bint begun
    cdef uint64_t low_ms, low_seq, high_ms, high_seq
    cdef uint8_t *fields_of         # the master fields that `fields` holds
    cdef list fields

    cdef bint next(self) noexcept
    cdef bint begin(self) noexcept
    cdef bint step(self) noexcept
    cdef bytes id_text(self)
    cdef list words(self)           # field, value, field, value, ...

cdef Walk walk(Stream stream, uint64_t low_ms, uint64_t low_seq, uint64_t high_ms, uint64_t high_seq, bint backwards)
# The entries that approximate trimming may remove in one go, where the caller does not say.
cdef int64_t trim_limit() noexcept
