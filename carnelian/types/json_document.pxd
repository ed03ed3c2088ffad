# JSON documents. Small: their text; else a tree of Python objects (dict, list, str, int, float, True, False, None).

cimport cython
from libc.stdint cimport int64_t

cdef enum:
    DEEPEST_TEXT = 127          # levels of arrays and objects in a text that is read
    DEEPEST = 250               # in a document

ctypedef struct Weight:         # of a tree
    int64_t bytes               # an estimate of what its objects take
    int64_t nodes               # values, containers included
    int deepest                 # levels

cdef class Location:            # where a value stands
    cdef readonly Location parent           # None: the value is the root
    cdef readonly object container          # dict or list, None of the root
    cdef readonly object key                # str or int
    cdef readonly object value

@cython.final
cdef class JsonDocument:
    cdef bytes text             # of a small document, None of a tree
    cdef object root            # of a tree, or of a small document between open() and close()
    cdef bint opened            # a small document is open: nothing is weighed before it is closed
    cdef int64_t bytes          # accounted for
    cdef readonly int64_t nodes # values in the tree; 1 of a small document
    cdef list waste             # large values that were taken out, as documents

    cdef int weigh_anew(self, int64_t change, int64_t nodes) except -1
    cdef int add(self, object value) except -1
    cdef int drop(self, object value) except -1
    cdef int grown(self, object container, int64_t before) except -1
    cpdef object tree(self)
    cpdef bytes to_text(self)

cdef int weigh(object value, int level, Weight *weight) except -1
cpdef bint is_same(object a, object b, bint strict)
