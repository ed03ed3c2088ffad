# Paths into JSON documents: compiled steps, and the walk along them.

cimport cython
from libc.stdint cimport int64_t

from carnelian.types.json_document cimport JsonDocument, Location

cdef enum:                      # kinds of steps
    NAME = 0                    # the value of a key
    INDEX = 1                   # an element of an array
    EVERY = 2                   # all elements, or the values of all keys
    SLICE = 3
    UNION = 4                   # several of the above, one after the other
    FILTER = 5                  # elements or values for which a condition holds

cdef enum:                      # kinds of conditions
    EITHER = 0
    BOTH = 1
    NOT = 2
    EXISTS = 3                  # a path leads to something, or a literal is not false or null
    COMPARED = 4
    MATCHES = 5                 # a string and a regular expression

cdef enum:                      # comparisons
    EQUAL = 0
    DIFFERENT = 1
    LESS = 2
    LESS_OR_EQUAL = 3
    GREATER = 4
    GREATER_OR_EQUAL = 5

@cython.final
cdef class Step:
    cdef int kind
    cdef bint descends          # `..`: also from every container below
    cdef str name
    cdef Py_ssize_t index, start, stop, stride
    cdef bint has_start, has_stop
    cdef list parts             # of a union: steps
    cdef Condition condition

@cython.final
cdef class Term:                # one side of a comparison
    cdef object literal
    cdef list steps             # None: a literal
    cdef bint from_root         # `$`, not `@`
    cdef object pattern         # of a literal string beside =~: the compiled expression, None if it is none

@cython.final
cdef class Condition:
    cdef int kind
    cdef int comparison
    cdef Condition left, right
    cdef Term first, second

@cython.final
cdef class JsonPath:
    cdef readonly str text      # as it was given
    cdef readonly str full      # the same in the dialect that begins with `$`
    cdef readonly bint legacy
    cdef list steps

    cpdef list values(self, JsonDocument document, object root)
    cpdef list locations(self, JsonDocument document, object root)

@cython.final
cdef class Walk:                # one evaluation
    cdef object root
    cdef list found
    cdef bint locating
    cdef int64_t allowance      # values that may still be looked at

    cdef int spend(self, int64_t n) except -1
    cdef int go(self, list steps, Py_ssize_t at, object value, Location place) except -1
    cdef int unite(self, list steps, Py_ssize_t at, Step step, object value, Location place) except -1
    cdef int select(self, list steps, Py_ssize_t at, Step step, object value, Location place) except -1
    cdef int child(self, list steps, Py_ssize_t at, object container, object key, object value, Location place) except -1
    cdef int descend(self, list steps, Py_ssize_t at, Step step, object value, Location place) except -1
    cdef bint holds(self, Condition condition, object value) except -1
    cdef list operands(self, Term term, object value)

cpdef JsonPath path_of(bytes text)
