# cython: language_level=3, cdivision=True
"""Requests out of a stream of bytes: RESP arrays of bulk strings, and inline commands.

https://redis.io/docs/latest/develop/reference/protocol-spec/. The input may be cut at any byte. A request that is whole
is a list of slices of the buffer: nothing is copied, no Python object is made. The state of an unfinished one is kept,
so that no byte is looked at twice. The texts of the errors and the limits are Redis 7.2's.

`next` reads the common request in one pass; whatever is unfinished or odd is left, at the word where it stands, to
`slow_next`, which follows Redis's order of checks.
"""
import cython
from cython.cimports.carnelian.base.memory import release, resize as resize_block
from cython.cimports.carnelian.base.numbers import text_to_integer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.string import memchr, memcpy, memmove

from carnelian.base.errors import ProtocolError

LINE_LIMIT = cython.declare(cython.size_t, 64 * 1024)           # of a header or an inline request
USUAL = cython.declare(cython.size_t, 16 * 1024)                # capacity of a buffer in use
KEPT = cython.declare(cython.size_t, 1024 * 1024)               # above this an emptied buffer is given back at once
BIG = cython.declare(int64_t, 32 * 1024)                        # a word for which room is made by its announced length
USUAL_WORDS = cython.declare(cython.int, 16)
KEPT_WORDS = cython.declare(cython.int, 1024)
UNAUTHENTICATED_LIMIT = cython.declare(cython.size_t, 1024 * 1024)


