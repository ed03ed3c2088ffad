# cython: language_level=3
"""A journal into a file: the system calls of the append-only file, without copies and without the interpreter's lock."""
import os

import cython
from cython.cimports.carnelian.keyspace.journal import Journal
from cython.cimports.libc.errno import errno, EINTR
from cython.cimports.posix.unistd import write


def write_journal(descriptor: cython.int, journal: Journal) -> int:
    """Writes what the journal holds, and takes what was written out of it: the bytes. OSError; what is left stays then."""
    total: cython.size_t = 0
    n: cython.Py_ssize_t
    data: cython.p_char
    size: cython.size_t
    while journal.writer.end != journal.writer.start:
        data = journal.writer.data + journal.writer.start
        size = journal.writer.end - journal.writer.start
        with cython.nogil:
            n = write(descriptor, data, size)
        if n < 0:
            if errno == EINTR:
                continue
            raise OSError(errno, os.strerror(errno))
        journal.writer.sent(n)
        total += n
    return total
