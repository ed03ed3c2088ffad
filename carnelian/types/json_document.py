# cython: language_level=3
"""JSON documents: the value of a key that the JSON words work on.

A document whose text is short is kept as that text, and parsed for each use: it takes a tenth of the memory, and is given as
a whole without any work. Others are trees of Python objects. `orjson` reads and prints: its numbers are those of
RedisJSON's library (integers of 64 bits stay integers, doubles are printed in the shortest form, `1.0`, `1e+16`), it
keeps the order of keys, of a key that comes twice the last value, and refuses what is no UTF-8.

What a tree takes is estimated by adding up its objects, once when it is made, and from then on by what each change
takes out and puts in; tests compare the estimate to what the interpreter says.
https://redis.io/docs/latest/develop/data-types/json/
"""
import cython
import orjson
from cython.cimports.carnelian.base.memory import account, block_size
from cython.cimports.cpython.bytes import PyBytes_GET_SIZE
from cython.cimports.cpython.dict import PyDict_CheckExact
from cython.cimports.cpython.list import PyList_CheckExact, PyList_GET_SIZE
from cython.cimports.carnelian.types.json_layout import (
    PyListObject, PyLong_AsLongLongAndOverflow, PyUnicode_GET_LENGTH, PyUnicode_IS_ASCII, PyUnicode_KIND)

from carnelian.types.json_fault import fault_of

LARGEST_TEXT = cython.declare(cython.Py_ssize_t, 1024)      # bytes of a document that is kept as text when it is set
SLACK = cython.declare(cython.int, 2)                       # it may become so many times as long by later changes
OBJECT_BYTES = cython.declare(cython.Py_ssize_t, 112)
BYTES_HEAD = cython.declare(cython.Py_ssize_t, b"".__sizeof__())
ASCII_HEAD = cython.declare(cython.Py_ssize_t, "".__sizeof__())
WIDE_HEAD = cython.declare(cython.Py_ssize_t, "\u0100".__sizeof__() - 2)
LARGE = cython.declare(cython.Py_ssize_t, 1000)             # values: a tree with more is freed in slices


class InvalidJson(ValueError):
    """The text is no JSON. `str(error)` says what is wrong and where, in the words of RedisJSON's parser."""


class TooDeep(ValueError):
    """A document with too many levels."""


# --- text and values -------------------------------------------------------------------------------------------------

def parse(text: bytes, deepest: cython.int = DEEPEST_TEXT):
    """The value that a JSON text spells. InvalidJson."""
    weight: Weight
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidJson(fault_of(text, deepest)) from None
    # Only a text with enough opening brackets can be too deep.
    if text.count(b"[") + text.count(b"{") > deepest:
        weight = Weight(0, 0, 0)
        weigh(value, 0, cython.address(weight))
        if weight.deepest > deepest:
            raise InvalidJson(fault_of(text, deepest))
    return value


def to_text(value) -> bytes:
    """A value as compact JSON."""
    return orjson.dumps(value)


class Layout:
    """How JSON is laid out over several lines: three byte strings, as JSON.GET's INDENT, NEWLINE and SPACE give them."""

    def __init__(self, indent: bytes = b"", newline: bytes = b"", space: bytes = b""):
        self.indent = indent
        self.newline = newline
        self.space = space

    def __bool__(self):
        return bool(self.indent or self.newline or self.space)

    def print(self, value) -> bytes:
        """A value as JSON in this layout."""
        parts: list = []
        lay_out(parts, value, 0, self.indent, self.newline, b":" + self.space)
        return b"".join(parts)


@cython.cfunc
@cython.exceptval(-1)
def lay_out(parts: list, value, level: cython.int, indent: bytes, newline: bytes, colon: bytes) -> cython.int:
    first: cython.bint = True
    mapping: cython.bint = PyDict_CheckExact(value)
    if not mapping and not PyList_CheckExact(value):
        parts.append(orjson.dumps(value))
        return 0
    inner: bytes = newline + indent * (level + 1)
    parts.append(b"{" if mapping else b"[")
    for item in value:
        parts.append(inner if first else b"," + inner)
        first = False
        if mapping:
            parts.append(orjson.dumps(item))
            parts.append(colon)
            lay_out(parts, cython.cast(dict, value)[item], level + 1, indent, newline, colon)
        else:
            lay_out(parts, item, level + 1, indent, newline, colon)
    if not first:
        parts.append(newline + indent * level)
    parts.append(b"}" if mapping else b"]")
    return 0


def copy_of(value):
    """A deep copy."""
    if PyDict_CheckExact(value) or PyList_CheckExact(value):
        return orjson.loads(orjson.dumps(value))
    return value


