# cython: language_level=3
"""The package's allocator: blocks of C memory, counted.

`used_memory()` is what INFO, maxmemory and MEMORY STATS stand on. The counter belongs to the process; an engine learns
its own share by taking the difference over each of its own calls.
"""
import cython

used = 0


def allocate(n):
    global used
    p: cython.p_void = PyMem_Malloc(n)
    if p == cython.NULL:
        raise MemoryError()
    used += block_size(n)
    return p


def attempt_zeroed(n):
    global used
    p: cython.p_void = PyMem_Calloc(1, n)
    if p != cython.NULL:
        used += block_size(n)
    return p


def allocate_zeroed(n):
    p: cython.p_void = attempt_zeroed(n)
    if p == cython.NULL:
        raise MemoryError()
    return p


def resize(p, old, new):
    global used
    q: cython.p_void
    if p == cython.NULL:
        return allocate(new)
    q = PyMem_Realloc(p, new)
    if q == cython.NULL:
        raise MemoryError()
    used += block_size(new) - block_size(old)
    return q


def release(p, n):
    global used
    if p != cython.NULL:
        used -= block_size(n)
        PyMem_Free(p)


def account(n):
    global used
    used += n


def used_memory() -> int:
    """Bytes that the package holds now."""
    return used
