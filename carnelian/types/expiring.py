# cython: language_level=3
"""Fields of a hash of which some expire. expiring.pxd tells the form.

A field's time costs a few bytes of a listpack; in a table 16 bytes in the entry and 8 in the heap. The soonest time is
found at once in both, the fields that are due come off one end of the listpack or the top of the heap.
"""
import cython
from cython.cimports.carnelian.base.memory import allocate, allocate_zeroed, block_size, release, resize
from cython.cimports.carnelian.types.limits import hash_max_listpack_entries, hash_max_listpack_value
from cython.cimports.carnelian.types.listpack import (lp_bytes, lp_check, lp_copy, lp_cut, lp_find, lp_first, lp_free, lp_get,
                                                      lp_insert_triple, lp_length, lp_memory, lp_new, lp_next, lp_replace,
                                                      lp_seek, lp_skip, lp_value)
from cython.cimports.carnelian.types.members import (SAFE_BYTES, key_item, members_check, members_free, members_length,
                                                     members_memory, members_new, members_remove, members_resize_value,
                                                     members_scan, value_item)
from cython.cimports.carnelian.types.table import (EXPIRES, INLINE, Table, entry_expiry, entry_free, entry_key, entry_new,
                                                   entry_reshape, entry_size, entry_value, random_below)
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint32_t
from cython.cimports.libc.string import memcpy

TRIES = cython.declare(cython.int, 64)          # to draw a field that is not hidden, before all are looked at


@cython.cfunc
@cython.inline
def table_of(x: cython.pointer(Expiring)) -> Table:
    return cython.cast(Table, x.members.table)


# --- the heap --------------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def place(x: cython.pointer(Expiring), index: cython.size_t, e: cython.pointer(Entry)) -> cython.void:
    x.heap[index] = e
    entry_expiry(e).index = cython.cast(uint32_t, index)


@cython.cfunc
@cython.exceptval(check=False)
def sift(x: cython.pointer(Expiring), index: cython.size_t, e: cython.pointer(Entry)) -> cython.void:
    """Puts an entry into the hole at this index, or further up or down."""
    at: int64_t = entry_expiry(e).at
    child: cython.size_t
    while index > 0 and entry_expiry(x.heap[(index - 1) >> 1]).at > at:
        place(x, index, x.heap[(index - 1) >> 1])
        index = (index - 1) >> 1
    while True:
        child = 2 * index + 1
        if child >= x.count:
            break
        if child + 1 < x.count and entry_expiry(x.heap[child + 1]).at < entry_expiry(x.heap[child]).at:
            child += 1
        if entry_expiry(x.heap[child]).at >= at:
            break
        place(x, index, x.heap[child])
        index = child
    place(x, index, e)


@cython.cfunc
@cython.exceptval(-1, check=False)
def make_place(x: cython.pointer(Expiring)) -> cython.int:
    """Room for one more entry in the heap."""
    capacity: cython.size_t
    if x.count == x.capacity:
        capacity = x.capacity + (x.capacity >> 1) if x.capacity else 8
        x.heap = cython.cast(cython.pointer(cython.pointer(Entry)), resize(
            x.heap, x.capacity * cython.sizeof(cython.p_void), capacity * cython.sizeof(cython.p_void)))
        x.capacity = capacity
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def push(x: cython.pointer(Expiring), e: cython.pointer(Entry)) -> cython.void:
    x.count += 1
    x.heap[x.count - 1] = e
    sift(x, x.count - 1, e)


