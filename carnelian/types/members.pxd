# What a hash and a set share: how one pointer tells a packed buffer from a table.
#
# A collection is a Python object of 32 bytes: header, method table, and one word. The blocks that the word points to are
# aligned to 16 bytes, so that its low bits are free to name the encoding.

from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint64_t

from carnelian.base.memory cimport block_size
from carnelian.types.listpack cimport Item
from carnelian.types.table cimport Entry, Table, entry_key, entry_value

cdef enum:
    PACKED = 0                  # the word is a listpack
    TABLE = 1                   # the word is a Members *
    INTEGERS = 2                # of a set: the word is an intset
    EXPIRING = 2                # of a hash: the word is an Expiring *, see expiring.pxd
    ENCODING = 3                # mask

cdef enum:
    OBJECT_BYTES = 32           # of the collection itself
    SAFE_BYTES = 1 << 30        # a listpack does not grow beyond (RDB and Redis read no larger ones)

ctypedef struct Members:        # of a large collection
    PyObject *table             # a Table, owned
    size_t bytes                # of its entries, as the allocator rounds them

ctypedef struct ScanContext:    # of a visitor that collects
    PyObject *found             # list
    const char *pattern         # NULL: everything
    size_t pattern_length
    size_t visited
    bint values                 # whether the value goes into the list, too
    int64_t hidden              # entries that expire up to this time are left out

cdef inline void key_item(Entry *e, Item *item) noexcept nogil:
    item.data = entry_key(e)
    item.length = e.key_length
    item.is_integer = False

cdef inline void value_item(Entry *e, Item *item) noexcept nogil:
    item.data = entry_value(e)
    item.length = e.value_length
    item.is_integer = False

cdef size_t TABLE_BYTES         # of a Table object

cdef Members *members_new(size_t count) except NULL                 # an empty table with room for count entries
cdef Members *members_copy(Members *members) except NULL
cdef void members_free(Members *members) noexcept
cdef size_t members_memory(Members *members) noexcept
# Adds an entry whose key is known to be absent; returns its value's place (value_length bytes to be filled in).
cdef char *members_add(Members *members, const char *key, size_t n, size_t value_length) except NULL
cdef bint members_remove(Members *members, const char *key, size_t n) noexcept
# The place of the value of an entry, now with another length.
cdef char *members_resize_value(Members *members, Entry **slot, size_t value_length) except NULL
cdef size_t members_length(Members *members) noexcept
# SCAN: the next cursor; keys (and values) that match go to the list `found`.
cdef uint64_t members_scan(Members *members, uint64_t cursor, size_t count, object pattern, list found, bint values,
                            int64_t hidden) except? 0
cdef int members_check(Members *members) except -1
