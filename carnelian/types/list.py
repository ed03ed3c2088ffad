# cython: language_level=3
"""The list: a listpack while it is small, else a chain of nodes with a listpack each.

The encodings and their borders are those of Redis 7.2 (`list-max-listpack-size`): a list becomes a chain, "quicklist",
when what is added does not fit one node, and a listpack again when the chain's only node is at most half full.
"""
import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.string import memcpy

from cython.cimports.carnelian.base.memory import account, allocate, block_size, roomy
from cython.cimports.carnelian.types.chain import (
    Chain, Node, Walk, byte_limit, chain_adopt, chain_check, chain_copy, chain_drop, chain_drop_node, chain_free, chain_get,
    chain_insert, chain_new, chain_peek, chain_push, chain_remove, chain_set, chain_trim, count_limit, node_data,
    walk_chain, walk_equals, walk_next, walk_pack, walk_skip)
from cython.cimports.carnelian.types.listpack import (
    Item, lp_append, lp_bytes, lp_check, lp_copy, lp_delete, lp_delete_range, lp_equals, lp_find, lp_first, lp_free,
    lp_get, lp_insert, lp_last, lp_length, lp_memory, lp_new, lp_next, lp_prepend, lp_previous, lp_replace, lp_seek, pack)

OBJECT = cython.declare(cython.Py_ssize_t, 32)      # bytes that the Python object takes
SAFE = cython.declare(cython.size_t, 1 << 30)       # bytes: no node that comes from elsewhere may be larger


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def chain_of(values: List) -> cython.pointer(Chain):
    """NULL where the list is a single listpack."""
    return cython.cast(cython.pointer(Chain), values.body - 1) if values.body & 1 else cython.NULL


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def pack_of(values: List) -> pack:
    return cython.cast(pack, values.body)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def set_pack(values: List, lp: pack) -> cython.void:
    values.body = cython.cast(cython.size_t, lp)


@cython.cfunc
@cython.exceptval(check=False)
def elements_of(lp: pack) -> cython.size_t:
    """Counts them without writing to the pack."""
    p: pack = lp_first(lp)
    n: cython.size_t = 0
    while p != cython.NULL:
        n += 1
        p = lp_next(lp, p)
    return n


