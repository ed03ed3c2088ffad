# cython: language_level=3
"""Running the requests of an append-only file, in slices.

A transaction is run whole or, where the file ends within it, not at all.
"""
import logging
import os

import cython
from cython.cimports.carnelian.base.clock import steady_nanoseconds
from cython.cimports.carnelian.keyspace.session import IN_MULTI, INTERNAL
from cython.cimports.carnelian.engine.lanes import says
from cython.cimports.carnelian.protocol.reader import Reader, Slice
from cython.cimports.carnelian.protocol.writer import Writer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.string import memcpy

from carnelian.base.errors import ProtocolError
from carnelian.keyspace.session import Session as new_session
from carnelian.persistence.loading import DamagedFile

log = logging.getLogger("carnelian")

READ_AT_ONCE = cython.declare(cython.size_t, 1 << 18)
LARGEST_WORD = 4 << 30                  # bytes: what an entry can hold
MOST_TOLD = 10                          # failed requests that the log shows


@cython.cfunc
@cython.exceptval(check=False)
def is_relative(word: cython.pointer(Slice)) -> cython.bint:
    """Words that count from now: files of today have none of them, those of Redis before 2.4 do."""
    if 5 <= word.length <= 7:
        return says(word, b"EXPIRE", 6) or says(word, b"PEXPIRE", 7) or says(word, b"SETEX", 5) or says(word, b"PSETEX", 6)
    return False


@cython.final
@cython.cclass
class Replay:
    """Reads one file of requests from `at` on. OSError, DamagedFile. Close it, or use it in a `with` statement.

    `valid` < `size` at the end: the file ends within a request or a transaction, which was not run.
    """

    def __init__(self, engine: Engine, path, at: int = 0):
        session: Session = new_session(engine.store.databases[0])
        self.engine = engine
        self.path = os.fspath(path)
        session.flags |= INTERNAL
        session.reader.authenticated = True
        session.reader.bulk_limit = LARGEST_WORD
        session.reader.query_buffer_limit = 2 * LARGEST_WORD
        self.session = session
        self.descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self.size = os.fstat(self.descriptor).st_size
        self.read = self.valid = os.lseek(self.descriptor, at, os.SEEK_SET)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __dealloc__(self):
        if self.descriptor >= 0:
            os.close(self.descriptor)

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    @property
    def at(self):
        """Offset up to where requests have been run, or are held by an open transaction."""
        return self.position()

    def position(self):
        reader: Reader = self.session.reader
        return self.read - cython.cast(int64_t, reader.end - reader.start)

    def advance(self, nanoseconds):
        """Goes on for so long (below 0: to the end of the file). Whether the end was reached."""
        began: cython.longlong = steady_nanoseconds()
        reader: Reader = self.session.reader
        available: cython.size_t
        chunk: bytes
        self.engine.store.hold_time()
        while not self.ended:
            chunk = os.read(self.descriptor, READ_AT_ONCE)
            if not chunk:
                self.ended = True
                break
            memcpy(reader.room(PyBytes_GET_SIZE(chunk), cython.address(available)), PyBytes_AS_STRING(chunk),
                   PyBytes_GET_SIZE(chunk))
            reader.filled(PyBytes_GET_SIZE(chunk))
            self.read += PyBytes_GET_SIZE(chunk)
            self.run_read()
            if 0 <= nanoseconds < steady_nanoseconds() - began:
                return False
        return True

    def run_read(self):
        """Runs every whole request of what was read."""
        session: Session = self.session
        reader: Reader = session.reader
        writer: Writer = session.writer
        try:
            while reader.next():
                # `#TS:1700000000` (aof-timestamp-enabled) and the like are remarks.
                if reader.count and reader.words[0].data[0] != 35:
                    if is_relative(reader.words):
                        self.engine.store.now = self.engine.true_time()
                        self.engine.run(session, reader.words, reader.count)
                        self.engine.store.now = 0
                    else:
                        self.engine.run(session, reader.words, reader.count)
                    self.requests += 1
                    if writer.end != writer.start:
                        if writer.data[writer.start] == 45:
                            self.note_error(PyBytes_FromStringAndSize(writer.data + writer.start, writer.end - writer.start))
                        writer.sent(writer.end - writer.start)
                if not session.flags & IN_MULTI:
                    self.valid = self.position()
        except ProtocolError as error:
            raise DamagedFile(self.path, self.position(),
                              f"a request is expected in the format of the protocol ({error})") from None
        return 0

    def note_error(self, reply: bytes):
        """A request that fails has failed when it was written, too (and has changed nothing); a word that is not there
        means that the file is damaged, or another's."""
        text = reply[1:].split(b"\r\n", 1)[0].decode("utf-8", "replace")
        if "unknown command" in text or "unknown subcommand" in text:
            raise DamagedFile(self.path, self.valid, text)
        self.failed += 1
        if self.failed <= MOST_TOLD:
            log.warning("%s: the request before offset %d was answered with an error: %s", self.path, self.position(), text)
