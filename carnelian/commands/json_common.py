# cython: language_level=3
"""What the JSON words share: values and paths out of their arguments, and places in documents.

A path that begins with `$` is JSONPath: the word works on every value that it leads to, and answers with an array, which
has null for a value of another type. Any other path is of the older dialect: a word that changes something works on all, and
answers with the last result; one that reads takes the first value; and there is an error where there is none.
"""
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.json_document import DEEPEST, JsonDocument, Location
from cython.cimports.carnelian.types.json_path import JsonPath, path_of

from carnelian.base.errors import NotInteger, ReplyError, WrongArity
from carnelian.base.numbers import parse_integer
from carnelian.types.json_document import InvalidJson, depth_of, parse
from carnelian.types.json_path import PathFault, TooMuchWork
from carnelian.types.json_regex import NoRegex

NO_UTF8 = "Couldn't parse as UTF-8 string"
TOO_DEEP = "recursion limit exceeded"
TYPE_NAMES = {dict: "object", list: "array", str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


class NoSuchDocument(ReplyError):
    text = "ERR could not perform this operation on a key that doesn't exist"


def wrong_kind(expected: str, value) -> ReplyError:
    return ReplyError(f"WRONGTYPE wrong type of path value - expected {expected} but found {TYPE_NAMES[type(value)]}")


def no_path(way: JsonPath) -> ReplyError:
    return ReplyError(f"ERR Path '{way.full}' does not exist")


def compile_path(text: bytes) -> JsonPath:
    """A path argument, compiled. The error of RedisJSON if it is none."""
    try:
        return path_of(text)
    except PathFault as fault:
        raise ReplyError(str(fault)) from None
    except UnicodeDecodeError:
        raise ReplyError(NO_UTF8) from None
    except NoRegex as error:
        raise ReplyError(f"ERR {error}") from None


ROOT = path_of(b".")


def optional_path(c: Call, arguments: tuple) -> JsonPath:
    """The path that may be the last argument: the root without it. WrongArity if there is more."""
    if not arguments:
        return ROOT
    if len(arguments) > 1:
        raise WrongArity(c.command.name)
    return compile_path(arguments[0])


def value_of(text: bytes):
    """A JSON argument's value."""
    try:
        return parse(text)
    except InvalidJson as error:
        try:
            text.decode()
        except UnicodeDecodeError:
            raise ReplyError(NO_UTF8) from None
        raise ReplyError(str(error)) from None


def integer_of(text: bytes) -> int:
    try:
        return parse_integer(text)
    except NotInteger:
        raise ReplyError("Couldn't parse as integer") from None


def existing(c: Call, key: bytes) -> JsonDocument:
    document = c.json_at(key)
    if document is None:
        raise NoSuchDocument()
    return document


# --- reading -----------------------------------------------------------------------------------------------------------

def values_at(way: JsonPath, document: JsonDocument) -> list:
    try:
        return way.values(document, document.tree())
    except TooMuchWork:
        raise ReplyError(f"ERR Path '{way.text}' looks at too many values") from None
    except NoRegex as error:                # of an expression that is a value of the document
        raise ReplyError(f"ERR {error}") from None


def first_at(way: JsonPath, document: JsonDocument):
    """The first value of a path of the older dialect."""
    found = values_at(way, document)
    if not found:
        raise no_path(way)
    return found[0]


def measured(c: Call, key: bytes, arguments: tuple, kind: type, name: str, measure):
    """The reply of a word that measures values of one type."""
    way = optional_path(c, arguments)
    document = c.json_at(key)
    if document is None:
        if way.legacy:
            return None
        raise NoSuchDocument()
    if not way.legacy:
        return [measure(value) if type(value) is kind else None for value in values_at(way, document)]
    value = first_at(way, document)
    if type(value) is not kind:
        raise wrong_kind(name, value)
    return measure(value)


# --- changing ----------------------------------------------------------------------------------------------------------

def places_at(way: JsonPath, document: JsonDocument, root) -> list:
    """Where the values of a path stand in an open document: each place once, what is around a value before it."""
    try:
        places = way.locations(document, root)
    except TooMuchWork:
        raise ReplyError(f"ERR Path '{way.text}' looks at too many values") from None
    except NoRegex as error:                # of an expression that is a value of the document
        raise ReplyError(f"ERR {error}") from None
    if len(places) > 1 and not way.is_static:
        return list({(id(place.container), place.key): place for place in reversed(places)}.values())[::-1]
    return places


def outermost(places: list) -> list:
    """Those places that are not inside of another of them."""
    place: Location
    around: Location
    if len(places) < 2:
        return places
    chosen = {(id(place.container), place.key) for place in places}
    found = []
    for place in places:
        around = place.parent
        while around is not None and (id(around.container), around.key) not in chosen:
            around = around.parent
        if around is None:
            found.append(place)
    return found


def check_depth(place: Location, levels: int, below: int = 0) -> None:
    """An error if a value with so many levels, put at the place or so many levels below it, makes the document too deep."""
    if levels and levels + place.depth + below > DEEPEST:
        raise ReplyError(TOO_DEEP)


def close(c: Call, document: JsonDocument) -> None:
    """The end of a change: what was large and is gone is freed in slices."""
    document.close()
    for rest in document.take_waste():
        c.store.bury(rest)


def change_each(c: Call, key: bytes, way: JsonPath, event: str, kinds: tuple, missing: str, change, levels: int = 0,
                backwards: bool = False):
    """The results of `change(document, place)` for each value of these types that the path leads to.

    JSONPath: a list, with None for values of other types. Older dialect: the last result; an error that ends in `missing`
    if there is none. A change that has the result None has changed nothing. `levels`: of the values that are put in, with what
    they are put into. `backwards`: what is inside a value is changed before it, which matters to changes that take something out.
    """
    place: Location
    document = existing(c, key)
    root = document.open()
    results = []
    fitting = changed = False
    try:
        places = places_at(way, document, root)
        for place in places:
            if type(place.value) in kinds:
                check_depth(place, levels)
        for place in reversed(places) if backwards else places:
            if type(place.value) in kinds:
                fitting = True
                result = change(document, place)
                changed = changed or result is not None
                results.append(result)
            elif not way.legacy:
                results.append(None)
    finally:
        close(c, document)
    if backwards:
        results.reverse()
    if changed:
        c.changed(key, event)
    elif way.legacy and not fitting:
        raise ReplyError(f"ERR Path '{way.text}' does not exist or {missing}")
    return results[-1] if way.legacy else results


__all__ = ["DEEPEST", "ROOT", "TYPE_NAMES", "NoSuchDocument", "change_each", "check_depth", "close", "compile_path", "depth_of",
           "existing", "first_at", "integer_of", "measured", "no_path", "optional_path", "outermost", "places_at", "value_of",
           "values_at", "wrong_kind"]
