# The words that an engine knows, found by the slice of the input buffer that names them.

from libc.stdint cimport int64_t, uint64_t

cdef class BoundCommand:
    cdef readonly object declaration        # keyspace.declaration.Command
    cdef readonly str name                  # "xgroup|create"
    cdef readonly object function
    cdef readonly uint64_t flags
    cdef readonly int arity
    cdef readonly str group
    cdef readonly dict subcommands          # lower-case name (bytes) -> BoundCommand, None if it is no container
    cdef readonly int skip                  # words before the arguments: 1, or 2 for a subcommand
    cdef void *twin                         # an engine.lane, or NULL
    cdef public int64_t calls
    cdef public int64_t nanoseconds
    cdef public int64_t rejected
    cdef public int64_t failed
    cdef int64_t durations[40]              # how many calls took under 2**i microseconds (and not under 2**(i - 1))

    cdef int note(self, int64_t nanoseconds, int64_t calls) noexcept    # so many calls that took so long each

ctypedef struct NameSlot:
    uint64_t folded                         # of the lower-case name; alone it decides up to 8 bytes
    size_t length
    const char *name                        # the key in `commands`, which lives as long
    void *command                           # BoundCommand

cdef class CommandTable:
    cdef readonly dict commands             # lower-case name (bytes) -> BoundCommand
    cdef NameSlot slots[1024]

    cdef BoundCommand find(self, const char *name, size_t n)            # in any case; None if there is none
