# cython: language_level=3
"""The chain of listpack nodes behind a large list; chain.pxd is its contract.

`splice` opens or closes a hole in a node by moving the shorter side, so both ends are cheap. A node at an end grows by
doubling up to the size of a full node, and gives back what it did not need when the next one is begun.
"""
import cython
from cython.cimports.libc.stdint import uint32_t
from cython.cimports.libc.string import memcmp, memcpy, memmove

from cython.cimports.carnelian.base.memory import allocate, block_size, release, roomy
from cython.cimports.carnelian.types import limits
from cython.cimports.carnelian.types.listpack import (
    EncodedEntry, Item, lp_bytes, lp_check, lp_encode, lp_equals, lp_find, lp_first, lp_get, lp_last, lp_length, lp_next,
    lp_previous, lp_seek, lp_skip, lp_write, pack)

HEADER = cython.declare(cython.size_t, 6)           # of a listpack
SAFE = cython.declare(cython.size_t, 8192)          # bytes of a node where the setting limits the elements
UNLIMITED = cython.declare(cython.size_t, 0xFFFFFFFF)
SMALLEST = cython.declare(cython.size_t, 256)       # block of a new node at an end

packed_threshold = 0


def set_packed_threshold(n: cython.size_t):
    """DEBUG QUICKLIST-PACKED-THRESHOLD: elements of so many bytes get plain nodes. 0: those too large for a node."""
    global packed_threshold
    packed_threshold = n


# --- limits -----------------------------------------------------------------------------------------------------------


def byte_limit():
    setting: cython.longlong = limits.list_max_listpack_size
    if setting >= 0:
        return SAFE
    if setting < -5:
        setting = -5
    return cython.cast(cython.size_t, 4096) << (-1 - setting)


def count_limit():
    setting: cython.longlong = limits.list_max_listpack_size
    if setting < 0:
        return UNLIMITED
    return setting if setting > 0 else 1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def is_large(n: cython.size_t) -> cython.bint:
    """Whether an element gets a plain node."""
    return n >= packed_threshold if packed_threshold else n > byte_limit()


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def fits(node: cython.pointer(Node), size: cython.size_t) -> cython.bint:
    """Whether an entry of so many bytes may still go into the node."""
    return (not node.plain and lp_bytes(node_data(node)) + size <= byte_limit()
            and node.count < count_limit())


# --- nodes ------------------------------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def set_total(lp: pack, n: cython.size_t) -> cython.void:
    lp[0] = n & 255
    lp[1] = (n >> 8) & 255
    lp[2] = (n >> 16) & 255
    lp[3] = (n >> 24) & 255


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def set_count(node: cython.pointer(Node), n: cython.size_t) -> cython.void:
    lp: pack = node_data(node)
    node.count = n
    if n > 65535:
        n = 65535
    lp[4] = n & 255
    lp[5] = n >> 8


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def node_size(node: cython.pointer(Node)) -> cython.size_t:
    return cython.sizeof(Node) + node.capacity


@cython.cfunc
@cython.exceptval(check=False)
def exact_capacity(n: cython.size_t) -> cython.size_t:
    """Of a node that shall hold n bytes and is not expected to grow: no more than a full node, if n allows."""
    capacity: cython.size_t = roomy(n + cython.sizeof(Node)) - cython.sizeof(Node)
    return byte_limit() if n <= byte_limit() < capacity else capacity


@cython.cfunc
def node_new(chain: cython.pointer(Chain), capacity: cython.size_t) -> cython.pointer(Node):
    """A node without a place in the chain and without content."""
    if capacity > 0xFFFFFF00:
        raise MemoryError("a list's element holds at most 4 GiB")
    node: cython.pointer(Node) = cython.cast(cython.pointer(Node), allocate(cython.sizeof(Node) + capacity))
    node.previous = cython.NULL
    node.next = cython.NULL
    node.count = 0
    node.capacity = cython.cast(uint32_t, capacity)
    node.offset = 0
    node.plain = 0
    chain.bytes += block_size(node_size(node))
    return node


@cython.cfunc
@cython.exceptval(check=False)
def node_free(chain: cython.pointer(Chain), node: cython.pointer(Node)) -> cython.void:
    chain.bytes -= block_size(node_size(node))
    release(node, node_size(node))


