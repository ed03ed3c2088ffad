# cython: language_level=3
"""Arrays inside JSON documents. https://redis.io/docs/latest/commands/?group=json"""
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.json_document import JsonDocument, Location, is_same

from carnelian.base.errors import ReplyError, WrongArity
from carnelian.commands.json_common import (
    NoSuchDocument, change_each, compile_path, depth_of, existing, integer_of, optional_path, value_of, values_at,
    first_at, wrong_kind)
from carnelian.keyspace import DENYOOM, MODULE, READONLY, WRITE, command
from carnelian.types.json_document import copy_of, to_text

NO_ARRAY = "not an array"


def from_end(index: int, length: int) -> int:
    """An index that may count from the end; before the first is the first."""
    return index if index >= 0 else max(0, length + index)


class Fresh:
    """The values of a word's arguments, as often as they are needed: no two arrays may share one."""

    def __init__(self, texts: tuple):
        self.values = [value_of(text) for text in texts]
        self.levels = max(map(depth_of, self.values)) + 1
        self.used = False

    def take(self) -> list:
        if self.used:
            return [copy_of(value) for value in self.values]
        self.used = True
        return self.values


@command("JSON.ARRAPPEND key path value [value ...]", WRITE | DENYOOM | MODULE, since="1.0.0", group="json", keys="RW UPDATE",
         complexity="O(N), N values, for a path to one array")
def json_arrappend(c: Call, key: bytes, path: bytes, *texts: bytes):
    """Append values to arrays, and give their new lengths."""
    way = compile_path(path)
    existing(c, key)
    values = Fresh(texts)

    def change(document: JsonDocument, place: Location):
        document.insert(place.value, len(place.value), values.take())
        return len(place.value)

    return change_each(c, key, way, "json.arrappend", (list,), NO_ARRAY, change, values.levels)


@command("JSON.ARRINSERT key path index value [value ...]", WRITE | DENYOOM | MODULE, since="1.0.0", group="json",
         keys="RW UPDATE", complexity="O(N), N the size of the arrays")
def json_arrinsert(c: Call, key: bytes, path: bytes, index: bytes, *texts: bytes):
    """Insert values before an index of arrays, and give their new lengths."""
    way = compile_path(path)
    at = integer_of(index)
    document = existing(c, key)
    values = Fresh(texts)
    if any(type(array) is list and not -len(array) <= at <= len(array) for array in values_at(way, document)):
        raise ReplyError("ERR index out of bounds")

    def change(document: JsonDocument, place: Location):
        document.insert(place.value, from_end(at, len(place.value)), values.take())
        return len(place.value)

    return change_each(c, key, way, "json.arrinsert", (list,), NO_ARRAY, change, values.levels)


@command("JSON.ARRINDEX key path value [start [stop]]", READONLY | MODULE, since="1.0.0", group="json", keys="RO ACCESS",
         complexity="O(N), N the size of the arrays")
def json_arrindex(c: Call, key: bytes, path: bytes, text: bytes, *bounds: bytes):
    """Find the first place of a value in arrays: -1 if it is not there."""
    if len(bounds) > 2:
        raise WrongArity("json.arrindex")
    way = compile_path(path)
    value = value_of(text)
    start = integer_of(bounds[0]) if bounds else 0
    stop = integer_of(bounds[1]) if len(bounds) > 1 else 0
    document = existing(c, key)

    def position(array: list) -> int:
        length = len(array)
        end = min(stop, length) if stop > 0 else length + stop
        for i in range(from_end(start, length), end):
            if is_same(array[i], value, True):
                return i
        return -1

    if not way.legacy:
        return [position(array) if type(array) is list else None for array in values_at(way, document)]
    array = first_at(way, document)
    if type(array) is not list:
        raise wrong_kind("array", array)
    return position(array)


@command("JSON.ARRLEN key [path]", READONLY | MODULE, since="1.0.0", group="json", keys="RO ACCESS",
         complexity="O(1) for a path to one value, O(N) for others, N the size of the document")
def json_arrlen(c: Call, key: bytes, *arguments: bytes):
    """Give the lengths of arrays."""
    way = optional_path(c, arguments)
    document = c.json_at(key)
    if document is None:
        if way.legacy:
            return None
        raise NoSuchDocument()
    found = values_at(way, document)
    if not way.legacy:
        return [len(value) if type(value) is list else None for value in found]
    if not found or type(found[0]) is not list:
        raise ReplyError(f"ERR Path '{way.text}' does not exist or {NO_ARRAY}")
    return len(found[0])


@command("JSON.ARRPOP key [path [index]]", WRITE | MODULE, since="1.0.0", group="json", keys="RW UPDATE",
         complexity="O(N), N the size of the arrays; O(1) at their ends")
def json_arrpop(c: Call, key: bytes, *arguments: bytes):
    """Take an element out of arrays, the last one if no index is given, and give it."""
    if len(arguments) > 2:
        raise WrongArity("json.arrpop")
    way = optional_path(c, arguments[:1])
    index = integer_of(arguments[1]) if len(arguments) > 1 else -1

    def change(document: JsonDocument, place: Location):
        length = len(place.value)
        if not length:
            return None
        at = min(from_end(index, length), length - 1)
        return to_text(document.cut(place.value, at, at + 1)[0])

    return change_each(c, key, way, "json.arrpop", (list,), NO_ARRAY, change, backwards=True)


@command("JSON.ARRTRIM key path start stop", WRITE | MODULE, since="1.0.0", group="json", keys="RW UPDATE",
         complexity="O(N), N the size of the arrays")
def json_arrtrim(c: Call, key: bytes, path: bytes, start: bytes, stop: bytes):
    """Cut arrays down to a range, both ends included, and give their new lengths."""
    way = compile_path(path)
    first = integer_of(start)
    last = integer_of(stop)

    def change(document: JsonDocument, place: Location):
        length = len(place.value)
        begin = from_end(first, length)
        end = min(last, length - 1) + 1 if last >= 0 else length + last + 1
        if begin >= end:
            begin = end = 0
        document.cut(place.value, end, length)
        document.cut(place.value, 0, begin)
        return len(place.value)

    return change_each(c, key, way, "json.arrtrim", (list,), NO_ARRAY, change, backwards=True)
