"""The types of configuration parameters: how a value is read from words, shown by CONFIG GET, and written to a file.

Words and texts are `str`; bytes that are not UTF-8 travel as surrogates (`os.fsencode`'s way). A word that does not fit
raises ValueError with the reason, in Redis's wording.
"""
import math
import os
import re

from carnelian.base.numbers import format_double, parse_float
from carnelian.keyspace.store import notification_flags, notification_text

INTEGER = re.compile(r"0|-?[1-9][0-9]*")
UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1000**2, "mb": 1 << 20, "g": 1000**3, "gb": 1 << 30}
INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
UNSIGNED_MAX = 2**64 - 1


def quoted(text: str) -> str:
    """A word in double quotes, with escapes, as it stands in a file."""
    escapes = {10: "\\n", 13: "\\r", 9: "\\t", 7: "\\a", 8: "\\b", 34: '\\"', 92: "\\\\"}
    return '"' + "".join(escapes.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}")
                         for byte in text.encode("utf-8", "surrogateescape")) + '"'


def integer(text: str) -> int:
    """A 64-bit integer in its canonical form."""
    if INTEGER.fullmatch(text):
        value = int(text)
        if -LONG_MAX - 1 <= value <= LONG_MAX:
            return value
    raise ValueError("argument couldn't be parsed into an integer")


def memory(text: str) -> int:
    """Bytes from `512`, `64mb`, `1G`, ...: k, m, g are powers of 1000, kb, mb, gb of 1024. Missing digits are zero."""
    match = re.fullmatch(r"([0-9]{0,127})([a-zA-Z]*)", text)
    if not match or match[2].lower() not in UNITS:
        raise ValueError("argument must be a memory value")
    return min(min(int(match[1] or 0), UNSIGNED_MAX) * UNITS[match[2].lower()], UNSIGNED_MAX)


def memory_text(value: int) -> str:
    """Bytes as a file shows them: in the largest unit that divides them."""
    for unit in ("gb", "mb", "kb"):
        if value and value % UNITS[unit] == 0:
            return f"{value // UNITS[unit]}{unit}"
    return str(value)


