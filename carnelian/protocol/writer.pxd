# Replies into a buffer, in RESP2 or RESP3. No sockets here.

cimport cython
from libc.stdint cimport int64_t

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1
    int enter_recursion "Py_EnterRecursiveCall"(const char *where) except *     # 0, or 1 or -1: it varies
    void leave_recursion "Py_LeaveRecursiveCall"()

@cython.final
cdef class Writer:
    cdef char *data             # bytes [start, end) are not yet sent
    cdef size_t start
    cdef size_t end
    cdef size_t capacity
    cdef public int resp        # 2 or 3

    cdef char *reserve(self, size_t n) except NULL              # room for n bytes at the end; then advance `end`
    cdef int raw(self, const char *p, size_t n) except -1
    cdef int bulk(self, const char *p, size_t n) except -1      # $n\r\n...\r\n
    cdef int integer(self, int64_t number) except -1
    cdef int array(self, Py_ssize_t n) except -1                # headers; the elements follow
    cdef int map(self, Py_ssize_t n) except -1                  # RESP2: an array of 2n
    cdef int set(self, Py_ssize_t n) except -1                  # RESP2: an array
    cdef int push(self, Py_ssize_t n) except -1                 # RESP2: an array
    cdef int null(self) except -1                               # RESP2: $-1
    cdef int null_array(self) except -1                         # RESP2: *-1
    cdef int simple(self, bytes text) except -1                 # +text
    cdef int error(self, bytes text) except -1                  # -text; CR and LF are cut off at the end, and made spaces else
    cdef int double(self, double number) except -1              # RESP2: a bulk string
    cdef int boolean(self, bint value) except -1
    cpdef int encode(self, object value) except -1              # anything that base.replies lists
    cdef void sent(self, size_t n) noexcept                     # so many bytes have left
    cdef size_t pending(self) noexcept                          # end - start
    cdef size_t memory(self) noexcept
    cdef int shrink(self) except -1

    cdef int header(self, char mark, int64_t number) except -1
    cdef int line(self, char mark, bytes text) except -1
    cdef int value(self, object value) except -1
    cdef int sequence(self, char mark, list items) except -1
    cdef int mapping(self, list items) except -1
    cdef int big_number(self, object number) except -1
    cdef int uncommon(self, object value) except -1