@cython.cfunc
@cython.exceptval(check=False)
def link_after(chain: cython.pointer(Chain), place: cython.pointer(Node), node: cython.pointer(Node)) -> cython.void:
    """Puts a node into the chain after `place`, NULL: at the head."""
    node.previous = place
    node.next = chain.head if place == cython.NULL else place.next
    if node.previous != cython.NULL:
        node.previous.next = node
    else:
        chain.head = node
    if node.next != cython.NULL:
        node.next.previous = node
    else:
        chain.tail = node
    chain.nodes += 1


@cython.cfunc
@cython.exceptval(check=False)
def unlink(chain: cython.pointer(Chain), node: cython.pointer(Node)) -> cython.void:
    """Takes a node with all its elements out of the chain and frees it."""
    if node.previous != cython.NULL:
        node.previous.next = node.next
    else:
        chain.head = node.next
    if node.next != cython.NULL:
        node.next.previous = node.previous
    else:
        chain.tail = node.previous
    chain.nodes -= 1
    chain.count -= node.count
    node_free(chain, node)


@cython.cfunc
def move(chain: cython.pointer(Chain), node: cython.pointer(Node), at: cython.size_t, removed: cython.size_t,
         added: cython.size_t, capacity: cython.size_t, offset: cython.size_t) -> cython.pointer(Node):
    """The node in a new block of that capacity, with the hole of `splice` and its listpack at `offset`."""
    total: cython.size_t = lp_bytes(node_data(node))
    fresh: cython.pointer(Node) = node_new(chain, capacity)
    fresh.count = node.count
    fresh.offset = cython.cast(uint32_t, offset)
    memcpy(node_data(fresh), node_data(node), at)
    memcpy(node_data(fresh) + at + added, node_data(node) + at + removed, total - at - removed)
    set_total(node_data(fresh), total - removed + added)
    fresh.previous = node.previous
    fresh.next = node.next
    if node.previous != cython.NULL:
        node.previous.next = fresh
    else:
        chain.head = fresh
    if node.next != cython.NULL:
        node.next.previous = fresh
    else:
        chain.tail = fresh
    node_free(chain, node)
    return fresh


@cython.cfunc
def fit(chain: cython.pointer(Chain), node: cython.pointer(Node)) -> cython.pointer(Node):
    """Gives back what a node does not use, if that is more than an eighth."""
    total: cython.size_t
    capacity: cython.size_t
    if node.plain:
        return node
    total = lp_bytes(node_data(node))
    capacity = exact_capacity(total)
    if capacity + capacity // 8 >= node.capacity:
        return node
    return move(chain, node, total, 0, 0, capacity, 0)


@cython.cfunc
def open_wide(chain: cython.pointer(Chain), node: cython.pointer(Node), at: cython.size_t, removed: cython.size_t,
              added: cython.size_t) -> cython.pointer(Node):
    """`splice` where neither gap suffices: both sides move, within the block or to a larger one."""
    lp: pack = node_data(node)
    total: cython.size_t = lp_bytes(lp)
    suffix: cython.size_t = total - at - removed
    after: cython.size_t = total - removed + added
    leftward: cython.bint = at <= suffix
    capacity: cython.size_t = node.capacity
    offset: cython.size_t
    fresh: pack
    if capacity < after + after // 16:
        if at == HEADER or suffix == 1:
            capacity = 2 * node_size(node)
            if capacity < SMALLEST:
                capacity = SMALLEST
            if capacity > byte_limit() + cython.sizeof(Node):
                capacity = byte_limit() + cython.sizeof(Node)
            capacity -= cython.sizeof(Node)
        if capacity < after:
            capacity = exact_capacity(after)
    offset = capacity - after if leftward else 0
    if capacity > node.capacity:
        return move(chain, node, at, removed, added, capacity, offset)
    fresh = lp + offset - node.offset
    if fresh < lp:
        memmove(fresh, lp, at)
        memmove(fresh + at + added, lp + at + removed, suffix)
    else:
        memmove(fresh + at + added, lp + at + removed, suffix)
        memmove(fresh, lp, at)
    node.offset = cython.cast(uint32_t, offset)
    set_total(fresh, after)
    return node


