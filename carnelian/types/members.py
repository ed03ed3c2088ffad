# cython: language_level=3
"""The table of a large hash or set, with the bytes that its entries take."""
import cython
from cython.cimports.carnelian.base.glob import glob_match
from cython.cimports.carnelian.base.memory import account, allocate, block_size, release
from cython.cimports.carnelian.types.table import (EXPIRES, INLINE, Entry, Position, Table, entry_expiry, entry_free, entry_key,
                                                   entry_new, entry_reshape, entry_size, entry_value)
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.cpython.object import PyObject
from cython.cimports.cpython.ref import Py_DECREF, Py_INCREF
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memcpy

TABLE_BYTES = block_size(Table.__basicsize__)


@cython.cfunc
@cython.inline
def table_of(members: cython.pointer(Members)) -> Table:
    return cython.cast(Table, members.table)


def members_new(count):
    table: Table = Table()
    members: cython.pointer(Members)
    if count:
        table.expand(count)
    members = cython.cast(cython.pointer(Members), allocate(cython.sizeof(Members)))
    Py_INCREF(table)
    members.table = cython.cast(cython.pointer(PyObject), table)
    members.bytes = 0
    account(TABLE_BYTES)
    return members


def members_free(members):
    Py_DECREF(cython.cast(object, members.table))
    account(-cython.cast(cython.Py_ssize_t, TABLE_BYTES))
    release(members, cython.sizeof(Members))


def members_copy(members):
    source: Table = table_of(members)
    copy: cython.pointer(Members) = members_new(source.count[0] + source.count[1])
    position: Position
    place: cython.pointer(cython.pointer(Entry))
    source.start(cython.address(position))
    place = source.next(cython.address(position))
    try:
        while place != cython.NULL:
            memcpy(members_add(copy, entry_key(place[0]), place[0].key_length, place[0].value_length),
                   entry_value(place[0]), place[0].value_length)
            place = source.next(cython.address(position))
    except BaseException:
        members_free(copy)
        raise
    return copy


def members_length(members):
    table: Table = table_of(members)
    return table.count[0] + table.count[1]


def members_memory(members):
    return TABLE_BYTES + block_size(cython.sizeof(Members)) + table_of(members).size_in_memory() + members.bytes


def members_add(members, key, n, value_length):
    e: cython.pointer(Entry) = entry_new(key, n, INLINE, 0, value_length)
    try:
        table_of(members).insert(e)
    except BaseException:
        entry_free(e)
        raise
    members.bytes += block_size(entry_size(e))
    return entry_value(e)


def members_remove(members, key, n):
    e: cython.pointer(Entry) = table_of(members).take(key, n)
    if e == cython.NULL:
        return False
    members.bytes -= block_size(entry_size(e))
    entry_free(e)
    return True


def members_resize_value(members, slot, value_length):
    e: cython.pointer(Entry) = slot[0]
    before: cython.size_t
    if e.value_length != value_length:
        before = block_size(entry_size(e))
        e = entry_reshape(e, INLINE, e.meta & 0xF0, value_length)
        slot[0] = e
        members.bytes += block_size(entry_size(e)) - before
    return entry_value(e)


@cython.cfunc
@cython.exceptval(-1, check=False)
def visit(context: cython.p_void, place: cython.pointer(cython.pointer(Entry))) -> cython.int:
    scan: cython.pointer(ScanContext) = cython.cast(cython.pointer(ScanContext), context)
    e: cython.pointer(Entry) = place[0]
    found: list
    scan.visited += 1
    if e.meta & EXPIRES and entry_expiry(e).at <= scan.hidden:
        return 0
    if scan.pattern != cython.NULL and not glob_match(scan.pattern, scan.pattern_length, entry_key(e), e.key_length, False):
        return 0
    found = cython.cast(list, cython.cast(object, scan.found))
    found.append(PyBytes_FromStringAndSize(entry_key(e), e.key_length))
    if scan.values:
        found.append(PyBytes_FromStringAndSize(entry_value(e), e.value_length))
    return 0


def members_scan(members, cursor, count, pattern, found, values, hidden):
    context: ScanContext
    table: Table = table_of(members)
    steps: uint64_t = 0
    context.found = cython.cast(cython.pointer(PyObject), found)
    context.pattern = cython.NULL
    context.pattern_length = 0
    if pattern is not None:
        context.pattern = PyBytes_AS_STRING(pattern)
        context.pattern_length = PyBytes_GET_SIZE(pattern)
    context.visited = 0
    context.values = values
    context.hidden = hidden
    while True:
        cursor = table.scan(cursor, visit, cython.address(context))
        steps += 1
        # A table may be mostly empty buckets: it stops after ten times as many of them, as SCAN does.
        if cursor == 0 or context.visited >= count or steps // 10 >= count:
            return cursor


def members_check(members):
    table: Table = table_of(members)
    position: Position
    place: cython.pointer(cython.pointer(Entry))
    total: cython.size_t = 0
    table._check()
    table.start(cython.address(position))
    place = table.next(cython.address(position))
    while place != cython.NULL:
        total += block_size(entry_size(place[0]))
        place = table.next(cython.address(position))
    assert total == members.bytes, "the bytes of the entries are counted"
    return 0