def between(value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise ValueError(f"argument must be between {least} and {most} inclusive")
    return value


class Kind:
    """One type. `multiple`: a value may be several words; CONFIG SET gives them as one, separated by blanks."""

    multiple = False

    def read(self, words: list, old):
        """The value that the words say; `old` is the one before."""
        if self.multiple:
            if len(words) == 1:
                words = words[0].split(" ") if words[0] else []
            return self.parse(words, old)
        if len(words) != 1:
            raise ValueError("wrong number of arguments")
        return self.parse(words[0])

    def parse(self, text):
        raise NotImplementedError

    def text(self, value) -> str:
        return str(value)

    def lines(self, value, default) -> list:
        """What follows the name on the lines of a file; no lines: the default needs none."""
        return [self.text(value)]


class Flag(Kind):
    def parse(self, text):
        if text.lower() not in ("yes", "no"):
            raise ValueError("argument must be 'yes' or 'no'")
        return text.lower() == "yes"

    def text(self, value):
        return "yes" if value else "no"


class Integer(Kind):
    def __init__(self, least=0, most=INT_MAX, clamp=None):
        self.least, self.most, self.clamp = least, most, clamp

    def parse(self, text):
        value = between(integer(text), self.least, self.most)
        return min(max(value, self.clamp[0]), self.clamp[1]) if self.clamp else value


class Memory(Kind):
    def __init__(self, least=0, most=LONG_MAX):
        self.least, self.most = least, most

    def parse(self, text):
        return between(memory(text), self.least, self.most)

    def lines(self, value, default):
        return [memory_text(value)]


class MemoryOrPercent(Kind):
    """Bytes, or a negative number: so many percent of maxmemory."""

    def parse(self, text):
        try:
            if text.endswith("%"):
                value = integer(text[:-1])
                if value < 0:
                    raise ValueError
                if value > 100:
                    raise OverflowError
                return -value
            return memory(text)
        except ValueError:
            raise ValueError("argument must be a memory or percent value") from None
        except OverflowError:
            raise ValueError("percentage argument must be less or equal to 100") from None

    def text(self, value):
        return f"{-value}%" if value < 0 else str(value)

    def lines(self, value, default):
        return [self.text(value) if value < 0 else memory_text(value)]


class Octal(Kind):
    def parse(self, text):
        if not re.fullmatch(r"[0-7]{1,6}", text):
            raise ValueError("argument couldn't be parsed as an octal number")
        return between(int(text, 8), 0, 0o777)

    def text(self, value):
        return f"{value:o}"


class Choice(Kind):
    def __init__(self, *names):
        self.names = names

    def parse(self, text):
        if text.lower() not in self.names:
            raise ValueError(f"argument(s) must be one of the following: {', '.join(self.names)}")
        return text.lower()


class Signals(Choice):
    """What a signal does to the process: several of the names at once; the first name stands for none."""

    multiple = True

    def parse(self, words, old):
        chosen = {super(Signals, self).parse(word) for word in words or [""]}
        if {"save", "nosave"} <= chosen:
            raise ValueError("shutdown options SAVE and NOSAVE can't be used simultaneously")
        return " ".join(name for name in self.names[1:] if name in chosen) or self.names[0]


class Text(Kind):
    """`check` gets the text and raises ValueError."""

    def __init__(self, check=None):
        self.check = check

    def parse(self, text):
        if self.check:
            self.check(text)
        return text

    def lines(self, value, default):
        return [] if value == default == "" else [quoted(value)]


class Directory(Kind):
    """A path, kept absolute."""

    def parse(self, text):
        try:
            with os.scandir(text):
                pass
        except OSError as error:
            raise ValueError(error.strerror) from None
        return os.path.abspath(text)

    def lines(self, value, default):
        return [quoted(value)]


class Files(Kind):
    """A list of paths, kept absolute. The directives of a file add up."""

    def read(self, words, old):
        return [*old, *map(os.path.abspath, words)]

    def text(self, value):
        return " ".join(value)

    def lines(self, value, default):
        return [quoted(path) for path in value]


class Events(Kind):
    """notify-keyspace-events: a bit set, shown in the canonical order of its letters (which leaves out n beside A)."""

    def parse(self, text):
        try:
            return notification_flags(text)
        except ValueError:
            raise ValueError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.") from None

    def text(self, value):
        return notification_text(value)

    def lines(self, value, default):
        return [quoted(notification_text(value))]


class Addresses(Kind):
    """bind: a list of addresses; one that begins with `-` may be missing on this machine."""

    multiple = True

    def parse(self, words, old):
        if len(words) > 16:
            raise ValueError("Too many bind addresses specified.")
        return list(words)

    def text(self, value):
        return " ".join(value)

    def lines(self, value, default):
        return [self.text(value) or '""']


class SavePoints(Kind):
    """save: a list of (seconds, changes). The directives of a file add up; an empty one takes all back."""

    multiple = True

    def parse(self, words, old):
        points = []
        if len(words) % 2:
            raise ValueError("Invalid save parameters")
        for seconds, changes in zip(words[::2], words[1::2]):
            if not seconds.isdecimal() or not changes.isdecimal() or int(seconds) < 1:
                raise ValueError("Invalid save parameters")
            points.append((int(seconds), int(changes)))
        return points

    def text(self, value):
        return " ".join(f"{seconds} {changes}" for seconds, changes in value)

    def lines(self, value, default):
        return [f"{seconds} {changes}" for seconds, changes in value] or ['""']


class OutputLimits(Kind):
    """client-output-buffer-limit: {class: (hard limit, soft limit, seconds)}; the words change some of the classes."""

    multiple = True

    def parse(self, words, old):
        value = dict(old)
        if len(words) % 4:
            raise ValueError("Wrong number of arguments in buffer limit configuration.")
        for name, hard, soft, seconds in zip(*[iter(words)] * 4):
            name = name.lower()
            name = "slave" if name == "replica" else name
            if name not in value:
                raise ValueError("Invalid client class specified in buffer limit configuration.")
            try:
                value[name] = (memory(hard), memory(soft), integer(seconds))
            except ValueError:
                value[name] = (0, 0, -1)
            if value[name][2] < 0:
                raise ValueError("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
        return value

    def text(self, value):
        return " ".join(f"{name} {hard} {soft} {seconds}" for name, (hard, soft, seconds) in value.items())

    def lines(self, value, default):
        return [f"{'replica' if name == 'slave' else name} {memory_text(hard)} {memory_text(soft)} {seconds}"
                for name, (hard, soft, seconds) in value.items() if value[name] != default[name]]


class ScoreAdjustments(Kind):
    """oom-score-adj-values: three integers."""

    multiple = True

    def parse(self, words, old):
        if len(words) != 3:
            raise ValueError("wrong number of arguments")
        try:
            return [between(integer(word), -2000, 2000) for word in words]
        except ValueError:
            raise ValueError("Invalid oom-score-adj-values, elements must be between -2000 and 2000.") from None

    def text(self, value):
        return " ".join(map(str, value))


class Percentiles(Kind):
    """latency-tracking-info-percentiles: numbers from 0 to 100."""

    multiple = True

    def parse(self, words, old):
        values = []
        for word in words:
            try:
                values.append(parse_float(word.encode("utf-8", "surrogateescape")))
            except Exception:
                raise ValueError("Invalid latency-tracking-info-percentiles parameters") from None
        if not all(math.isfinite(value) and 0 <= value <= 100 for value in values):
            raise ValueError("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
        return values

    def text(self, value):
        return " ".join(format_double(one).decode() for one in value)

    def lines(self, value, default):
        return [self.text(value) or '""']


class Replica(Kind):
    """replicaof: host and port, or none."""

    multiple = True

    def parse(self, words, old):
        if len(words) != 2:
            raise ValueError("wrong number of arguments")
        if words[0].lower() == "no" and words[1].lower() == "one":
            return ""
        if not words[1].isdecimal() or not 0 <= int(words[1]) <= 65535:
            raise ValueError("Invalid master port")
        return f"{words[0]} {words[1]}"

    def lines(self, value, default):
        return [value] if value else []