@cython.cfunc
def splice(chain: cython.pointer(Chain), node: cython.pointer(Node), at: cython.size_t, removed: cython.size_t,
           added: cython.size_t) -> cython.pointer(Node):
    """Makes the `removed` bytes at offset `at` of the listpack room for `added` ones. The node may have moved."""
    lp: pack = node_data(node)
    total: cython.size_t = lp_bytes(lp)
    suffix: cython.size_t = total - at - removed
    d: cython.size_t
    if added <= removed:
        d = removed - added
        if at <= suffix:
            memmove(lp + d, lp, at)
            node.offset += d
            lp += d
        else:
            memmove(lp + at + added, lp + at + removed, suffix)
        set_total(lp, total - d)
        return node
    d = added - removed
    if node.offset >= d and (at <= suffix or node.capacity - node.offset - total < d):
        memmove(lp - d, lp, at)
        node.offset -= d
        set_total(lp - d, total + d)
        return node
    if node.capacity - node.offset - total >= d:
        memmove(lp + at + added, lp + at + removed, suffix)
        set_total(lp, total + d)
        return node
    return open_wide(chain, node, at, removed, added)


@cython.cfunc
def insert_into(chain: cython.pointer(Chain), node: cython.pointer(Node), at: cython.size_t,
                entry: cython.pointer(EncodedEntry)) -> cython.pointer(Node):
    """Inserts an entry at an offset; the node has room for it by `fits`."""
    node = splice(chain, node, at, 0, entry.size)
    lp_write(node_data(node) + at, entry)
    set_count(node, node.count + 1)
    chain.count += 1
    return node


@cython.cfunc
def new_packed(chain: cython.pointer(Chain), place: cython.pointer(Node), entry: cython.pointer(EncodedEntry),
               capacity: cython.size_t, leftward: cython.bint) -> cython.pointer(Node):
    """A node with one entry after `place` (NULL: at the head)."""
    node: cython.pointer(Node)
    total: cython.size_t = HEADER + entry.size + 1
    lp: pack
    if capacity < total:
        capacity = exact_capacity(total)
    node = node_new(chain, capacity)
    if leftward:
        node.offset = cython.cast(uint32_t, capacity - total)
    lp = node_data(node)
    set_total(lp, total)
    lp_write(lp + HEADER, entry)
    lp[total - 1] = 0xFF
    set_count(node, 1)
    link_after(chain, place, node)
    chain.count += 1
    return node


@cython.cfunc
def new_plain(chain: cython.pointer(Chain), place: cython.pointer(Node), data: cython.p_const_char,
              n: cython.size_t) -> cython.pointer(Node):
    node: cython.pointer(Node) = node_new(chain, n)
    node.plain = 1
    node.count = 1
    memcpy(node_data(node), data, n)
    link_after(chain, place, node)
    chain.count += 1
    return node


@cython.cfunc
def delete_from(chain: cython.pointer(Chain), node: cython.pointer(Node), at: cython.size_t, size: cython.size_t,
                count: cython.size_t) -> cython.pointer(Node):
    """Removes `count` elements that take `size` bytes at an offset. NULL if that was the whole node, which is gone."""
    if count == node.count:
        unlink(chain, node)
        return cython.NULL
    node = splice(chain, node, at, size, 0)
    set_count(node, node.count - count)
    chain.count -= count
    return node


def chain_push(chain, data, n, left):
    node: cython.pointer(Node) = chain.head if left else chain.tail
    entry: EncodedEntry
    if is_large(n):
        new_plain(chain, cython.NULL if left else node, data, n)
        return 0
    lp_encode(data, n, cython.address(entry))
    if node != cython.NULL:
        if fits(node, entry.size):
            insert_into(chain, node, HEADER if left else lp_bytes(node_data(node)) - 1, cython.address(entry))
            return 0
        node = fit(chain, node)
    new_packed(chain, cython.NULL if left else node, cython.address(entry), SMALLEST - cython.sizeof(Node), left)
    return 0


def chain_peek(chain, left, item):
    node: cython.pointer(Node) = chain.head if left else chain.tail
    if node == cython.NULL:
        return False
    if node.plain or left:
        get(node, node_data(node) + HEADER, item)
    else:
        lp_get(lp_last(node_data(node)), item)
    return True


