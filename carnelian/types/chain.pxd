# A chain of listpack nodes: the body of a List that has outgrown one listpack (Redis calls it a quicklist).
#
# A node is one block: header, then `capacity` bytes in which a whole, well-formed listpack floats at `offset`. Both ends
# may have a gap, so a push or pop at either end writes the element and six bytes of listpack header and moves nothing.
# An element too large for a node has a plain node of its own, its bytes alone after the header.

from libc.stdint cimport uint32_t
from carnelian.types.listpack cimport pack, Item

ctypedef struct Node:
    Node *previous
    Node *next
    uint32_t count              # elements; 1 in a plain node
    uint32_t capacity           # bytes after the header
    uint32_t offset             # where the listpack begins in them
    uint32_t plain              # 1: the bytes are one element, no listpack

ctypedef struct Chain:
    Node *head
    Node *tail
    size_t count                # elements of all nodes
    size_t nodes
    size_t bytes                # what the blocks of the nodes take

ctypedef struct Walk:           # an iteration; valid while the list is not changed
    Node *node                  # NULL in a list that is a single listpack
    pack lp                     # the listpack under way, NULL in a plain node
    pack at                     # the next element in it
    bint forward
    bint more

cdef inline unsigned char *node_data(Node *node) noexcept nogil:
    """The listpack of a node, or the bytes of a plain one."""
    return <unsigned char *>node + sizeof(Node) + node.offset

cdef size_t packed_threshold                        # elements of so many bytes get plain nodes; 0: those too large for one

cdef size_t byte_limit() noexcept                   # of the listpack of a node, from the setting list-max-listpack-size
cdef size_t count_limit() noexcept                  # elements of a node

cdef Chain *chain_new() except NULL
cdef void chain_free(Chain *chain) noexcept
cdef Chain *chain_copy(Chain *chain) except NULL
cdef int chain_check(Chain *chain) except -1        # AssertionError, ValueError
cdef int chain_adopt(Chain *chain, pack lp, size_t count) except -1     # a copy of a listpack as last node

cdef int chain_push(Chain *chain, const char *data, size_t n, bint left) except -1
cdef int chain_drop(Chain *chain, bint left) except -1                  # the element at an end; there must be one
cdef bint chain_peek(Chain *chain, bint left, Item *item) noexcept
cdef int chain_drop_node(Chain *chain) noexcept                         # the whole head
cdef int chain_trim(Chain *chain, size_t count, bint left) except -1    # removes so many elements at an end
# An index must be less than the count.
cdef void chain_get(Chain *chain, size_t index, Item *item) noexcept
cdef int chain_set(Chain *chain, size_t index, const char *data, size_t n) except -1
cdef bint chain_insert(Chain *chain, const char *pivot, size_t m, const char *data, size_t n, bint before) except -1
cdef size_t chain_remove(Chain *chain, const char *data, size_t n, size_t most, bint forward) except? 0

# The next element, False at the end. item.data points into the list (of an integer: into the item).
cdef bint walk_next(Walk *walk, Item *item) noexcept
cdef void walk_skip(Walk *walk) noexcept                                # goes past it; walk.more must hold
cdef bint walk_equals(Walk *walk, const char *data, size_t n) noexcept  # whether it is this one; walk.more must hold
cdef void walk_chain(Walk *walk, Chain *chain, size_t index, bint forward) noexcept
cdef void walk_pack(Walk *walk, pack lp, Py_ssize_t index, bint forward) noexcept