class List:
    """A list of bytes. Indexes are as in LRANGE and LINDEX: negative ones count from the right end, -1 is the last."""

    def __cinit__(self):
        set_pack(self, lp_new())
        account(OBJECT)

    def __dealloc__(self):
        if not self.body:
            return
        if self.body & 1:
            chain_free(chain_of(self))
        else:
            lp_free(pack_of(self))
        account(-OBJECT)

    # --- encoding ---

    @property
    def encoding(self) -> str:
        """OBJECT ENCODING's name for it: "listpack" or "quicklist"."""
        return "quicklist" if self.body & 1 else "listpack"

    @property
    def nodes(self) -> int:
        """Nodes of the chain; 1 for a single listpack."""
        return chain_of(self).nodes if self.body & 1 else 1

    def expect(self, total, elements):
        lp: pack
        if self.body & 1:
            return 0
        lp = pack_of(self)
        if lp_bytes(lp) + total > byte_limit() or lp_length(lp) + elements > count_limit():
            return self.to_chain()
        return 0

    def to_chain(self):
        lp: pack = pack_of(self)
        chain: cython.pointer(Chain) = chain_new()
        if lp_length(lp):
            try:
                chain_adopt(chain, lp, lp_length(lp))
            except MemoryError:
                chain_free(chain)
                raise
        lp_free(lp)
        self.body = cython.cast(cython.size_t, chain) | 1
        return 0

    def shrink(self, part=2):
        chain: cython.pointer(Chain) = chain_of(self)
        total: cython.size_t
        lp: pack
        if chain == cython.NULL or chain.nodes > 1:
            return 0
        if chain.nodes == 0:
            lp = lp_new()
        else:
            if chain.head.plain:
                return 0
            total = lp_bytes(node_data(chain.head))
            if total > byte_limit() // part or chain.count > count_limit() // part:
                return 0
            lp = cython.cast(pack, allocate(roomy(total)))
            memcpy(lp, node_data(chain.head), total)
        chain_free(chain)
        set_pack(self, lp)
        return 0

    # --- the ends ---

    def __len__(self):
        return self.length()

    def length(self):
        return chain_of(self).count if self.body & 1 else lp_length(pack_of(self))

    def add(self, data, n, left):
        if self.body & 1:
            return chain_push(chain_of(self), data, n, left)
        if left:
            set_pack(self, lp_prepend(pack_of(self), data, n))
        else:
            set_pack(self, lp_append(pack_of(self), data, n))
        return 0

    def put_left(self, data, n):
        self.expect(n, 1)
        return self.add(data, n, True)

    def put_right(self, data, n):
        self.expect(n, 1)
        return self.add(data, n, False)

    def push_left(self, element):
        return self.put_left(PyBytes_AS_STRING(element), PyBytes_GET_SIZE(element))

    def push_right(self, element):
        return self.put_right(PyBytes_AS_STRING(element), PyBytes_GET_SIZE(element))

    def extend_left(self, elements: tuple) -> None:
        """Prepends the elements one after the other: the last one becomes the first of the list."""
        element: bytes
        self._expect(elements)
        for element in elements:
            self.add(PyBytes_AS_STRING(element), PyBytes_GET_SIZE(element), True)

    def extend_right(self, elements: tuple) -> None:
        """Appends the elements."""
        element: bytes
        self._expect(elements)
        for element in elements:
            self.add(PyBytes_AS_STRING(element), PyBytes_GET_SIZE(element), False)

    def _expect(self, elements: tuple):
        total: cython.size_t = 0
        element: bytes
        for element in elements:
            total += PyBytes_GET_SIZE(element)
        self.expect(total, len(elements))

    def peek_left(self, item):
        p: pack
        if self.body & 1:
            return chain_peek(chain_of(self), True, item)
        p = lp_first(pack_of(self))
        if p == cython.NULL:
            return False
        lp_get(p, item)
        return True

    def peek_right(self, item):
        p: pack
        if self.body & 1:
            return chain_peek(chain_of(self), False, item)
        p = lp_last(pack_of(self))
        if p == cython.NULL:
            return False
        lp_get(p, item)
        return True

    def drop_left(self):
        chain: cython.pointer(Chain) = chain_of(self)
        p: pack
        if chain != cython.NULL:
            chain_drop(chain, True)
            return self.shrink() if chain.nodes <= 1 else 0
        p = lp_first(pack_of(self))
        set_pack(self, lp_delete(pack_of(self), cython.address(p)))
        return 0

    def drop_right(self):
        chain: cython.pointer(Chain) = chain_of(self)
        p: pack
        if chain != cython.NULL:
            chain_drop(chain, False)
            return self.shrink() if chain.nodes <= 1 else 0
        p = lp_last(pack_of(self))
        set_pack(self, lp_delete(pack_of(self), cython.address(p)))
        return 0

    def pop_left(self):
        item: Item
        element: bytes
        if not self.peek_left(cython.address(item)):
            return None
        element = PyBytes_FromStringAndSize(item.data, item.length)
        self.drop_left()
        return element

    def pop_right(self):
        item: Item
        element: bytes
        if not self.peek_right(cython.address(item)):
            return None
        element = PyBytes_FromStringAndSize(item.data, item.length)
        self.drop_right()
        return element

    # --- by index ---

    def seek(self, index, item):
        count: cython.Py_ssize_t
        p: pack
        if self.body & 1:
            count = chain_of(self).count
            if index < 0:
                index += count
            if index < 0 or index >= count:
                return False
            chain_get(chain_of(self), index, item)
            return True
        p = lp_seek(pack_of(self), index)
        if p == cython.NULL:
            return False
        lp_get(p, item)
        return True

    def index(self, index):
        item: Item
        if not self.seek(index, cython.address(item)):
            return None
        return PyBytes_FromStringAndSize(item.data, item.length)

    def walk(self, walk, index, forward):
        if self.body & 1:
            walk_chain(walk, chain_of(self), index, forward)
        else:
            walk_pack(walk, pack_of(self), index, forward)

    def range(self, start, stop):
        walk: Walk
        item: Item
        count: cython.Py_ssize_t = self.length()
        n: cython.Py_ssize_t
        values: list = []
        if start < 0:
            start = start + count if start + count > 0 else 0
        if stop < 0:
            stop += count
        if stop >= count:
            stop = count - 1
        if start > stop:
            return values
        self.walk(cython.address(walk), start, True)
        for n in range(stop - start + 1):
            walk_next(cython.address(walk), cython.address(item))
            values.append(PyBytes_FromStringAndSize(item.data, item.length))
        return values

    def set(self, index: cython.Py_ssize_t, element: bytes) -> None:
        """Replaces an element. IndexError if there is none at that index."""
        data: cython.p_const_char = PyBytes_AS_STRING(element)
        n: cython.size_t = PyBytes_GET_SIZE(element)
        count: cython.Py_ssize_t = self.length()
        p: pack
        if index < 0:
            index += count
        if index < 0 or index >= count:
            raise IndexError("list index out of range")
        self.expect(n, 1)
        if self.body & 1:
            chain_set(chain_of(self), index, data, n)
            self.shrink()
        else:
            p = lp_seek(pack_of(self), index)
            set_pack(self, lp_replace(pack_of(self), cython.address(p), data, n))

    def trim(self, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> int:
        """Keeps only the elements from start to stop, both included. How many went."""
        count: cython.Py_ssize_t = self.length()
        if start < 0:
            start = start + count if start + count > 0 else 0
        if stop < 0:
            stop += count
        if stop >= count:
            stop = count - 1
        if start > stop:
            start = count
            stop = count - 1
        if self.body & 1:
            chain_trim(chain_of(self), count - 1 - stop, False)
            chain_trim(chain_of(self), start, True)
            self.shrink()
        else:
            set_pack(self, lp_delete_range(pack_of(self), stop + 1, count - 1 - stop))
            set_pack(self, lp_delete_range(pack_of(self), 0, start))
        return count - (stop - start + 1)

    # --- by value ---

    def insert(self, pivot: bytes, element: bytes, before: cython.bint) -> bool:
        """Inserts the element before or after the first one that equals the pivot. False if there is none."""
        wanted: cython.p_const_char = PyBytes_AS_STRING(pivot)
        m: cython.size_t = PyBytes_GET_SIZE(pivot)
        data: cython.p_const_char = PyBytes_AS_STRING(element)
        n: cython.size_t = PyBytes_GET_SIZE(element)
        lp: pack
        p: pack
        self.expect(n, 1)
        if self.body & 1:
            return chain_insert(chain_of(self), wanted, m, data, n, before)
        lp = pack_of(self)
        p = lp_find(lp, lp_first(lp), wanted, m, 0)
        if p == cython.NULL:
            return False
        if not before:
            p = lp_next(lp, p)
        set_pack(self, lp_insert(lp, p, data, n, cython.NULL))
        return True

    def remove(self, count: cython.Py_ssize_t, element: bytes) -> int:
        """Removes the elements that equal this one: `count` from the left, or -count from the right; 0: all. How many."""
        data: cython.p_const_char = PyBytes_AS_STRING(element)
        n: cython.size_t = PyBytes_GET_SIZE(element)
        before: cython.Py_ssize_t = self.length()
        forward: cython.bint = count >= 0
        # The most negative number has no positive twin in its own type.
        most: cython.size_t = count if forward else cython.cast(cython.size_t, -(count + 1)) + 1
        if most == 0:
            most = before
        if self.body & 1:
            if chain_remove(chain_of(self), data, n, most, forward):
                self.shrink()
        else:
            self.remove_packed(most, data, n, forward)
        return before - self.length()

    def remove_packed(self, most, data, n, forward):
        lp: pack = pack_of(self)
        p: pack = lp_first(lp) if forward else lp_last(lp)
        rest: cython.Py_ssize_t             # offset of the element to look at next, going left
        while p != cython.NULL and most:
            if forward:
                p = lp_find(lp, p, data, n, 0)
                if p == cython.NULL:
                    break
                lp = lp_delete(lp, cython.address(p))
            elif lp_equals(p, data, n):
                rest = lp_previous(lp, p) - lp if p != lp_first(lp) else -1
                lp = lp_delete(lp, cython.address(p))
                p = lp + rest if rest >= 0 else cython.NULL
            else:
                p = lp_previous(lp, p)
                continue
            set_pack(self, lp)
            most -= 1
        return 0

    def positions(self, element: bytes, rank: cython.Py_ssize_t = 1, count: cython.size_t = 1,
                  most: cython.size_t = 0) -> list:
        """The indexes where the element is.

        rank: from which match on, 1 the first; -1 the last and then leftwards. count: how many indexes, 0 all. most: how
        many elements are looked at, 0 all.
        """
        data: cython.p_const_char = PyBytes_AS_STRING(element)
        n: cython.size_t = PyBytes_GET_SIZE(element)
        forward: cython.bint = rank > 0
        skip: cython.size_t = rank - 1 if rank > 0 else -(rank + 1)
        index: cython.Py_ssize_t = 0 if forward else self.length() - 1
        walk: Walk
        found: list = []
        if self.length() == 0:
            return found
        if most == 0:
            most = self.length()
        self.walk(cython.address(walk), index, forward)
        while walk.more and most:
            if walk_equals(cython.address(walk), data, n):
                if skip:
                    skip -= 1
                else:
                    found.append(index)
                    if count and cython.cast(cython.size_t, len(found)) == count:
                        break
            walk_skip(cython.address(walk))
            index += 1 if forward else -1
            most -= 1
        return found

    # --- as a whole ---

    def memory(self):
        if self.body & 1:
            return OBJECT + block_size(cython.sizeof(Chain)) + chain_of(self).bytes
        return OBJECT + lp_memory(pack_of(self))

    def copy(self) -> List:
        """A list of its own with the same elements and encoding."""
        twin: List = List()
        chain: cython.pointer(Chain)
        lp: pack
        if self.body & 1:
            chain = chain_copy(chain_of(self))
            lp_free(pack_of(twin))
            twin.body = cython.cast(cython.size_t, chain) | 1
        else:
            lp = lp_copy(pack_of(self))
            lp_free(pack_of(twin))
            set_pack(twin, lp)
        return twin

    def nodes_as_bytes(self):
        """Yields (plain, bytes) for each of the `nodes`, as RDB files keep them: a single element, or a listpack."""
        node: cython.pointer(Node)
        if not self.body & 1:
            yield False, PyBytes_FromStringAndSize(cython.cast(cython.p_char, pack_of(self)), lp_bytes(pack_of(self)))
            return
        node = chain_of(self).head
        while node != cython.NULL:
            yield node.plain != 0, PyBytes_FromStringAndSize(
                cython.cast(cython.p_char, node_data(node)), node.capacity if node.plain else lp_bytes(node_data(node)))
            node = node.next

    @staticmethod
    def from_nodes(nodes) -> List:
        """A list of nodes (plain, bytes) that came from elsewhere. ValueError if a listpack is damaged.

        It is a single listpack if there is only one node and that is within the limits.
        """
        values: List = List()
        chain: cython.pointer(Chain) = chain_new()
        plain: cython.bint
        data: bytes
        lp: pack
        n: cython.size_t
        lp_free(pack_of(values))
        values.body = cython.cast(cython.size_t, chain) | 1
        for plain, data in nodes:
            n = PyBytes_GET_SIZE(data)
            if plain:
                chain_push(chain, PyBytes_AS_STRING(data), n, False)
                continue
            lp = cython.cast(pack, PyBytes_AS_STRING(data))
            lp_check(lp, n)
            if n > SAFE:
                raise ValueError("a node of the list is too large")
            if lp_first(lp) != cython.NULL:
                chain_adopt(chain, lp, elements_of(lp))
        values.shrink(1)
        return values

    def free_some(self, budget):
        chain: cython.pointer(Chain) = chain_of(self)
        before: cython.size_t
        if chain == cython.NULL:
            return 0
        before = chain.count
        while chain.nodes and before - chain.count < budget:
            chain_drop_node(chain)
        return chain.count

    def _check(self):
        """The invariants: well-formed listpacks, links and sums that agree, no empty node."""
        assert self.body
        if self.body & 1:
            chain_check(chain_of(self))
        else:
            lp_check(pack_of(self), lp_bytes(pack_of(self)))