@cython.cfunc
def insert_between(chain: cython.pointer(Chain), node: cython.pointer(Node), at: cython.size_t,
                   data: cython.p_const_char, n: cython.size_t) -> cython.int:
    """Inserts an element before the offset `at` of a node's bytes (of a plain node: 0 before it, else after it)."""
    entry: EncodedEntry
    first: cython.bint = at <= HEADER
    last: cython.bint
    rest: cython.pointer(Node)
    lp: pack
    size: cython.size_t
    moved: cython.size_t = 0
    p: pack
    if node.plain:
        first = at == 0
        last = not first
    else:
        last = at == lp_bytes(node_data(node)) - 1
    lp_encode(data, n, cython.address(entry))
    if not is_large(n):
        if fits(node, entry.size):
            insert_into(chain, node, at, cython.address(entry))
            return 0
        if first and node.previous != cython.NULL and fits(node.previous, entry.size):
            node = node.previous
            insert_into(chain, node, lp_bytes(node_data(node)) - 1, cython.address(entry))
            return 0
        if last and node.next != cython.NULL and fits(node.next, entry.size):
            insert_into(chain, node.next, HEADER, cython.address(entry))
            return 0
    if not first and not last:
        # The entries from `at` on become a node of their own.
        lp = node_data(node)
        size = lp_bytes(lp) - 1 - at
        p = lp + at
        while p[0] != 0xFF:
            p = lp_skip(p)
            moved += 1
        rest = node_new(chain, exact_capacity(HEADER + size + 1))
        memcpy(node_data(rest) + HEADER, lp + at, size + 1)
        set_total(node_data(rest), HEADER + size + 1)
        set_count(rest, moved)
        link_after(chain, node, rest)
        chain.count += moved
        node = delete_from(chain, node, at, size, moved)
        node = fit(chain, node)
        if not is_large(n):
            if fits(node, entry.size):
                insert_into(chain, node, at, cython.address(entry))
                return 0
            if fits(rest, entry.size):
                insert_into(chain, rest, HEADER, cython.address(entry))
                return 0
    if is_large(n):
        new_plain(chain, node.previous if first else node, data, n)
    else:
        new_packed(chain, node.previous if first else node, cython.address(entry), 0, False)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def locate(chain: cython.pointer(Chain), index: cython.pointer(cython.size_t)) -> cython.pointer(Node):
    """The node of an index (which must be less than the count); index[0] becomes that within the node."""
    node: cython.pointer(Node)
    i: cython.size_t = index[0]
    if i <= chain.count // 2:
        node = chain.head
        while i >= node.count:
            i -= node.count
            node = node.next
    else:
        i = chain.count - i                 # counted from behind, 1 is the last
        node = chain.tail
        while i > node.count:
            i -= node.count
            node = node.previous
        i = node.count - i
    index[0] = i
    return node


@cython.cfunc
@cython.exceptval(check=False)
def get(node: cython.pointer(Node), p: pack, item: cython.pointer(Item)) -> cython.void:
    """The element at p; in a plain node the only one."""
    if node.plain:
        item.data = cython.cast(cython.p_const_char, node_data(node))
        item.length = node.capacity
        item.is_integer = False
    else:
        lp_get(p, item)


@cython.cfunc
@cython.exceptval(check=False)
def plain_equals(node: cython.pointer(Node), data: cython.p_const_char, n: cython.size_t) -> cython.bint:
    return node.capacity == n and memcmp(node_data(node), data, n) == 0


def chain_get(chain, index, item):
    node: cython.pointer(Node) = locate(chain, cython.address(index))
    get(node, cython.NULL if node.plain else lp_seek(node_data(node), index), item)


