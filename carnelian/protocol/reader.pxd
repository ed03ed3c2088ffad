# Requests out of a stream of bytes: RESP arrays of bulk strings, and inline commands. No sockets here.

cimport cython
from libc.stdint cimport int64_t

ctypedef struct Slice:
    char *data
    size_t length

@cython.final
cdef class Reader:
    cdef char *buffer           # bytes [start, end) are not yet read
    cdef size_t start
    cdef size_t end
    cdef size_t capacity
    cdef Slice *words           # the request that next() has completed; valid until the next call of next() or room()
    cdef int count              # its words
    cdef int words_capacity
    cdef int multibulk          # state of an unfinished request: words it will have, -1 none begun
    cdef int64_t bulk_length    # length of the word under way, -1 unknown
    cdef size_t cursor          # how far the unfinished request has been read
    cdef size_t scanned         # how far the unfinished line has been searched for its end
    cdef public size_t query_buffer_limit       # client-query-buffer-limit
    cdef public int64_t bulk_limit              # proto-max-bulk-len
    cdef public bint authenticated              # before AUTH, Redis allows 10 words of 16384 bytes only

    # Where the next bytes may be written, at least `wanted` of them; *available gets how many fit.
    cdef char *room(self, size_t wanted, size_t *available) except NULL
    cdef int filled(self, size_t n) except -1           # so many have been written there; ProtocolError("") over the limit:
                                                        # Redis closes such a connection without a word
    cdef int next(self) except -1                       # 1: words and count are a whole request (count may be 0: skip it);
                                                        # 0: more bytes are needed; raises ProtocolError
    cdef size_t memory(self) noexcept
    cdef int shrink(self) except -1                     # gives back what an idle client does not need

    cdef int slow_next(self) except -1
    cdef int inline_next(self) except -1
    cdef int header(self, const char *too_big, char **line, size_t *length) except -1
    cdef int more_words(self) except -1
    cdef int resize(self, size_t capacity) except -1
    cdef int refuse(self, str text) except -1