def is_same(a, b, strict):
    """Deep equality. Python's own takes True for 1; `strict` also tells 1 from 1.0, as JSON.ARRINDEX does."""
    if a is b:
        return True
    kind = type(a)
    if kind is not type(b):
        if strict:
            return False
        return kind in (int, float) and type(b) in (int, float) and a == b
    if PyList_CheckExact(a):
        if PyList_GET_SIZE(a) != PyList_GET_SIZE(b):
            return False
        for x, y in zip(a, b):
            if not is_same(x, y, strict):
                return False
        return True
    if PyDict_CheckExact(a):
        if len(a) != len(b):
            return False
        for key, x in cython.cast(dict, a).items():
            if key not in cython.cast(dict, b) or not is_same(x, cython.cast(dict, b)[key], strict):
                return False
        return True
    return a == b


# --- what a tree takes -----------------------------------------------------------------------------------------------

def _dict_sizes() -> list:
    """Bytes of a dict by the logarithm of its places, measured; from 2**10 places on they double."""
    sizes = []
    for exponent in range(3, 11):
        d = {}
        for i in range((2 << exponent) // 3):
            d[str(i)] = None
        sizes.append(d.__sizeof__())
    return sizes


DICT_SIZES = cython.declare(list, _dict_sizes())
EMPTY_DICT = cython.declare(cython.Py_ssize_t, {}.__sizeof__())
GC_HEAD = cython.declare(cython.Py_ssize_t, 16)
LIST_HEAD = cython.declare(cython.Py_ssize_t, [].__sizeof__())


@cython.cfunc
@cython.exceptval(-1)
def dict_bytes(n: cython.Py_ssize_t) -> cython.longlong:
    """Of a dict with n keys, keys and values apart."""
    exponent: cython.int = 3
    size: cython.longlong
    if n == 0:
        return EMPTY_DICT + GC_HEAD
    while (cython.cast(cython.longlong, 2) << exponent) // 3 < n:
        exponent += 1
    if exponent <= 10:
        size = DICT_SIZES[exponent - 3]
    else:
        size = cython.cast(cython.longlong, DICT_SIZES[7]) << (exponent - 10)
    return size + GC_HEAD


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def list_bytes(items: list) -> cython.longlong:
    room: cython.size_t = cython.cast(cython.pointer(PyListObject), items).allocated * 8
    return LIST_HEAD + GC_HEAD + (block_size(room) if room else 0)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def string_bytes(text: object) -> cython.longlong:
    if PyUnicode_IS_ASCII(text):
        return block_size(ASCII_HEAD + PyUnicode_GET_LENGTH(text))
    return block_size(WIDE_HEAD + PyUnicode_KIND(text) * (PyUnicode_GET_LENGTH(text) + 1))


def weigh(value, level, weight):
    """Adds what a value takes, which stands below so many levels. Recurses as deep as the value is."""
    kind: object = type(value)
    overflow: cython.int = 0
    number: cython.longlong
    weight.nodes += 1
    if kind is str:
        weight.bytes += string_bytes(value)
    elif kind is int:
        # The interpreter keeps the small ones once; up to 60 bits take two digits of 30.
        number = PyLong_AsLongLongAndOverflow(value, cython.address(overflow))
        if overflow or number >> 60 not in (0, -1):
            weight.bytes += 48
        elif number < -5 or number > 256:
            weight.bytes += 32
    elif kind is float:
        weight.bytes += 32
    elif PyDict_CheckExact(value):
        level += 1
        weight.deepest = max(weight.deepest, level)
        weight.bytes += dict_bytes(len(cython.cast(dict, value)))
        for key, item in cython.cast(dict, value).items():
            weight.bytes += string_bytes(key)
            weigh(item, level, weight)
    elif PyList_CheckExact(value):
        level += 1
        weight.deepest = max(weight.deepest, level)
        weight.bytes += list_bytes(value)
        for item in cython.cast(list, value):
            weigh(item, level, weight)
    return 0


def depth_of(value) -> int:
    """Levels of containers: 0 of anything else."""
    if not PyDict_CheckExact(value) and not PyList_CheckExact(value):
        return 0
    weight: Weight = Weight(0, 0, 0)
    weigh(value, 0, cython.address(weight))
    return weight.deepest


def weight_of(value) -> int:
    """An estimate of the bytes that a value takes."""
    weight: Weight = Weight(0, 0, 0)
    weigh(value, 0, cython.address(weight))
    return weight.bytes


@cython.cfunc
@cython.exceptval(-1)
def container_bytes(container) -> cython.longlong:
    if PyDict_CheckExact(container):
        return dict_bytes(len(cython.cast(dict, container)))
    return list_bytes(container)


@cython.final
@cython.cclass
class Location:
    """Where a value stands in a tree."""

    def __cinit__(self, parent: Location | None, container, key, value):
        self.parent = parent
        self.container = container
        self.key = key
        self.value = value

    @property
    def depth(self) -> int:
        """How many containers are around the value."""
        n: cython.int = 0
        place: Location = self.parent
        while place is not None:
            n += 1
            place = place.parent
        return n


# --- documents -------------------------------------------------------------------------------------------------------

@cython.final
@cython.cclass
class JsonDocument:
    """One document. Reading: `tree()`, `to_text()`. Changing:

        document.open()
        try:
            document.put(location, value)       # and the like
        finally:
            document.close()

    Between the two a value that is put in must belong to nobody else. `len(document)` is the number of its values, at
    least 1.
    """

    def __cinit__(self):
        self.bytes = OBJECT_BYTES
        self.nodes = 1
        account(OBJECT_BYTES)

    def __dealloc__(self):
        account(-self.bytes)

    @staticmethod
    def of(value, length: cython.Py_ssize_t = -1) -> JsonDocument:
        """The document of a value, which it owns from then on. `length`: bytes of the text that the value came from, -1 if
        it came from none. TooDeep."""
        document: JsonDocument = JsonDocument()
        weight: Weight
        if 0 <= length <= LARGEST_TEXT:
            document.text = orjson.dumps(value)
            document.weigh_anew(block_size(BYTES_HEAD + PyBytes_GET_SIZE(document.text)), 0)
            return document
        weight = Weight(0, 0, 0)
        weigh(value, 0, cython.address(weight))
        if weight.deepest > DEEPEST:
            raise TooDeep()
        if length < 0 and weight.bytes <= LARGEST_TEXT:
            return JsonDocument.of(value, 0)
        document.root = value
        document.weigh_anew(weight.bytes, weight.nodes - 1)
        return document

    def weigh_anew(self, change, nodes):
        self.bytes += change
        self.nodes += nodes
        account(change)
        return 0

    # --- reading -----------------------------------------------------------------------------------------------------

    def __len__(self):
        return self.nodes

    def tree(self):
        """The value. Of a small document a new copy, which is the caller's; else what the document holds, to be read only."""
        if self.text is not None:
            return orjson.loads(self.text)
        return self.root

    def to_text(self):
        """Compact JSON."""
        return self.text if self.text is not None else orjson.dumps(self.root)

    @property
    def is_small(self) -> bool:
        return self.text is not None

    # --- changing ----------------------------------------------------------------------------------------------------

    def open(self):
        """Before a change: the value."""
        if self.text is not None:
            self.root = orjson.loads(self.text)
            self.weigh_anew(-cython.cast(cython.Py_ssize_t, block_size(BYTES_HEAD + PyBytes_GET_SIZE(self.text))), 0)
            self.text = None
            self.opened = True
        return self.root

    def close(self) -> None:
        """After it."""
        weight: Weight
        if not self.opened:
            return
        self.opened = False
        text: bytes = orjson.dumps(self.root)
        if PyBytes_GET_SIZE(text) <= SLACK * LARGEST_TEXT:
            self.text = text
            self.root = None
            self.weigh_anew(block_size(BYTES_HEAD + PyBytes_GET_SIZE(text)), 0)
        else:
            weight = Weight(0, 0, 0)
            weigh(self.root, 0, cython.address(weight))
            self.weigh_anew(weight.bytes, weight.nodes - 1)

    def drop(self, value):
        """A value has been taken out of the tree."""
        weight: Weight
        if self.opened:
            return 0
        weight = Weight(0, 0, 0)
        weigh(value, 0, cython.address(weight))
        self.weigh_anew(-weight.bytes, -weight.nodes)
        if weight.nodes > LARGE:
            rest: JsonDocument = JsonDocument()
            rest.root = value
            rest.weigh_anew(weight.bytes, weight.nodes - 1)
            if self.waste is None:
                self.waste = []
            self.waste.append(rest)
        return 0

    def take_waste(self) -> list:
        """The large values that changes have taken out, as documents: to be freed in slices by whoever asks."""
        waste = self.waste
        self.waste = None
        return waste or []

    def add(self, value):
        """A value has been put into the tree."""
        weight: Weight
        if not self.opened:
            weight = Weight(0, 0, 0)
            weigh(value, 0, cython.address(weight))
            self.weigh_anew(weight.bytes, weight.nodes)
        return 0

    def grown(self, container, before):
        """A container has changed its size: what it took before."""
        if not self.opened:
            self.weigh_anew(container_bytes(container) - before, 0)
        return 0

    def put(self, place: Location, value) -> None:
        """Another value in the place of the one there."""
        if place.container is None:
            self.root = value
        else:
            place.container[place.key] = value
        self.add(value)
        self.drop(place.value)
        place.value = value

    def put_key(self, target: dict, key: str, value) -> None:
        """A key of an object, new or not."""
        before: cython.longlong
        if key in target:
            old = target[key]
            target[key] = value
            self.add(value)
            self.drop(old)
            return
        before = dict_bytes(len(target))
        target[key] = value
        self.grown(target, before)
        self.add(value)
        if not self.opened:
            self.weigh_anew(string_bytes(key), 0)

    def remove_key(self, target: dict, key: str) -> None:
        before: cython.longlong = dict_bytes(len(target))
        old = target.pop(key)
        self.grown(target, before)
        if not self.opened:
            self.weigh_anew(-string_bytes(key), 0)
        self.drop(old)

    def insert(self, target: list, at: cython.Py_ssize_t, values: list) -> None:
        """Values before an index."""
        before: cython.longlong = list_bytes(target)
        target[at:at] = values
        self.grown(target, before)
        for value in values:
            self.add(value)

    def cut(self, target: list, start: cython.Py_ssize_t, stop: cython.Py_ssize_t) -> list:
        """Takes the elements [start, stop) out, and gives them."""
        before: cython.longlong = list_bytes(target)
        gone: list = target[start:stop]
        del target[start:stop]
        self.grown(target, before)
        for value in gone:
            self.drop(value)
        return gone

    def remove(self, places: list) -> int:
        """Takes the values at these places out of their containers, and says how many there were. None of them is the root,
        and none inside another.

        Of an array all are taken at once: one by one, each would move those behind it.
        """
        place: Location
        lists: dict = {}
        count = 0
        for place in places:
            if PyDict_CheckExact(place.container):
                if place.key in cython.cast(dict, place.container):
                    self.remove_key(place.container, place.key)
                    count += 1
            else:
                lists.setdefault(id(place.container), (place.container, set()))[1].add(place.key)
        for items, indexes in lists.values():
            before: cython.longlong = list_bytes(items)
            gone: list = [items[i] for i in indexes]
            if len(indexes) == 1:
                del items[next(iter(indexes))]
            else:
                items[:] = [item for i, item in enumerate(items) if i not in indexes]
            self.grown(items, before)
            for value in gone:
                self.drop(value)
            count += len(gone)
        return count

    # --- as a whole ----------------------------------------------------------------------------------------------------

    @property
    def encoding(self) -> str:
        """OBJECT ENCODING's name of every value that a module brings."""
        return "raw"

    def memory(self) -> int:
        """Bytes, the object included."""
        return self.bytes

    def copy(self) -> JsonDocument:
        other: JsonDocument = JsonDocument()
        if self.text is None:
            return JsonDocument.of(copy_of(self.root), LARGEST_TEXT + 1)
        other.text = self.text
        other.weigh_anew(self.bytes - OBJECT_BYTES, 0)
        return other

    def free_some(self, budget: cython.size_t) -> int:
        """Frees up to budget values of a document that nobody needs any more; how many are left."""
        removed: cython.longlong = 0
        share: cython.longlong
        stack: list = self.waste
        if stack is None:                   # `waste` is the way to what is left: containers, the innermost last
            stack = self.waste = [self.root]
            self.root = None
        while stack and removed < cython.cast(cython.longlong, budget):
            top = stack[-1]
            if not top or not (PyDict_CheckExact(top) or PyList_CheckExact(top)):
                stack.pop()
                removed += 1
                continue
            item = cython.cast(dict, top).popitem()[1] if PyDict_CheckExact(top) else cython.cast(list, top).pop()
            if PyDict_CheckExact(item) or PyList_CheckExact(item):
                stack.append(item)
            else:
                removed += 1
        if not stack:
            removed = self.nodes
        share = (self.bytes - OBJECT_BYTES) * removed // max(self.nodes, 1)
        self.weigh_anew(-share, -removed)
        return self.nodes

    def _check(self):
        """The invariants: a text is canonical, and what is accounted for is what the tree weighs."""
        weight: Weight = Weight(0, 0, 0)
        assert not self.opened
        assert (self.text is None) or self.root is None
        if self.text is not None:
            assert orjson.dumps(orjson.loads(self.text)) == self.text
            assert len(self.text) <= SLACK * LARGEST_TEXT * 6
            assert self.nodes == 1
            assert self.bytes == OBJECT_BYTES + block_size(BYTES_HEAD + PyBytes_GET_SIZE(self.text))
        else:
            weigh(self.root, 0, cython.address(weight))
            assert self.nodes == weight.nodes, (self.nodes, weight.nodes)
            assert self.bytes == OBJECT_BYTES + weight.bytes, (self.bytes, weight.bytes)
            assert weight.deepest <= DEEPEST
