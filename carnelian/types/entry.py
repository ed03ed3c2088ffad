# cython: language_level=3
"""Entries: blocks of C memory that hold a key and what belongs to it. entry.pxd has the layout."""
import cython
from cython.cimports.carnelian.base.memory import allocate, release, resize, roomy
from cython.cimports.carnelian.types.hashing import hash_bytes
from cython.cimports.cpython.object import PyObject
from cython.cimports.cpython.ref import Py_XDECREF
from cython.cimports.libc.stdint import uint32_t
from cython.cimports.libc.string import memcpy


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _block_length(kind: cython.int, flags: cython.int, key_length: cython.size_t,
                  value_length: cython.size_t) -> cython.size_t:
    n: cython.size_t = 16 + (flags & EXPIRES) + (8 if kind else 0) + key_length + value_length
    return roomy(n) if flags & RAW else n


def entry_size(e):
    return _block_length(e.meta & 15, e.meta & 0xF0, e.key_length, e.value_length)


def entry_new(key, n, kind, flags, value_length):
    if n > LARGEST_LENGTH or value_length > LARGEST_LENGTH:
        raise MemoryError()
    e: cython.pointer(Entry) = cython.cast(cython.pointer(Entry),
                                           allocate(_block_length(kind, flags, n, value_length)))
    e.hash = hash_bytes(key, n)
    e.key_length = n
    e.value_length = value_length
    e.meta = kind | flags
    if kind:
        entry_word(e)[0] = 0
    memcpy(entry_key(e), key, n)
    return e


def entry_reshape(e, kind, flags, value_length):
    if value_length > LARGEST_LENGTH:
        raise MemoryError()
    old_kind: cython.int = e.meta & 15
    old_size: cython.size_t = entry_size(e)
    new_size: cython.size_t = _block_length(kind, flags, e.key_length, value_length)
    # Whether a snapshot has seen the entry is not the caller's business.
    meta: uint32_t = (e.meta & ~cython.cast(uint32_t, 0xFF - SEEN)) | kind | flags
    other: cython.pointer(Entry)
    if (old_kind != 0) == (kind != 0) and (e.meta & EXPIRES) == (flags & EXPIRES):
        dropped: cython.pointer(PyObject) = cython.NULL
        if old_kind != kind and owns_object(old_kind):
            dropped = entry_object(e)
        if new_size != old_size:
            e = cython.cast(cython.pointer(Entry), resize(e, old_size, new_size))
        if old_kind != kind:
            entry_word(e)[0] = 0
        e.meta = meta
        e.value_length = value_length
        Py_XDECREF(dropped)
        return e
    other = cython.cast(cython.pointer(Entry), allocate(new_size))
    other.hash = e.hash
    other.key_length = e.key_length
    other.value_length = value_length
    other.meta = meta
    if e.meta & flags & EXPIRES:
        entry_expiry(other)[0] = entry_expiry(e)[0]
    if kind:
        entry_word(other)[0] = entry_word(e)[0] if kind == old_kind else 0
    memcpy(entry_key(other), entry_key(e), e.key_length)
    if kind == INLINE and old_kind == INLINE:
        memcpy(entry_value(other), entry_value(e), min(value_length, e.value_length))
    if kind != old_kind and owns_object(old_kind):
        Py_XDECREF(entry_object(e))
    release(e, old_size)
    return other


def entry_free(e):
    if owns_object(e.meta & 15):
        Py_XDECREF(entry_object(e))
    release(e, entry_size(e))
