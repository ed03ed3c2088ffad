# cython: language_level=3, cdivision=True
"""Replies into a buffer, in RESP2 or RESP3.

https://redis.io/docs/latest/develop/reference/protocol-spec/. One encoder serves every command: a body returns what
carnelian.base.replies lists. The types that make up most traffic are told apart by their exact type, first.
"""
import cython
from cython.cimports.carnelian.base.memory import release, resize as resize_block
from cython.cimports.carnelian.base.numbers import double_to_text, integer_to_text
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_CheckExact, PyBytes_FromStringAndSize, \
    PyBytes_GET_SIZE
from cython.cimports.cpython.dict import PyDict_Check
from cython.cimports.cpython.float import PyFloat_AS_DOUBLE, PyFloat_Check
from cython.cimports.cpython.list import PyList_CheckExact, PyList_GET_ITEM, PyList_GET_SIZE
from cython.cimports.cpython.long import PyLong_Check, PyLong_CheckExact
from cython.cimports.libc.string import memcpy, memmove

from carnelian.base.errors import ReplyError
from carnelian.base.replies import NO_REPLY, NULL_ARRAY, OK, WAIT, Attribute, BigNumber, FieldValues, LongDouble, Members, \
    MemberScores, Pairs, Push, Status, Verbatim

LEAST = cython.declare(cython.size_t, 1024)             # capacity of a buffer in use
KEPT = cython.declare(cython.size_t, 1 << 20)           # above this an emptied buffer is given back at once; below, when idle
ok_status = cython.declare(object, OK)
null_array = cython.declare(object, NULL_ARRAY)
no_reply = cython.declare(object, NO_REPLY)
parked = cython.declare(object, WAIT)
status_type = cython.declare(object, Status)
pairs_type = cython.declare(object, Pairs)
scores_type = cython.declare(object, MemberScores)
values_type = cython.declare(object, FieldValues)
members_type = cython.declare(object, Members)


