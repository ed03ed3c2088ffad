# cython: language_level=3
"""Numbers, strings, booleans and objects inside JSON documents. https://redis.io/docs/latest/commands/?group=json"""
import math

from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.json_document import JsonDocument, Location

from carnelian.base.errors import ReplyError, WrongArity
from carnelian.commands.json_common import (
    ROOT, NoSuchDocument, change_each, compile_path, existing, measured, optional_path, value_of, values_at, wrong_kind)
from carnelian.keyspace import DENYOOM, MODULE, READONLY, WRITE, command
from carnelian.types.json_document import to_text

LEAST, LARGEST = -2**63, 2**63 - 1


# --- numbers -----------------------------------------------------------------------------------------------------------

def calculated(operation, number, operand):
    """The result of an operation: an integer if both are and it has 64 bits, else a double."""
    if type(number) is int and type(operand) is int and LEAST <= number <= LARGEST and LEAST <= operand <= LARGEST:
        result = operation(number, operand)
        if type(result) is int and LEAST <= result <= LARGEST:
            return result
    try:
        result = float(operation(float(number), float(operand)))
    except (OverflowError, ZeroDivisionError):
        result = math.inf
    except ValueError:
        result = math.nan
    if not math.isfinite(result):
        raise ReplyError("ERR result is an infinite number" if math.isinf(result) else "ERR result is not a number")
    return result


def power(number, operand):
    if type(number) is int and operand >= 0 and (-2 < number < 2 or operand < 64):
        return number ** operand
    return math.pow(number, operand)


def change_numbers(c: Call, key: bytes, path: bytes, text: bytes, event: str, operation):
    """The body of the three words of arithmetic. Nothing is changed if one of the results is no number."""
    way = compile_path(path)
    document = existing(c, key)
    operand = value_of(text)
    if type(operand) not in (int, float):
        raise wrong_kind("number", operand)
    found = values_at(way, document)
    results = [calculated(operation, value, operand) if type(value) in (int, float) else None for value in found]
    if way.legacy and all(result is None for result in results):
        raise ReplyError(f"ERR Path '{way.full}' does not exist or does not contains a number")

    def change(document: JsonDocument, place: Location):
        result = calculated(operation, place.value, operand)
        document.put(place, result)
        return result

    if not all(result is None for result in results):
        reply = change_each(c, key, way, event, (int, float), "", change)
    else:
        reply = results
    if c.session.writer.resp == 3:
        return [reply] if way.legacy else reply
    return to_text(reply)


@command("JSON.NUMINCRBY key path value", WRITE | DENYOOM | MODULE, since="1.0.0", group="json", keys="RW UPDATE",
         complexity="O(1) for a path to one value, O(N) for others, N the size of the document")
def json_numincrby(c: Call, key: bytes, path: bytes, value: bytes):
    """Add a number to numbers."""
    return change_numbers(c, key, path, value, "json.numincrby", lambda a, b: a + b)


@command("JSON.NUMMULTBY key path value", WRITE | DENYOOM | MODULE, since="1.0.0", group="json", keys="RW UPDATE",
         complexity="O(1) for a path to one value, O(N) for others, N the size of the document")
def json_nummultby(c: Call, key: bytes, path: bytes, value: bytes):
    """Multiply numbers by a number."""
    return change_numbers(c, key, path, value, "json.nummultby", lambda a, b: a * b)


@command("JSON.NUMPOWBY key path value", WRITE | DENYOOM | MODULE, since="2.0.0", group="json", keys="RW UPDATE",
         complexity="O(1) for a path to one value, O(N) for others, N the size of the document")
def json_numpowby(c: Call, key: bytes, path: bytes, value: bytes):
    """Raise numbers to a power."""
    return change_numbers(c, key, path, value, "json.numpowby", power)


# --- strings -----------------------------------------------------------------------------------------------------------

def string_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


@command("JSON.STRAPPEND key [path] value", WRITE | DENYOOM | MODULE, since="1.0.0", group="json", keys="RW UPDATE",
         complexity="O(1) for a path to one value, O(N) for others, N the size of the document")
def json_strappend(c: Call, key: bytes, *arguments: bytes):
    """Append to strings, and give their new lengths in bytes."""
    if len(arguments) > 2:
        raise WrongArity("json.strappend")
    way = compile_path(arguments[0]) if len(arguments) == 2 else ROOT
    existing(c, key)
    tail = value_of(arguments[-1])
    if type(tail) is not str:
        raise wrong_kind("string", tail)

    def change(document: JsonDocument, place: Location):
        text = place.value + tail
        document.put(place, text)
        return string_length(text)

    return change_each(c, key, way, "json.strappend", (str,), "not a string", change)


@command("JSON.STRLEN key [path]", READONLY | MODULE, since="1.0.0", group="json", keys="RO ACCESS",
         complexity="O(1) for a path to one value, O(N) for others, N the size of the document")
def json_strlen(c: Call, key: bytes, *arguments: bytes):
    """Give the lengths of strings, in bytes."""
    return measured(c, key, arguments, str, "string", string_length)


# --- booleans ----------------------------------------------------------------------------------------------------------

@command("JSON.TOGGLE key path", WRITE | DENYOOM | MODULE, since="2.0.0", group="json", keys="RW UPDATE",
         complexity="O(1) for a path to one value, O(N) for others, N the size of the document")
def json_toggle(c: Call, key: bytes, path: bytes):
    """Make true false, and false true."""
    way = compile_path(path)

    def change(document: JsonDocument, place: Location):
        document.put(place, not place.value)
        return int(place.value)

    reply = change_each(c, key, way, "json.toggle", (bool,), "not a bool", change)
    return ("true" if reply else "false") if way.legacy else reply


# --- objects -----------------------------------------------------------------------------------------------------------

@command("JSON.OBJKEYS key [path]", READONLY | MODULE, since="1.0.0", group="json", keys="RO ACCESS",
         complexity="O(N), N keys of the objects")
def json_objkeys(c: Call, key: bytes, *arguments: bytes):
    """List the keys of objects."""
    way = optional_path(c, arguments)
    document = c.json_at(key)
    if document is None:
        if way.legacy:
            return None
        raise NoSuchDocument()
    found = values_at(way, document)
    if not way.legacy:
        return [list(value) if type(value) is dict else None for value in found]
    if not found:
        return None
    if type(found[0]) is not dict:
        raise wrong_kind("object", found[0])
    return list(found[0])


@command("JSON.OBJLEN key [path]", READONLY | MODULE, since="1.0.0", group="json", keys="RO ACCESS",
         complexity="O(1) for a path to one value, O(N) for others, N the size of the document")
def json_objlen(c: Call, key: bytes, *arguments: bytes):
    """Count the keys of objects."""
    return measured(c, key, arguments, dict, "object", len)
