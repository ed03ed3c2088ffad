# A listpack of `member, score, member, score, ...`, ordered by score, then by the member's bytes: a small sorted set.
# A score is an integer element where it is one, else its shortest text. Positions point at members.

from carnelian.types.listpack cimport pack
from carnelian.types.ranked_tree cimport Bound

cdef size_t score_text(double score, char *text) noexcept                       # as it is stored; room for 32 bytes
cdef double sp_score(pack p) noexcept                                           # of the score element at p
cdef pack sp_find(pack lp, const char *member, size_t n) noexcept               # NULL if there is none
cdef Py_ssize_t sp_cut(pack lp, Bound *bound) noexcept                          # members left of the bound
cdef int sp_insert(pack *lp, double score, const char *member, size_t n) except -1      # a member that is not there
cdef int sp_remove(pack *lp, pack p) except -1
cdef int sp_check(pack lp) except -1        # ValueError unless it is pairs in order, no member twice
