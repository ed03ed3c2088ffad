# The sorted set: members with scores, ordered by score, then by the member's bytes.
#
# Small (OBJECT ENCODING listpack): one listpack `member, score, member, score, ...` in order, as in Redis's snapshots.
# Large (skiplist, Redis's name): a Table whose entries hold member and score, and a RankedTree over the entries.
# One Python object of 32 bytes; the low bit of its pointer says which.

cimport cython
from cpython.object cimport PyObject
from carnelian.types.listpack cimport Item, pack
from carnelian.types.ranked_tree cimport Bound, Cursor, Ranked, RankedTree
from carnelian.types.table cimport Table

cdef enum:                      # flags of add, those of ZADD
    ADD_INCR = 1
    ADD_NX = 2
    ADD_XX = 4
    ADD_GT = 8
    ADD_LT = 16

cdef enum:                      # what add has done; 0: the member was there with this score
    NOTHING_ADDED = 1           # the flags forbade it
    NOT_A_NUMBER = 2            # inf - inf: nothing is changed
    MEMBER_ADDED = 4
    SCORE_UPDATED = 8

ctypedef struct Member:         # valid until the set is changed; not to be copied (data may point to item.digits)
    const char *data
    size_t length
    double score
    Item item

ctypedef struct Walk:           # members in order, or in reverse; ends when the set is changed
    bint reverse
    pack lp                     # small: the pack, and the next member or NULL
    pack at
    Ranked *next                # large: the next member or NULL
    Cursor cursor

ctypedef struct Large:
    PyObject *table             # one reference
    RankedTree tree

cdef bint walk_next(Walk *walk, Member *member) noexcept            # False at the end

@cython.final
cdef class SortedSet:
    cdef void *data             # a pack, or a Large with the low bit set

    cdef Py_ssize_t length(self) noexcept
    # Adds a member or changes its score, as the flags allow. *result is the score that the member then has, where
    # neither NOTHING_ADDED nor NOT_A_NUMBER is answered. The score is no NaN.
    cdef int add(self, double score, const char *member, size_t n, int flags, double *result) except -1
    cdef bint score_of(self, const char *member, size_t n, double *score) noexcept      # False: no such member
    cdef bint remove(self, const char *member, size_t n) except -1                      # False: no such member
    cdef Py_ssize_t rank(self, const char *member, size_t n, double *score) noexcept    # from the lowest; -1: none
    cdef Py_ssize_t rank_of_score(self, double score, bint after) noexcept  # members with scores below (after: or equal)
    cdef void walk(self, Walk *walk, Py_ssize_t rank, bint reverse) noexcept            # begins at that rank
    cdef bint peek(self, Member *member, bint last) noexcept                            # the lowest or highest; False: empty
    cdef Py_ssize_t remove_ranks(self, Py_ssize_t start, Py_ssize_t stop) except -1     # ranks [start, stop); how many
    cdef int choose(self, Py_ssize_t count, Py_ssize_t longest) except -1   # the encoding, while empty, for what is to come

    # Adds a member that is not there.
    cdef int insert(self, double score, const char *member, size_t n) except -1
    # An empty set takes over a table of SCORED entries (all of them, in order) as a large one.
    cdef int adopt(self, Table table, Ranked *items, Py_ssize_t count) except -1
    cdef Py_ssize_t cut(self, Bound *bound) noexcept                    # members left of the bound
    cdef bint is_small(self) noexcept
    cdef pack small(self) noexcept                                      # the pack; NULL if large

    # The steps of the calls above.
    cdef pack *packs(self) noexcept
    cdef Large *large(self) noexcept
    cdef int enlarge(self) except -1
    cdef bint large_remove(self, const char *member, size_t n) except -1
