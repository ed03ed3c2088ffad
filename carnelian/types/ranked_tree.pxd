# An order-statistic tree: a counted B+-tree over (score, member), in C memory.
#
# Items are a score and the table's entry that holds the member; they are ordered by score, then by the member's bytes.
# A node is a header and up to WIDTH elements: items in a leaf, branches in an inner node. It is allocated for its
# count rounded up to 4k + 3, so a half-full node costs half. A branch repeats the first item below it and counts the
# items below it, so rank and select cost O(log n). Leaves know no neighbours; a cursor keeps the path to its item.
#
# R. Bayer, E. McCreight, "Organization and Maintenance of Large Ordered Indexes" (1972); counts as in
# T. Cormen et al., "Introduction to Algorithms", chapter "Augmenting data structures".

from libc.stdint cimport uint32_t
from carnelian.types.table cimport Entry

cdef enum:
    WIDTH = 31                  # elements in a node: a full leaf is a block of 512 bytes
    MAX_HEIGHT = 16             # at 8 elements a node at least, more than memory can hold

cdef enum:                      # what a bound compares
    BY_SCORE = 1                # the score alone
    BY_MEMBER = 2               # the member alone: where all scores are equal
    BY_BOTH = 3

ctypedef struct Node:
    uint32_t count              # elements
    uint32_t level              # 0: a leaf
    # the elements follow

ctypedef struct Ranked:
    double score
    Entry *entry

ctypedef struct Branch:
    double score                # of the first item below
    Entry *entry                # of the first item below
    Node *child
    Py_ssize_t count            # items below

ctypedef struct RankedTree:     # all zero: an empty tree
    Node *root
    Py_ssize_t count

ctypedef struct Bound:          # a cut through the order: what is left of it, what is right
    int by
    bint after                  # items equal to the bound are left of the cut
    double score
    const char *member
    size_t length

ctypedef struct Cursor:
    Node *nodes[16]             # from the root to the leaf
    int indexes[16]
    int height                  # 0: at no item

cdef int tree_insert(RankedTree *tree, double score, Entry *entry) except -1        # an item that is not in the tree
cdef bint tree_remove(RankedTree *tree, double score, const char *member, size_t n) except -1   # False: there is none
# Gives an item another score. False, and nothing done, where that would move it: then remove and insert.
cdef bint tree_rescore(RankedTree *tree, double score, const char *member, size_t n, double wanted) noexcept
cdef Py_ssize_t tree_cut(RankedTree *tree, Bound *bound) noexcept                   # items left of the bound
cdef Ranked *tree_seek(RankedTree *tree, Py_ssize_t rank, Cursor *cursor) noexcept  # NULL out of range
cdef Ranked *cursor_next(Cursor *cursor) noexcept                                   # NULL at the end
cdef Ranked *cursor_previous(Cursor *cursor) noexcept
cdef Py_ssize_t tree_free_some(RankedTree *tree, Py_ssize_t budget) except -1       # frees items, no entries; what is left
cdef void tree_free(RankedTree *tree) noexcept
cdef size_t tree_bytes(RankedTree *tree) noexcept                                   # of the nodes; walks the inner ones
cdef int tree_check(RankedTree *tree) except -1                                     # AssertionError