def chain_set(chain, index, data, n):
    at: cython.size_t = index
    node: cython.pointer(Node) = locate(chain, cython.address(at))
    entry: EncodedEntry
    lp: pack
    p: pack
    old: cython.size_t
    lp_encode(data, n, cython.address(entry))
    if node.plain:
        if is_large(n):
            new_plain(chain, node, data, n)
        else:
            new_packed(chain, node, cython.address(entry), 0, False)
        unlink(chain, node)
        return 0
    lp = node_data(node)
    p = lp_seek(lp, at)
    old = lp_skip(p) - p
    if not is_large(n) and (lp_bytes(lp) - old + entry.size <= byte_limit() or node.count == 1):
        at = p - lp
        node = splice(chain, node, at, old, entry.size)
        lp_write(node_data(node) + at, cython.address(entry))
        fit(chain, node)
        return 0
    insert_between(chain, node, p - lp, data, n)
    at = index + 1
    node = locate(chain, cython.address(at))            # the old element, wherever it is now
    lp = node_data(node)
    p = lp_seek(lp, at)
    node = delete_from(chain, node, p - lp, lp_skip(p) - p, 1)
    if node != cython.NULL:
        fit(chain, node)
    return 0


def chain_insert(chain, pivot, m, data, n, before):
    node: cython.pointer(Node) = chain.head
    lp: pack
    p: pack
    while node != cython.NULL:
        if node.plain:
            if plain_equals(node, pivot, m):
                insert_between(chain, node, 0 if before else 1, data, n)
                return True
        else:
            lp = node_data(node)
            p = lp_find(lp, lp_first(lp), pivot, m, 0)
            if p != cython.NULL:
                if not before:
                    p = lp_skip(p)
                insert_between(chain, node, p - lp, data, n)
                return True
        node = node.next
    return False


# --- removal ----------------------------------------------------------------------------------------------------------


def chain_drop(chain, left):
    node: cython.pointer(Node) = chain.head if left else chain.tail
    lp: pack = node_data(node)
    p: pack
    if node.plain:
        unlink(chain, node)
        return 0
    p = lp + HEADER if left else lp_last(lp)
    delete_from(chain, node, p - lp, lp_skip(p) - p, 1)
    return 0


def chain_drop_node(chain):
    unlink(chain, chain.head)
    return 0


def chain_trim(chain, count, left):
    node: cython.pointer(Node)
    lp: pack
    p: pack
    at: cython.size_t
    size: cython.size_t
    while count:
        node = chain.head if left else chain.tail
        if node.count <= count:
            count -= node.count
            unlink(chain, node)
            continue
        lp = node_data(node)
        if left:
            at = HEADER
            size = lp_seek(lp, count) - lp - HEADER
        else:
            p = lp_seek(lp, node.count - count)
            at = p - lp
            size = lp_bytes(lp) - 1 - at
        node = delete_from(chain, node, at, size, count)
        fit(chain, node)
        count = 0
    return 0


@cython.cfunc
def remove_in_node(chain: cython.pointer(Chain), node: cython.pointer(Node), budget: cython.size_t,
                   forward: cython.bint, data: cython.p_const_char, n: cython.size_t) -> cython.Py_ssize_t:
    """Removes up to `budget` equal elements of a packed node, which may vanish. How many went."""
    removed: cython.Py_ssize_t = 0
    lp: pack = node_data(node)
    p: pack = lp_first(lp) if forward else lp_last(lp)
    q: pack
    at: cython.size_t
    before: cython.Py_ssize_t
    while p != cython.NULL and budget:
        if forward:
            p = lp_find(lp, p, data, n, 0)
            if p == cython.NULL:
                break
        elif not lp_equals(p, data, n):
            p = lp_previous(lp, p)
            continue
        q = cython.NULL if forward else lp_previous(lp, p)
        before = -1 if q == cython.NULL else q - lp
        at = p - lp
        node = delete_from(chain, node, at, lp_skip(p) - p, 1)
        removed += 1
        budget -= 1
        if node == cython.NULL:
            return removed
        lp = node_data(node)                # offsets hold, wherever the listpack has moved
        if forward:
            p = cython.NULL if lp[at] == 0xFF else lp + at
        else:
            p = cython.NULL if before < 0 else lp + before
    if removed:
        fit(chain, node)
    return removed


def chain_remove(chain, data, n, most, forward):
    removed: cython.size_t = 0
    node: cython.pointer(Node) = chain.head if forward else chain.tail
    after: cython.pointer(Node)
    while node != cython.NULL and removed < most:
        after = node.next if forward else node.previous
        if not node.plain:
            removed += remove_in_node(chain, node, most - removed, forward, data, n)
        elif plain_equals(node, data, n):
            unlink(chain, node)
            removed += 1
        node = after
    return removed