class Reader:
    """The input side of one connection."""

    def __cinit__(self):
        self.multibulk = -1
        self.bulk_length = -1
        self.query_buffer_limit = 1 << 30
        self.bulk_limit = 512 << 20
        self.authenticated = True

    def __dealloc__(self):
        release(self.buffer, self.capacity)
        release(self.words, self.words_capacity * cython.sizeof(Slice))

    # --- the buffer ------------------------------------------------------------------------------------------------

    def room(self, wanted, available):
        pending: cython.size_t
        target: cython.size_t
        announced: cython.size_t
        if self.start == self.end and self.multibulk < 0:
            self.start = self.end = self.cursor = self.scanned = 0
            if self.capacity > KEPT and wanted <= KEPT:
                release(self.buffer, self.capacity)
                self.buffer = cython.NULL
                self.capacity = 0
            if self.words_capacity > KEPT_WORDS:
                release(self.words, self.words_capacity * cython.sizeof(Slice))
                self.words = cython.NULL
                self.words_capacity = 0
        if self.capacity - self.end < wanted or self.buffer == cython.NULL:
            pending = self.end - self.start
            target = pending + wanted
            if self.start:
                self.resize(self.capacity)              # moves what is pending to the front
            if self.capacity < target:
                if self.bulk_length >= BIG and cython.cast(cython.size_t, self.bulk_length) >= pending // 8:
                    # The size at which the word will be whole is known: the buffer doubles up to it, so that a mere
                    # announcement takes no memory, and no byte more than is needed in the end.
                    announced = self.cursor - self.start + self.bulk_length + 2 + wanted
                    target = max(target, min(announced, max(2 * pending, USUAL)))
                elif target > USUAL:                    # many small words
                    target += pending if pending < KEPT else pending // 4
                else:
                    target = USUAL
                self.resize(target)
        available[0] = self.capacity - self.end
        return self.buffer + self.end

    def filled(self, n):
        pending: cython.size_t
        self.end += n
        pending = self.end - self.start
        if pending > self.query_buffer_limit or (pending > UNAUTHENTICATED_LIMIT and not self.authenticated):
            self.refuse("")
        return 0

    def resize(self, capacity):
        """The pending bytes in a buffer of that capacity, at its front; the words follow them."""
        i: cython.int
        old: cython.p_char = self.buffer + self.start
        pending: cython.size_t = self.end - self.start
        if self.start and pending:
            memmove(self.buffer, old, pending)
        self.end = pending
        self.cursor -= self.start
        self.scanned -= min(self.start, self.scanned)
        self.start = 0
        if self.multibulk >= 0:
            for i in range(self.count):
                self.words[i].data = self.buffer + (self.words[i].data - old)
        if capacity == self.capacity:
            return 0
        old = self.buffer
        self.buffer = cython.cast(cython.p_char, resize_block(self.buffer, self.capacity, capacity))
        self.capacity = capacity
        if self.multibulk >= 0 and self.buffer != old:
            for i in range(self.count):
                self.words[i].data = self.buffer + (self.words[i].data - old)
        return 0

    def memory(self):
        return self.capacity + self.words_capacity * cython.sizeof(Slice)

    def shrink(self):
        pending: cython.size_t = self.end - self.start
        if self.multibulk < 0:
            release(self.words, self.words_capacity * cython.sizeof(Slice))
            self.words = cython.NULL
            self.words_capacity = self.count = 0
        if pending == 0 and self.multibulk < 0:
            release(self.buffer, self.capacity)
            self.buffer = cython.NULL
            self.capacity = self.start = self.end = self.cursor = self.scanned = 0
        elif self.capacity - pending > USUAL and self.bulk_length < BIG:
            self.resize(pending + 1024)
        return 0

    # --- requests --------------------------------------------------------------------------------------------------

    def next(self):
        p: cython.p_char
        q: cython.p_char
        stop: cython.p_char
        word: cython.pointer(Slice)
        digit: cython.uint
        n: cython.size_t
        left: cython.int
        if self.multibulk >= 0 or self.end - self.start < 6 or not self.authenticated or self.bulk_limit < 10000:
            return self.slow_next()
        p = self.buffer + self.start
        stop = self.buffer + self.end
        digit = cython.cast(cython.uchar, p[1]) - 49
        if p[0] != b'*' or digit > 8:
            return self.slow_next()
        left = digit + 1
        p += 2
        while p[0] != b'\r':
            digit = cython.cast(cython.uchar, p[0]) - 48
            if digit > 9 or left > 99:
                return self.slow_next()
            left = left * 10 + digit
            p += 1
        p += 2
        if p > stop:
            return self.slow_next()
        while self.words_capacity < left:
            self.more_words()
        self.multibulk = left
        self.count = 0
        word = self.words
        while left:
            # A header of "$1" to "$9999" and its word; anything else is for slow_next, which begins at the same place.
            if stop - p < 6 or p[0] != b'$':
                break
            digit = cython.cast(cython.uchar, p[1]) - 48
            if digit > 9:
                break
            n = digit
            q = p + 2
            if q[0] != b'\r':
                if n == 0:
                    break
                digit = cython.cast(cython.uchar, q[0]) - 48
                if digit > 9:
                    break
                n = n * 10 + digit
                q += 1
                if q[0] != b'\r':
                    digit = cython.cast(cython.uchar, q[0]) - 48
                    if digit > 9:
                        break
                    n = n * 10 + digit
                    q += 1
                    if q[0] != b'\r':
                        digit = cython.cast(cython.uchar, q[0]) - 48
                        if digit > 9 or stop - q < 2 or q[1] != b'\r':
                            break
                        n = n * 10 + digit
                        q += 1
            q += 2
            if stop - q < cython.cast(cython.Py_ssize_t, n + 2):
                break
            word.data = q
            word.length = n
            word += 1
            p = q + n + 2
            left -= 1
        self.count = self.multibulk - left
        self.cursor = p - self.buffer
        if left:
            return self.slow_next()
        self.multibulk = -1
        self.start = self.cursor
        return 1

    def slow_next(self):
        line: cython.p_char
        length: cython.size_t
        number: int64_t
        if self.multibulk < 0:
            if self.start == self.end:
                return 0
            if self.buffer[self.start] != b'*':
                return self.inline_next()
            self.cursor = self.start
            if not self.header(b"too big mbulk count string", cython.address(line), cython.address(length)):
                return 0
            if not text_to_integer(line + 1, length - 1, cython.address(number)) or number > 2147483647:
                self.refuse("invalid multibulk length")
            if number > 10 and not self.authenticated:
                self.refuse("unauthenticated multibulk length")
            self.count = 0
            if number <= 0:
                self.start = self.cursor
                return 1
            self.multibulk = cython.cast(cython.int, number)
            self.bulk_length = -1
        while self.count < self.multibulk:
            if self.bulk_length < 0:
                if not self.header(b"too big bulk count string", cython.address(line), cython.address(length)):
                    return 0
                if line[0] != b'$':
                    self.refuse("expected '$', got '" + byte_text(line[0]) + "'")
                if not text_to_integer(line + 1, length - 1, cython.address(number)) \
                        or number < 0 or number > self.bulk_limit:
                    self.refuse("invalid bulk length")
                if number > 16384 and not self.authenticated:
                    self.refuse("unauthenticated bulk length")
                self.bulk_length = number
            if cython.cast(int64_t, self.end - self.cursor) < self.bulk_length + 2:
                return 0
            if self.count == self.words_capacity:
                self.more_words()
            self.words[self.count].data = self.buffer + self.cursor
            self.words[self.count].length = self.bulk_length
            self.count += 1
            self.cursor += self.bulk_length + 2
            self.bulk_length = -1
        self.multibulk = -1
        self.start = self.cursor
        return 1

    def header(self, too_big, line, length):
        """The line at the cursor, which moves behind it; False if it is not whole. No `*` or `$` is looked for."""
        at: cython.size_t = max(self.cursor, self.scanned)
        found: cython.p_char = cython.NULL
        if at < self.end:
            found = cython.cast(cython.p_char, memchr(self.buffer + at, 13, self.end - at))
        if found == cython.NULL:
            self.scanned = self.end
            if self.end - self.cursor > LINE_LIMIT:
                self.refuse(cython.cast(bytes, too_big).decode())
            return False
        at = found - self.buffer
        self.scanned = at
        if at + 2 > self.end:
            return False
        line[0] = self.buffer + self.cursor
        length[0] = at - self.cursor
        self.cursor = self.scanned = at + 2
        return True

    def inline_next(self):
        """A line of words separated by spaces. Quotes and escapes are undone in place: that never takes more room."""
        found: cython.p_char
        p: cython.p_char
        out: cython.p_char
        stop: cython.p_char
        word: cython.p_char
        at: cython.size_t = max(self.start, self.scanned)
        quote: cython.char
        c: cython.char
        found = cython.cast(cython.p_char, memchr(self.buffer + at, 10, self.end - at)) if at < self.end \
            else cython.NULL
        if found == cython.NULL:
            self.scanned = self.end
            if self.end - self.start > LINE_LIMIT:
                self.refuse("too big inline request")
            return 0
        p = self.buffer + self.start
        stop = found
        if stop != p and stop[-1] == b'\r':
            stop -= 1
        word = cython.cast(cython.p_char, memchr(p, 0, stop - p))
        if word != cython.NULL:
            stop = word                                 # Redis reads the line as a C string
        self.count = 0
        while True:
            while p < stop and is_space(p[0]):
                p += 1
            if p == stop:
                break
            word = out = p
            quote = 0
            while True:
                if p == stop:
                    if quote:
                        self.refuse("unbalanced quotes in request")
                    break
                c = p[0]
                if quote:
                    if c == b'\\' and quote == b'"' and stop - p > 3 and p[1] == b'x' \
                            and hex_digit(p[2]) >= 0 and hex_digit(p[3]) >= 0:
                        c = cython.cast(cython.char, hex_digit(p[2]) * 16 + hex_digit(p[3]))
                        p += 3
                    elif c == b'\\' and quote == b'"' and stop - p > 1:
                        p += 1
                        c = unescaped(p[0])
                    elif c == b'\\' and quote == b"'" and stop - p > 1 and p[1] == b"'":
                        p += 1
                        c = p[0]
                    elif c == quote:
                        if p + 1 < stop and not is_space(p[1]):
                            self.refuse("unbalanced quotes in request")
                        p += 1
                        break
                    out[0] = c
                    out += 1
                elif c == b' ' or c == b'\n' or c == b'\r' or c == b'\t':
                    break
                elif c == b'"' or c == b"'":
                    quote = c
                else:
                    out[0] = c
                    out += 1
                p += 1
            if self.count == self.words_capacity:
                self.more_words()
            self.words[self.count].data = word
            self.words[self.count].length = out - word
            self.count += 1
        self.start = self.cursor = self.scanned = found - self.buffer + 1
        return 1

    def more_words(self):
        capacity: cython.int = USUAL_WORDS
        if self.words_capacity:
            if self.words_capacity > 1073741823:
                raise MemoryError()
            capacity = self.words_capacity * 2
        self.words = cython.cast(cython.pointer(Slice), resize_block(
            self.words, self.words_capacity * cython.sizeof(Slice), capacity * cython.sizeof(Slice)))
        self.words_capacity = capacity
        return 0

    def refuse(self, text):
        """Drops all input and raises ProtocolError: after an error the stream has no meaning."""
        self.start = self.end = self.cursor = self.scanned = 0
        self.multibulk = -1
        self.bulk_length = -1
        self.count = 0
        raise ProtocolError(text)

    # --- for Python ------------------------------------------------------------------------------------------------

    def feed(self, data: bytes):
        """Appends bytes to the input. ProtocolError("") when more is pending than the limit allows."""
        available: cython.size_t
        n: cython.size_t = PyBytes_GET_SIZE(data)
        if n:
            memcpy(self.room(n, cython.address(available)), PyBytes_AS_STRING(data), n)
            self.filled(n)

    def take(self):
        """The next whole request as a list of bytes (an empty one for an empty line), or None. ProtocolError."""
        i: cython.int
        if not self.next():
            return None
        return [PyBytes_FromStringAndSize(self.words[i].data, self.words[i].length) for i in range(self.count)]

    @property
    def pending(self):
        """Bytes received and not yet part of a request that was taken."""
        return self.end - self.start

    @property
    def size_in_memory(self):
        return self.memory()

    def trim(self):
        """Gives back what an idle client does not need."""
        self.shrink()

    def _check(self):
        i: cython.int
        assert self.start <= self.end <= self.capacity
        assert (self.buffer == cython.NULL) == (self.capacity == 0)
        assert (self.words == cython.NULL) == (self.words_capacity == 0)
        assert 0 <= self.count <= self.words_capacity
        if self.multibulk >= 0:
            assert self.start <= self.cursor <= self.end
            assert self.count <= self.multibulk
            for i in range(self.count):
                assert self.buffer + self.start < self.words[i].data
                assert self.words[i].data + self.words[i].length + 2 <= self.buffer + self.cursor


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def is_space(c: cython.char) -> cython.bint:
    return c == b' ' or 9 <= c <= 13


@cython.cfunc
@cython.exceptval(check=False)
def hex_digit(c: cython.char) -> cython.int:
    if 48 <= c <= 57:
        return c - 48
    if 97 <= c <= 102:
        return c - 87
    if 65 <= c <= 70:
        return c - 55
    return -1


@cython.cfunc
@cython.exceptval(check=False)
def unescaped(c: cython.char) -> cython.char:
    if c == b'n':
        return 10
    if c == b'r':
        return 13
    if c == b't':
        return 9
    if c == b'b':
        return 8
    if c == b'a':
        return 7
    return c


@cython.cfunc
def byte_text(c: cython.char) -> str:
    """One byte within an error text; errors are encoded with surrogateescape, which gives it back."""
    return PyBytes_FromStringAndSize(cython.address(c), 1).decode("utf-8", "surrogateescape")
