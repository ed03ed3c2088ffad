# cython: language_level=3
"""Effects as bytes: requests in RESP that make the same changes again, with a SELECT where the database changes.

It is the format of Redis's append-only file and of its replication stream
(https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/). Bodies reach it as one of `Store.sinks`. A
twin that has changed something is written down as it was received, unless it calls `tell`, as it must where its words
mean something else another time.
"""
import cython
from cython.cimports.carnelian.base.numbers import integer_to_text
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE


class Journal:
    """What has happened since it was last taken."""

    def __init__(self):
        self.writer = Writer()
        self.selected = -1

    def __len__(self):
        return self.writer.pending()

    def begin(self, index, count):
        digits: cython.char[32]
        n: cython.size_t
        self.effects += 1
        if index != self.selected:
            self.selected = index
            n = integer_to_text(index, digits)
            self.writer.array(2)
            self.writer.bulk(b"SELECT", 6)
            self.writer.bulk(digits, n)
        return self.writer.array(count)

    def word(self, data, n):
        return self.writer.bulk(data, n)

    def number(self, number):
        digits: cython.char[32]
        n: cython.size_t = integer_to_text(number, digits)
        return self.writer.bulk(digits, n)

    def tell(self, index, count):
        self.told = True
        return self.begin(index, count)

    def put_slices(self, index, words, count):
        i: cython.int
        self.begin(index, count)
        for i in range(count):
            self.writer.bulk(words[i].data, words[i].length)
        return 0

    def put(self, index: cython.int, words: tuple):
        """One effect: the request that has it."""
        self.begin(index, len(words))
        for word in words:
            self.writer.bulk(PyBytes_AS_STRING(word), PyBytes_GET_SIZE(word))
        return 0

    def take(self):
        """The bytes so far; the journal is empty then."""
        taken: bytes = PyBytes_FromStringAndSize(self.writer.data + self.writer.start, self.writer.pending())
        self.writer.sent(self.writer.pending())
        return taken