# --- the whole --------------------------------------------------------------------------------------------------------


def chain_new():
    chain: cython.pointer(Chain) = cython.cast(cython.pointer(Chain), allocate(cython.sizeof(Chain)))
    chain.head = cython.NULL
    chain.tail = cython.NULL
    chain.count = 0
    chain.nodes = 0
    chain.bytes = 0
    return chain


def chain_free(chain):
    while chain.head != cython.NULL:
        unlink(chain, chain.head)
    release(chain, cython.sizeof(Chain))


def chain_adopt(chain, lp, count):
    total: cython.size_t = lp_bytes(lp)
    node: cython.pointer(Node) = node_new(chain, exact_capacity(total))
    memcpy(node_data(node), lp, total)
    node.count = cython.cast(uint32_t, count)
    link_after(chain, chain.tail, node)
    chain.count += count
    return 0


def chain_copy(chain):
    twin: cython.pointer(Chain) = chain_new()
    node: cython.pointer(Node) = chain.head
    try:
        while node != cython.NULL:
            if node.plain:
                new_plain(twin, twin.tail, cython.cast(cython.p_const_char, node_data(node)), node.capacity)
            else:
                chain_adopt(twin, node_data(node), node.count)
            node = node.next
    except MemoryError:
        chain_free(twin)
        raise
    return twin


def chain_check(chain):
    node: cython.pointer(Node) = chain.head
    last: cython.pointer(Node) = cython.NULL
    count: cython.size_t = 0
    nodes: cython.size_t = 0
    size: cython.size_t = 0
    total: cython.size_t
    while node != cython.NULL:
        assert node.previous == last
        assert node.count > 0
        if node.plain:
            assert node.plain == 1 and node.count == 1 and node.offset == 0
        else:
            total = lp_bytes(node_data(node))
            assert node.offset + total <= node.capacity
            lp_check(node_data(node), total)
            assert lp_length(node_data(node)) == node.count
        count += node.count
        nodes += 1
        size += block_size(node_size(node))
        last = node
        node = node.next
    assert chain.tail == last
    assert chain.count == count
    assert chain.nodes == nodes
    assert chain.bytes == size
    return 0


# --- iteration --------------------------------------------------------------------------------------------------------


def walk_pack(walk, lp, index, forward):
    walk.node = cython.NULL
    walk.lp = lp
    walk.at = lp_seek(lp, index)
    walk.forward = forward
    walk.more = walk.at != cython.NULL


def walk_chain(walk, chain, index, forward):
    walk.forward = forward
    walk.more = index < chain.count
    if walk.more:
        walk.node = locate(chain, cython.address(index))
        walk.lp = cython.NULL if walk.node.plain else node_data(walk.node)
        walk.at = cython.NULL if walk.node.plain else lp_seek(walk.lp, index)


@cython.cfunc
@cython.exceptval(check=False)
def enter(walk: cython.pointer(Walk), node: cython.pointer(Node)) -> cython.void:
    """Goes on with the first or last element of a node; NULL ends."""
    walk.node = node
    walk.more = node != cython.NULL
    if not walk.more:
        return
    if node.plain:
        walk.lp = cython.NULL
    else:
        walk.lp = node_data(node)
        walk.at = lp_first(walk.lp) if walk.forward else lp_last(walk.lp)


def walk_skip(walk):
    if walk.lp != cython.NULL:
        walk.at = lp_next(walk.lp, walk.at) if walk.forward else lp_previous(walk.lp, walk.at)
        if walk.at != cython.NULL:
            return
    if walk.node == cython.NULL:
        walk.more = False
    else:
        enter(walk, walk.node.next if walk.forward else walk.node.previous)


def walk_next(walk, item):
    if not walk.more:
        return False
    if walk.lp == cython.NULL:
        get(walk.node, cython.NULL, item)
    else:
        lp_get(walk.at, item)
    walk_skip(walk)
    return True


def walk_equals(walk, data, n):
    return plain_equals(walk.node, data, n) if walk.lp == cython.NULL else lp_equals(walk.at, data, n)
