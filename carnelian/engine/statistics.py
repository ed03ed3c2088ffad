# cython: language_level=3
"""What is kept for INFO, SLOWLOG and MONITOR."""
from collections import deque


class Samples:
    """Rates per second as INFO shows them: the mean of the last 16 samples, taken at least 100 ms apart.

    `sources`: name -> function without arguments that gives a further counter. `peak_memory`: the most bytes seen.
    """

    def __init__(self):
        self.last_time = 0
        self.last = {}
        self.rates = {}
        self.sources = {}
        self.peak_memory = 0

    def take(self, now: int, memory: int, processed: int) -> None:
        """`now` in milliseconds; the counters only grow."""
        if memory > self.peak_memory:
            self.peak_memory = memory
        elapsed = now - self.last_time
        if elapsed < 100:
            return
        counters = {"processed": processed}
        counters.update((name, source()) for name, source in self.sources.items())
        for name, value in counters.items():
            rates = self.rates.setdefault(name, deque(maxlen=16))
            if self.last_time and name in self.last:
                rates.append((value - self.last[name]) * 1000 / elapsed)
            self.last[name] = value
        self.last_time = now

    def rate(self, name: str) -> float:
        rates = self.rates.get(name)
        return sum(rates) / len(rates) if rates else 0.0


def request_header(words: tuple) -> bytes:
    """What a request of RESP has beside its words."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n\r\n" % len(word) for word in words)


HIDDEN = b"(redacted)"
SECRET_PARAMETERS = frozenset([b"requirepass", b"masterauth", b"masteruser", b"tls-key-file-pass", b"tls-client-key-file-pass"])


def hidden_places(name: bytes, words: tuple):
    """Where a request of that command (in lower case) has passwords, and names that go with them."""
    if name == b"auth":
        return range(1, len(words))
    if name == b"acl":
        return range(2, len(words)) if words[1:] and words[1].lower() in (b"setuser", b"getuser", b"deluser") else ()
    if name == b"config":
        return [at + 1 for at in range(2, len(words) - 1, 2) if words[at].lower() in SECRET_PARAMETERS]
    if name == b"hello":
        return [place for at in range(2, len(words)) if words[at].lower() == b"auth" for place in (at + 1, at + 2)]
    if name == b"migrate":
        return [at + 1 for at in range(6, len(words)) if words[at].lower() == b"auth"] + [
            place for at in range(6, len(words)) if words[at].lower() == b"auth2" for place in (at + 1, at + 2)]
    return ()


def redacted(words: tuple, session) -> tuple:
    """The words of a request as logs and monitors may see them. A renamed command is known by what the session runs."""
    names = {words[0].lower()}
    if session.command is not None:
        names.add(session.command.name.partition("|")[0].encode())
    places = {place for name in names for place in hidden_places(name, words)}
    if not places:
        return words
    return tuple([HIDDEN if place in places else word for place, word in enumerate(words)])


def slow_entry(number: int, second: int, amount: int, words: tuple, session) -> tuple:
    """An entry of SLOWLOG GET and COMMANDLOG GET: id, time, microseconds or bytes, words (at most 32, of at most 128 bytes),
    address, name of the client."""
    shown = []
    words = redacted(words, session)
    for index, word in enumerate(words[:32]):
        if index == 31 and len(words) > 32:
            shown.append(b"... (%d more arguments)" % (len(words) - 31))
        elif len(word) > 128:
            shown.append(b"%b... (%d more bytes)" % (word[:128], len(word) - 128))
        else:
            shown.append(word)
    return number, second, amount, shown, session.address.encode(), session.name


ESCAPES = {7: b"\\a", 8: b"\\b", 9: b"\\t", 10: b"\\n", 13: b"\\r", 34: b'\\"', 92: b"\\\\"}


def quoted(word: bytes) -> bytes:
    """In double quotes, with escapes, as MONITOR prints it."""
    return b'"' + b"".join(
        ESCAPES.get(byte) or (bytes((byte,)) if 32 <= byte < 127 else b"\\x%02x" % byte) for byte in word) + b'"'


SCRIPT_ADDRESS = "?:0"                      # of the session in which scripts call words


def monitor_line(microseconds: int, session, words: tuple) -> bytes:
    """MONITOR's line: seconds with a fraction, database, client (`lua`: a script), words."""
    client = b"lua" if session.address == SCRIPT_ADDRESS else session.address.encode()
    return b"%d.%06d [%d %b] %b" % (
        microseconds // 1000000, microseconds % 1000000, session.db.index, client,
        b" ".join(map(quoted, redacted(words, session))))
