# cython: language_level=3
"""The fast lane: compiled twins of the words that make up most traffic.

A twin works on the slices of the input buffer and writes its reply straight to the output. It answers the common case only
and leaves all else (options, wrong types, errors, notifications of misses and new keys) to the general body, having changed
nothing. tests/engine/test_lanes.py holds both to the same replies and effects.
"""
import cython
from cython.cimports.carnelian.base.numbers import text_to_integer
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import int64_t


def tell(store, db, key, event, group):
    store.key_changed(db, PyBytes_FromStringAndSize(key.data, key.length), event, group)
    return 0


def vanish(store, db, key):
    db.remove(key.data, key.length)
    if store.attentive and store.notify_flags:
        store.notify(db.index, PyBytes_FromStringAndSize(key.data, key.length), "del", "generic")
    return 0


def bounds(first, last, length, start):
    stop: int64_t
    if not text_to_integer(first.data, first.length, start) \
            or not text_to_integer(last.data, last.length, cython.address(stop)):
        return -1
    if start[0] < 0:
        start[0] = max(start[0] + length, 0)
    if stop < 0:
        stop += length
    if stop >= length:
        stop = length - 1
    return stop - start[0] + 1 if start[0] <= stop else 0


def install(engine) -> None:
    """Gives an engine all twins."""
    from carnelian.engine import lanes_bits, lanes_hash, lanes_list, lanes_set, lanes_sorted_set, lanes_stream, lanes_string
    for module in (lanes_string, lanes_bits, lanes_list, lanes_hash, lanes_set, lanes_sorted_set, lanes_stream):
        module.install(engine)