@cython.cfunc
@cython.exceptval(-1, check=False)
def take_out(x: cython.pointer(Expiring), index: cython.size_t) -> cython.int:
    """Of the heap; the entry is not looked at."""
    x.count -= 1
    if index < x.count:
        sift(x, index, x.heap[x.count])
    if x.capacity > 64 and x.count < x.capacity // 4:
        try:
            x.heap = cython.cast(cython.pointer(cython.pointer(Entry)), resize(
                x.heap, x.capacity * cython.sizeof(cython.p_void), (x.capacity // 2) * cython.sizeof(cython.p_void)))
            x.capacity //= 2
        except MemoryError:
            return 0            # the larger one is as good
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def due_below(x: cython.pointer(Expiring), index: cython.size_t, at: int64_t) -> cython.size_t:
    """How many entries of the heap from this one down have a time up to `at`."""
    if index >= x.count or entry_expiry(x.heap[index]).at > at:
        return 0
    return 1 + due_below(x, 2 * index + 1, at) + due_below(x, 2 * index + 2, at)


# --- the table -------------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def entry_time(e: cython.pointer(Entry)) -> int64_t:
    return entry_expiry(e).at if e.meta & EXPIRES else 0


def add(x, key, n, m, at):
    e: cython.pointer(Entry)
    if at:
        make_place(x)
    e = entry_new(key, n, INLINE, EXPIRES if at else 0, m)
    try:
        table_of(x).insert(e)
    except BaseException:
        entry_free(e)
        raise
    x.members.bytes += block_size(entry_size(e))
    if at:
        entry_expiry(e).at = at
        entry_expiry(e).spare = 0
        push(x, e)
    return entry_value(e)


@cython.cfunc
@cython.exceptval(-1, check=False)
def set_time(x: cython.pointer(Expiring), slot: cython.pointer(cython.pointer(Entry)), at: int64_t) -> cython.int:
    e: cython.pointer(Entry) = slot[0]
    before: cython.size_t
    index: cython.size_t
    if entry_time(e) == at:
        return 0
    if e.meta & EXPIRES and at:
        entry_expiry(e).at = at
        sift(x, entry_expiry(e).index, e)
        return 0
    before = block_size(entry_size(e))
    if at:
        make_place(x)
        e = entry_reshape(e, INLINE, (e.meta & 0xF0) | EXPIRES, e.value_length)
        entry_expiry(e).at = at
        entry_expiry(e).spare = 0
        push(x, e)
    else:
        index = entry_expiry(e).index
        e = entry_reshape(e, INLINE, e.meta & 0xF0 & ~EXPIRES, e.value_length)
        take_out(x, index)
    slot[0] = e
    x.members.bytes += block_size(entry_size(e)) - before
    return 0


# --- the listpack ----------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def time_at(p: pack) -> int64_t:
    """The time of the triple that begins here."""
    item: Item
    lp_get(lp_skip(lp_skip(p)), cython.address(item))
    return item.number


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def after(lp: pack, p: pack) -> pack:
    """The next triple, NULL after the last."""
    return lp_next(lp, lp_skip(lp_skip(p)))


@cython.cfunc
@cython.exceptval(check=False)
def hidden_in_pack(x: cython.pointer(Expiring), hidden: int64_t, count: cython.pointer(cython.size_t)) -> pack:
    """The first triple that is not hidden, NULL if all are; and how many are before it."""
    p: pack = lp_first(x.lp)
    at: int64_t
    count[0] = 0
    while p != cython.NULL:
        at = time_at(p)
        if at == 0 or at > hidden:
            break
        count[0] += 1
        p = after(x.lp, p)
    return p


@cython.cfunc
@cython.exceptval(check=False)
def offset_for(lp: pack, at: int64_t) -> cython.size_t:
    """Where a triple with this time goes."""
    p: pack = lp_first(lp)
    time: int64_t
    if at:
        while p != cython.NULL:
            time = time_at(p)
            if time == 0 or time > at:
                return p - lp
            p = after(lp, p)
    return lp_bytes(lp) - 1


@cython.cfunc
@cython.exceptval(-1, check=False)
def move_triple(x: cython.pointer(Expiring), p: pack, at: int64_t) -> cython.int:
    """Gives the triple at p another time. The copy is made before the old one goes, so that nothing is lost without memory."""
    name: bytes = lp_value(p)
    value: bytes = lp_value(lp_skip(p))
    old: cython.size_t = p - x.lp
    new: cython.size_t = offset_for(x.lp, at)
    before: cython.size_t = lp_bytes(x.lp)
    x.lp = lp_insert_triple(x.lp, new, PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name),
                            PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), at)
    if new <= old:
        old += lp_bytes(x.lp) - before
    p = x.lp + old
    x.lp = lp_cut(x.lp, cython.address(p), 3)
    return 0


# --- as a whole ------------------------------------------------------------------------------------------------------

def expiring_of_pack(lp):
    x: cython.pointer(Expiring)
    field: Item
    value: Item
    p: pack = lp_first(lp)
    triples: pack = lp_new()
    try:
        while p != cython.NULL:
            lp_get(p, cython.address(field))
            p = lp_skip(p)
            lp_get(p, cython.address(value))
            p = lp_next(lp, p)
            triples = lp_insert_triple(triples, lp_bytes(triples) - 1, field.data, field.length, value.data, value.length, 0)
        x = expiring_of_triples(triples)
    except BaseException:
        lp_free(triples)
        raise
    lp_free(lp)
    return x


def expiring_of_triples(lp):
    x: cython.pointer(Expiring) = cython.cast(cython.pointer(Expiring), allocate_zeroed(cython.sizeof(Expiring)))
    x.lp = lp
    return x


def expiring_of_table(members):
    x: cython.pointer(Expiring) = cython.cast(cython.pointer(Expiring), allocate_zeroed(cython.sizeof(Expiring)))
    x.members = members
    return x


def expiring_free(x):
    if x.lp != cython.NULL:
        lp_free(x.lp)
    else:
        members_free(x.members)
        release(x.heap, x.capacity * cython.sizeof(cython.p_void))
    release(x, cython.sizeof(Expiring))


def expiring_copy(x):
    copy: cython.pointer(Expiring)
    members: cython.pointer(Members)
    lp: pack
    walk: HashWalk
    field: Item
    value: Item
    if x.lp != cython.NULL:
        lp = lp_copy(x.lp)
        try:
            copy = expiring_of_triples(lp)
        except BaseException:
            lp_free(lp)
            raise
        copy.hidden = x.hidden
        return copy
    members = members_new(expiring_length(x))
    try:
        copy = expiring_of_table(members)
    except BaseException:
        members_free(members)
        raise
    copy.hidden = x.hidden
    walk.hidden = 0
    try:
        expiring_start(x, cython.address(walk))
        while expiring_next(x, cython.address(walk), cython.address(field), cython.address(value)):
            memcpy(add(copy, field.data, field.length, value.length, walk.time), value.data, value.length)
    except BaseException:
        expiring_free(copy)
        raise
    return copy


def expiring_memory(x):
    size: cython.size_t = block_size(cython.sizeof(Expiring))
    if x.lp != cython.NULL:
        return size + lp_memory(x.lp)
    if x.capacity:
        size += block_size(x.capacity * cython.sizeof(cython.p_void))
    return size + members_memory(x.members)


def expiring_length(x):
    return lp_length(x.lp) // 3 if x.lp != cython.NULL else members_length(x.members)


def expiring_visible(x):
    count: cython.size_t
    if x.lp == cython.NULL:
        return members_length(x.members) - due_below(x, 0, x.hidden)
    hidden_in_pack(x, x.hidden, cython.address(count))
    return lp_length(x.lp) // 3 - count


def expiring_enlarge(x, count):
    lp: pack = x.lp
    p: pack = lp_first(lp)
    field: Item
    value: Item
    x.members = members_new(max(count, expiring_length(x)))
    try:
        while p != cython.NULL:
            lp_get(p, cython.address(field))
            lp_get(lp_skip(p), cython.address(value))
            memcpy(add(x, field.data, field.length, value.length, time_at(p)), value.data, value.length)
            p = after(lp, p)
    except BaseException:
        members_free(x.members)
        x.members = cython.NULL
        release(x.heap, x.capacity * cython.sizeof(cython.p_void))
        x.heap = cython.NULL
        x.count = x.capacity = 0
        raise
    x.lp = cython.NULL
    lp_free(lp)
    return 0


# --- fields ----------------------------------------------------------------------------------------------------------

def expiring_get(x, field, n, value):
    p: pack
    slot: cython.pointer(cython.pointer(Entry))
    at: int64_t
    if x.lp == cython.NULL:
        slot = table_of(x).find(field, n)
        if slot == cython.NULL:
            return -1
        at = entry_time(slot[0])
        if at and at <= x.hidden:
            return -1
        if value != cython.NULL:
            value_item(slot[0], value)
        return at
    p = lp_find(x.lp, lp_first(x.lp), field, n, 2)
    if p == cython.NULL:
        return -1
    at = time_at(p)
    if at and at <= x.hidden:
        return -1
    if value != cython.NULL:
        lp_get(lp_skip(p), value)
    return at


def expiring_time(x, field, n):
    p: pack
    slot: cython.pointer(cython.pointer(Entry))
    if x.lp == cython.NULL:
        slot = table_of(x).find(field, n)
        return -1 if slot == cython.NULL else entry_time(slot[0])
    p = lp_find(x.lp, lp_first(x.lp), field, n, 2)
    return -1 if p == cython.NULL else time_at(p)


def expiring_set(x, field, n, value, m, keep):
    p: pack
    slot: cython.pointer(cython.pointer(Entry))
    to: cython.p_char
    limit: cython.size_t = hash_max_listpack_value
    entries: cython.size_t = hash_max_listpack_entries
    at: int64_t
    if x.lp != cython.NULL:
        if n <= limit and m <= limit and lp_bytes(x.lp) + n + m < SAFE_BYTES:
            p = lp_find(x.lp, lp_first(x.lp), field, n, 2)
            if p != cython.NULL:
                at = time_at(p)
                if at and not keep:
                    move_value(x, p, field, n, value, m)
                else:
                    p = lp_skip(p)
                    x.lp = lp_replace(x.lp, cython.address(p), value, m)
                if lp_length(x.lp) // 3 > entries:          # the limit has been lowered meanwhile
                    expiring_enlarge(x, 0)
                return at != 0 and at <= x.hidden
            if lp_length(x.lp) // 3 < entries:
                x.lp = lp_insert_triple(x.lp, lp_bytes(x.lp) - 1, field, n, value, m, 0)
                return 1
        expiring_enlarge(x, lp_length(x.lp) // 3 + 1)
    slot = table_of(x).find(field, n)
    if slot == cython.NULL:
        memcpy(add(x, field, n, m, 0), value, m)
        return 1
    at = entry_time(slot[0])
    if at and not keep:
        set_time(x, slot, 0)
    to = members_resize_value(x.members, slot, m)
    memcpy(to, value, m)
    if at and keep:
        x.heap[entry_expiry(slot[0]).index] = slot[0]       # it may have moved
    return at != 0 and at <= x.hidden


@cython.cfunc
@cython.exceptval(-1, check=False)
def move_value(x: cython.pointer(Expiring), p: pack, field: cython.p_const_char, n: cython.size_t, value: cython.p_const_char,
               m: cython.size_t) -> cython.int:
    """Replaces the triple at p by one without a time, which is at the end; it goes in first, so that nothing is lost."""
    offset: cython.size_t = p - x.lp
    x.lp = lp_insert_triple(x.lp, lp_bytes(x.lp) - 1, field, n, value, m, 0)
    p = x.lp + offset
    x.lp = lp_cut(x.lp, cython.address(p), 3)
    return 0


def expiring_delete(x, field, n):
    p: pack
    slot: cython.pointer(cython.pointer(Entry))
    if x.lp == cython.NULL:
        slot = table_of(x).find(field, n)
        if slot == cython.NULL:
            return False
        if slot[0].meta & EXPIRES:
            take_out(x, entry_expiry(slot[0]).index)
        return members_remove(x.members, field, n)
    p = lp_find(x.lp, lp_first(x.lp), field, n, 2)
    if p == cython.NULL:
        return False
    x.lp = lp_cut(x.lp, cython.address(p), 3)
    return True


def expiring_schedule(x, field, n, at):
    p: pack
    slot: cython.pointer(cython.pointer(Entry))
    if x.lp != cython.NULL:
        p = lp_find(x.lp, lp_first(x.lp), field, n, 2)
        if p == cython.NULL:
            return False
        if lp_bytes(x.lp) < SAFE_BYTES:
            if time_at(p) != at:
                move_triple(x, p, at)
            return True
        expiring_enlarge(x, 0)
    slot = table_of(x).find(field, n)
    if slot == cython.NULL:
        return False
    set_time(x, slot, at)
    return True


def expiring_soonest(x):
    p: pack
    if x.lp == cython.NULL:
        return entry_expiry(x.heap[0]).at if x.count else 0
    p = lp_first(x.lp)
    return 0 if p == cython.NULL else time_at(p)


def expiring_pop(x, now, most):
    found: list = []
    e: cython.pointer(Entry)
    p: pack
    at: int64_t
    if x.lp != cython.NULL:
        p = lp_first(x.lp)
        while p != cython.NULL and most > 0:
            at = time_at(p)
            if at == 0 or at > now:
                break
            found.append(lp_value(p))
            p = after(x.lp, p)
            most -= 1
        if found:
            p = lp_first(x.lp)
            x.lp = lp_cut(x.lp, cython.address(p), 3 * cython.cast(cython.size_t, len(found)))
        return found
    while x.count and most > 0:
        e = x.heap[0]
        if entry_expiry(e).at > now:
            break
        found.append(PyBytes_FromStringAndSize(entry_key(e), e.key_length))
        take_out(x, 0)
        members_remove(x.members, entry_key(e), e.key_length)
        most -= 1
    return found


# --- walking ---------------------------------------------------------------------------------------------------------

def expiring_start(x, walk):
    count: cython.size_t
    if x.lp == cython.NULL:
        table_of(x).start(cython.address(walk.position))
    else:
        walk.next = hidden_in_pack(x, walk.hidden, cython.address(count))


def expiring_next(x, walk, field, value):
    slot: cython.pointer(cython.pointer(Entry))
    p: pack
    time: Item
    if x.lp == cython.NULL:
        while True:
            slot = table_of(x).next(cython.address(walk.position))
            if slot == cython.NULL:
                return False
            walk.time = entry_time(slot[0])
            if walk.time == 0 or walk.time > walk.hidden:
                break
        key_item(slot[0], field)
        value_item(slot[0], value)
        return True
    p = walk.next
    if p == cython.NULL:
        return False
    lp_get(p, field)
    p = lp_skip(p)
    lp_get(p, value)
    p = lp_skip(p)
    lp_get(p, cython.address(time))
    walk.time = time.number
    walk.next = lp_next(x.lp, p)
    return True


def expiring_random(x, field, value):
    slot: cython.pointer(cython.pointer(Entry))
    p: pack
    count: cython.size_t
    i: cython.int
    walk: HashWalk
    if expiring_length(x) == 0:
        return False
    if x.lp != cython.NULL:
        p = hidden_in_pack(x, x.hidden, cython.address(count))
        if p == cython.NULL:
            return False
        p = lp_seek(x.lp, 3 * (count + random_below(lp_length(x.lp) // 3 - count)))
        lp_get(p, field)
        lp_get(lp_skip(p), value)
        return True
    for i in range(TRIES):
        slot = table_of(x).random()
        if entry_time(slot[0]) == 0 or entry_time(slot[0]) > x.hidden:
            key_item(slot[0], field)
            value_item(slot[0], value)
            return True
    walk.hidden = x.hidden
    expiring_start(x, cython.address(walk))
    return expiring_next(x, cython.address(walk), field, value)


def expiring_scan(x, cursor, count, pattern, found, values):
    return members_scan(x.members, cursor, count, pattern, found, values, x.hidden)


# --- for tests -------------------------------------------------------------------------------------------------------

def expiring_check(x):
    """The invariants."""
    i: cython.size_t
    p: pack
    time: Item
    walk: HashWalk
    field: Item
    value: Item
    last: int64_t = 0
    timed: cython.size_t = 0
    ended: cython.bint = False
    slot: cython.pointer(cython.pointer(Entry))
    if x.lp != cython.NULL:
        assert x.members == cython.NULL and x.heap == cython.NULL
        lp_check(x.lp, lp_bytes(x.lp))
        assert lp_length(x.lp) % 3 == 0
        p = lp_first(x.lp)
        while p != cython.NULL:
            lp_get(lp_skip(lp_skip(p)), cython.address(time))
            assert time.is_integer and time.number >= 0
            if time.number == 0:
                ended = True
            else:
                assert not ended and time.number >= last, "in order of their times, those without at the end"
                last = time.number
            p = after(x.lp, p)
        return 0
    members_check(x.members)
    assert x.count <= x.capacity
    for i in range(x.count):
        assert x.heap[i].meta & EXPIRES and entry_expiry(x.heap[i]).index == i and entry_expiry(x.heap[i]).at > 0
        slot = table_of(x).slot_of(x.heap[i])
        assert slot != cython.NULL and slot[0] == x.heap[i]
        assert i == 0 or entry_expiry(x.heap[(i - 1) >> 1]).at <= entry_expiry(x.heap[i]).at, "a heap"
    walk.hidden = 0
    expiring_start(x, cython.address(walk))
    while expiring_next(x, cython.address(walk), cython.address(field), cython.address(value)):
        timed += walk.time != 0
    assert timed == x.count, "every field that expires is in the heap"
    return 0
