"""A small RESP2 and RESP3 client for the tests: raw words out, typed replies in, every wait bounded.

A reply keeps what the wire said, so that two servers can be compared to the type: `bytes` is a bulk string, `int` an
integer, `bool` a boolean, `list` an array; the other types have classes here.

https://redis.io/docs/latest/develop/reference/protocol-spec/
"""
import socket
import time

TIMEOUT = 5.0


class Status(bytes):
    """+text"""

    def __repr__(self):
        return "+" + self.decode("utf-8", "backslashreplace")


class Error(bytes):
    """-text (and RESP3's bulk error)"""

    def __repr__(self):
        return "-" + self.decode("utf-8", "backslashreplace")


class Verbatim(bytes):
    """=txt:text, with its format kept in front"""

    def __repr__(self):
        return "verbatim " + super().__repr__()


class Double(float):
    """,1.5"""

    def __repr__(self):
        return "," + super().__repr__()


class BigNumber(int):
    """(123"""

    def __repr__(self):
        return "(" + super().__repr__()


class Map(list):
    """%n: a list of (key, value) pairs, in the order of the wire"""

    def __repr__(self):
        return "{" + ", ".join(f"{key!r}: {value!r}" for key, value in self) + "}"


class Set(list):
    """~n"""

    def __repr__(self):
        return "set" + super().__repr__()


class Push(list):
    """>n"""

    def __repr__(self):
        return "push" + super().__repr__()


class Attribute(tuple):
    """|n: (attributes, reply)"""


class _Constant:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name


NULL = _Constant("null")                            # RESP2 $-1, RESP3 _
NULL_ARRAY = _Constant("null array")                # RESP2 *-1
CLOSED = _Constant("connection closed")
NO_REPLY = _Constant("no reply within the time")


class _Incomplete(Exception):
    pass


class Parser:
    """Replies out of the bytes fed to it."""

    def __init__(self):
        self.buffer = bytearray()
        self.at = 0

    def feed(self, data):
        self.buffer += data

    def next(self):
        """The next whole reply, or None."""
        start = self.at
        try:
            reply = self._reply()
        except _Incomplete:
            self.at = start
            return None
        if self.at > 1 << 16 or self.at == len(self.buffer):
            del self.buffer[:self.at]
            self.at = 0
        return reply

    def _line(self):
        end = self.buffer.find(b"\r\n", self.at)
        if end < 0:
            raise _Incomplete
        line = bytes(self.buffer[self.at:end])
        self.at = end + 2
        return line

    def _blob(self, length):
        end = self.at + length
        if len(self.buffer) < end + 2:
            raise _Incomplete
        data = bytes(self.buffer[self.at:end])
        assert self.buffer[end:end + 2] == b"\r\n", f"a bulk of {length} bytes does not end with CRLF"
        self.at = end + 2
        return data

    def _many(self, count):
        return [self._reply() for _ in range(count)]

    def _reply(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return Status(rest)
        if kind == b"-":
            return Error(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return NULL if rest == b"-1" else self._blob(int(rest))
        if kind == b"*":
            return NULL_ARRAY if rest == b"-1" else self._many(int(rest))
        if kind == b"_":
            return NULL
        if kind == b",":
            return Double(rest)
        if kind == b"#":
            return {b"t": True, b"f": False}[rest]
        if kind == b"%":
            return Map((self._reply(), self._reply()) for _ in range(int(rest)))
        if kind == b"~":
            return Set(self._many(int(rest)))
        if kind == b">":
            return Push(self._many(int(rest)))
        if kind == b"=":
            return Verbatim(self._blob(int(rest)))
        if kind == b"(":
            return BigNumber(rest)
        if kind == b"!":
            return Error(self._blob(int(rest)))
        if kind == b"|":
            attributes = Map((self._reply(), self._reply()) for _ in range(int(rest)))
            return Attribute((attributes, self._reply()))
        raise AssertionError(f"no RESP type begins with {line[:80]!r}")


def request(words):
    """The request of these words (bytes, str, int or float) as RESP."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        if not isinstance(word, bytes):
            word = str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(word), word))
    return b"".join(parts)


class Client:
    """One connection. `address` is (host, port), or the path of a unix socket."""

    def __init__(self, address, resp=2, timeout=TIMEOUT):
        self.timeout = timeout
        self.parser = Parser()
        self.closed = False
        self.local_address = None           # as CLIENT LIST shows it; unix sockets have none of their own
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.local_address = b"%s:%d" % (self.socket.getsockname()[0].encode(), self.socket.getsockname()[1])
        if resp == 3:
            reply = self("HELLO", "3")
            if not isinstance(reply, Map):
                raise RuntimeError(f"HELLO 3 was answered with {reply!r}")

    def send(self, *words):
        self.send_raw(request(words))

    def send_raw(self, data):
        try:
            self.socket.settimeout(self.timeout)
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass                                    # what the server said before it closed is still to be read

    def read(self, timeout=None):
        """The next reply or push; CLOSED at the end of the connection, NO_REPLY when the time is over."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            reply = self.parser.next()
            if reply is not None:
                return reply
            if self.closed:
                return CLOSED
            left = deadline - time.monotonic()
            if left <= 0:
                return NO_REPLY
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(1 << 16)
            except TimeoutError:
                return NO_REPLY
            except ConnectionResetError:
                data = b""
            if data:
                self.parser.feed(data)
            else:
                self.closed = True

    def readable(self):
        """True when a read would find something at once."""
        if self.closed or len(self.parser.buffer) > self.parser.at:
            return True
        self.socket.setblocking(False)
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            data = b""
        if data:
            self.parser.feed(data)
        else:
            self.closed = True
        return True

    def __call__(self, *words, timeout=None):
        self.send(*words)
        return self.read(timeout)

    def close(self):
        self.closed = True
        self.socket.close()