class Writer:
    """The output side of one connection."""

    def __cinit__(self):
        self.resp = 2

    def __dealloc__(self):
        release(self.data, self.capacity)

    # --- the buffer ------------------------------------------------------------------------------------------------

    def reserve(self, n):
        pending: cython.size_t
        capacity: cython.size_t
        if self.capacity - self.end >= n and self.data != cython.NULL:
            return self.data + self.end
        pending = self.end - self.start
        capacity = max(LEAST, pending + n)
        if capacity > LEAST:
            capacity += capacity // 2
        # Where much has been sent, moving the rest to the front makes room. Else the buffer grows, too, though it may not
        # be full: a client that reads slowly would have all that is pending moved for every little piece.
        if self.start >= pending // 2 and self.capacity - pending >= n:
            capacity = self.capacity
        if self.start:
            memmove(self.data, self.data + self.start, pending)
            self.start = 0
            self.end = pending
        if capacity > self.capacity:
            self.data = cython.cast(cython.p_char, resize_block(self.data, self.capacity, capacity))
            self.capacity = capacity
        return self.data + self.end

    def raw(self, p, n):
        memcpy(self.reserve(n), p, n)
        self.end += n
        return 0

    def sent(self, n):
        self.start += n
        if self.start == self.end:
            self.start = self.end = 0
            if self.capacity > KEPT:
                release(self.data, self.capacity)
                self.data = cython.NULL
                self.capacity = 0

    def pending(self):
        return self.end - self.start

    def memory(self):
        return self.capacity

    def shrink(self):
        pending: cython.size_t = self.end - self.start
        if pending == 0:
            release(self.data, self.capacity)
            self.data = cython.NULL
            self.capacity = self.start = self.end = 0
        elif self.capacity > KEPT and self.capacity > 2 * pending:
            memmove(self.data, self.data + self.start, pending)
            self.data = cython.cast(cython.p_char, resize_block(self.data, self.capacity, pending))
            self.capacity = self.end = pending
            self.start = 0
        return 0

    # --- the parts of a reply --------------------------------------------------------------------------------------

    def header(self, mark, number):
        """A mark, a number and the end of the line."""
        p: cython.p_char = self.reserve(24)
        p[0] = mark
        if 0 <= number <= 9:
            p[1] = cython.cast(cython.char, 48 + number)
            p += 2
        else:
            p += 1 + integer_to_text(number, p + 1)
        p[0] = 13
        p[1] = 10
        self.end = p + 2 - self.data
        return 0

    def bulk(self, p, n):
        out: cython.p_char = self.reserve(n + 32)
        out[0] = b'$'
        if n <= 9:
            out[1] = cython.cast(cython.char, 48 + n)
            out += 2
        else:
            out += 1 + integer_to_text(n, out + 1)
        out[0] = 13
        out[1] = 10
        memcpy(out + 2, p, n)
        out += n + 2
        out[0] = 13
        out[1] = 10
        self.end = out + 2 - self.data
        return 0

    def integer(self, number):
        return self.header(b':', number)

    def array(self, n):
        return self.header(b'*', n)

    def map(self, n):
        if self.resp == 2:
            return self.header(b'*', 2 * n)
        return self.header(b'%', n)

    def set(self, n):
        return self.header(b'*' if self.resp == 2 else b'~', n)

    def push(self, n):
        return self.header(b'*' if self.resp == 2 else b'>', n)

    def null(self):
        if self.resp == 2:
            return self.raw(b"$-1\r\n", 5)
        return self.raw(b"_\r\n", 3)

    def null_array(self):
        if self.resp == 2:
            return self.raw(b"*-1\r\n", 5)
        return self.raw(b"_\r\n", 3)

    def line(self, mark, text):
        """A mark, a text without ends of line (they become spaces), and the end of the line."""
        n: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
        source: cython.p_char = PyBytes_AS_STRING(text)
        out: cython.p_char = self.reserve(n + 3)
        i: cython.Py_ssize_t
        out[0] = mark
        out += 1
        for i in range(n):
            out[i] = b' ' if source[i] == 13 or source[i] == 10 else source[i]
        out[n] = 13
        out[n + 1] = 10
        self.end += n + 3
        return 0

    def simple(self, text):
        return self.line(b'+', text)

    def error(self, text):
        return self.line(b'-', text.rstrip(b"\r\n"))

    def double(self, number):
        text: cython.char[40]
        n: cython.size_t
        if self.resp == 2:
            n = double_to_text(number, text)
            return self.bulk(text, n)
        n = double_to_text(number, text + 1)
        text[0] = b','
        text[n + 1] = 13
        text[n + 2] = 10
        return self.raw(text, n + 3)

    def boolean(self, value):
        if self.resp == 2:
            return self.raw(b":1\r\n" if value else b":0\r\n", 4)
        return self.raw(b"#t\r\n" if value else b"#f\r\n", 4)

    # --- any value -------------------------------------------------------------------------------------------------

    def encode(self, value):
        """Writes a reply, whole or not at all. TypeError for a value that is no reply."""
        mark: cython.size_t
        if PyBytes_CheckExact(value):
            return self.bulk(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
        if value is ok_status:
            return self.raw(b"+OK\r\n", 5)
        mark = self.end - self.start
        try:
            return self.value(value)
        except BaseException:
            self.end = self.start + mark                # start is 0 if the buffer has moved
            raise

    def value(self, value):
        i: cython.Py_ssize_t
        n: cython.Py_ssize_t
        overflow: cython.int = 0
        number: int64_t
        if PyBytes_CheckExact(value):
            return self.bulk(PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
        if PyLong_CheckExact(value):
            number = PyLong_AsLongLongAndOverflow(value, cython.address(overflow))
            if overflow:
                return self.big_number(value)
            return self.header(b':', number)
        if value is None:
            return self.null()
        if PyList_CheckExact(value):
            return self.sequence(b'*', value)
        if PyFloat_Check(value):
            return self.double(PyFloat_AS_DOUBLE(value))
        return self.uncommon(value)

    def sequence(self, mark, items):
        i: cython.Py_ssize_t = 0
        item: object
        n: cython.Py_ssize_t = PyList_GET_SIZE(items)
        self.header(mark, n)
        enter_recursion(" while a reply is encoded")
        try:
            while i < n:
                if PyList_GET_SIZE(items) != n:
                    raise RuntimeError("a reply changed while it was encoded")
                item = cython.cast(object, PyList_GET_ITEM(items, i))
                if PyBytes_CheckExact(item):
                    self.bulk(PyBytes_AS_STRING(item), PyBytes_GET_SIZE(item))
                else:
                    self.value(item)
                i += 1
        finally:
            leave_recursion()
        return 0

    def mapping(self, items):
        """A flat list of keys and values."""
        if self.resp == 2:
            return self.sequence(b'*', items)
        self.header(b'%', PyList_GET_SIZE(items) // 2)
        for item in items:
            self.value(item)
        return 0

    def big_number(self, number):
        text: bytes = b"%d" % number
        if self.resp == 2:
            return self.bulk(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        return self.line(b'(', text)

    def uncommon(self, value):
        i: cython.Py_ssize_t
        n: cython.Py_ssize_t
        items: list
        text: bytes
        kind = type(value)
        if kind is status_type:
            return self.line(b'+', value.text)
        if kind is tuple:
            return self.sequence(b'*', list(value))
        if value is True or value is False:
            return self.boolean(value is True)
        if PyDict_Check(value):
            items = []
            for key, item in value.items():
                items.append(key)
                items.append(item)
            return self.mapping(items)
        if kind is pairs_type:
            return self.mapping(value.items)
        if kind is members_type:
            return self.sequence(b'*' if self.resp == 2 else b'~', value.items)
        if kind is scores_type or kind is values_type:
            items = value.items
            n = PyList_GET_SIZE(items)
            if self.resp == 2:
                return self.sequence(b'*', items)
            self.header(b'*', n // 2)
            for i in range(0, n - 1, 2):
                self.raw(b"*2\r\n", 4)
                self.value(items[i])
                self.value(items[i + 1])
            return 0
        if isinstance(value, (set, frozenset)):
            return self.sequence(b'*' if self.resp == 2 else b'~', list(value))
        if isinstance(value, str):
            text = value.encode("utf-8", "surrogateescape")
            return self.bulk(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        if isinstance(value, ReplyError):
            return self.line(b'-', str(value).encode("utf-8", "surrogateescape"))
        if value is null_array:
            return self.null_array()
        if value is no_reply or value is parked:
            return 0
        if isinstance(value, Push):
            return self.sequence(b'*' if self.resp == 2 else b'>', list(value.items))
        if isinstance(value, Verbatim):
            if self.resp == 2:
                return self.value(value.text)
            self.header(b'=', len(value.text) + 4)
            text = value.format + b":" + value.text + b"\r\n"
            return self.raw(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        if isinstance(value, LongDouble):
            text = (b"%.17f" % value.value).rstrip(b"0").rstrip(b".")
            if self.resp != 2:
                return self.line(b',', text)
            return self.bulk(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        if isinstance(value, BigNumber):
            return self.big_number(value.value)
        if isinstance(value, Attribute):
            if self.resp != 2:
                self.header(b'|', len(value.attributes))
                for key, item in value.attributes.items():
                    self.value(key)
                    self.value(item)
            return self.value(value.reply)
        if PyLong_Check(value):                         # an IntEnum, say
            return self.value(int(value))
        if isinstance(value, (bytes, bytearray, memoryview)):
            text = bytes(value)
            return self.bulk(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
        if isinstance(value, Status):
            return self.line(b'+', value.text)
        raise TypeError(f"no reply: {kind.__name__}")

    # --- for Python ------------------------------------------------------------------------------------------------

    def take(self):
        """All pending bytes, which count as sent."""
        data = PyBytes_FromStringAndSize(self.data + self.start, self.end - self.start)
        self.sent(self.end - self.start)
        return data

    def drain(self, most: cython.size_t):
        """At most so many of the pending bytes, which count as sent."""
        n: cython.size_t = min(most, self.end - self.start)
        data = PyBytes_FromStringAndSize(self.data + self.start, n)
        self.sent(n)
        return data

    @property
    def size_in_memory(self):
        return self.capacity

    def trim(self):
        """Gives back what an idle client does not need."""
        self.shrink()

    def _check(self):
        assert self.start <= self.end <= self.capacity
        assert (self.data == cython.NULL) == (self.capacity == 0)
