# Effects as bytes, for the append-only file and for replicas.

cimport cython
from libc.stdint cimport int64_t
from carnelian.protocol.reader cimport Slice
from carnelian.protocol.writer cimport Writer

@cython.final
cdef class Journal:
    cdef readonly Writer writer         # what was put and not yet taken
    cdef public int selected            # the database of the last effect; -1: none yet, SELECT comes first
    cdef public int64_t effects         # put so far
    cdef bint told                      # the twin under way has said itself what its effect is

    cdef int begin(self, int index, int count) except -1        # an effect of so many words; each follows by `word`
    cdef int word(self, const char *data, size_t n) except -1
    cdef int number(self, int64_t number) except -1             # a word
    cdef int tell(self, int index, int count) except -1         # as begin, by a twin
    cdef int put_slices(self, int index, Slice *words, int count) except -1
    cpdef bytes take(self)
