# cython: language_level=3
"""JSON documents as a whole and by path. https://redis.io/docs/latest/commands/?group=json"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.json_document import JsonDocument, Location
from cython.cimports.carnelian.types.json_path import JsonPath

from carnelian.base.errors import NotJson, ReplyError, SyntaxFault, WrongArity
from carnelian.base.replies import OK, Status
from carnelian.commands.json_common import (
    ROOT, TYPE_NAMES, check_depth, close, compile_path, depth_of, existing, first_at, optional_path, outermost,
    places_at, value_of, values_at)
from carnelian.keyspace import DENYOOM, MODULE, READONLY, WRITE, command
from carnelian.types.json_document import Layout, copy_of, to_text, weight_of

NOT_AT_ROOT = "ERR new objects must be created at the root"


# --- setting -----------------------------------------------------------------------------------------------------------

def places_to_add(way: JsonPath, document: JsonDocument, root) -> list:
    """The objects to which a path that leads nowhere would add its last key. The errors of JSON.SET."""
    if not way.is_static:
        raise ReplyError("Err wrong static path")
    parents = way.parents(document, root)
    if isinstance(way.last_key, int):
        if not way.locations(document, root):
            raise ReplyError("ERR array index out of range")
        return []
    return [place for place in parents if type(place.value) is dict]


def set_at(document: JsonDocument, way: JsonPath, value, condition) -> bool:
    """JSON.SET's effect at a path other than the root: whether something was changed. The value belongs to the document from
    then on."""
    place: Location
    root = document.open()
    given = True
    levels = depth_of(value)
    places = outermost(places_at(way, document, root)) if condition != b"NX" else []
    if places:
        for place in places:
            check_depth(place, levels)
        for place in places:
            document.put(place, value if given else copy_of(value))
            given = False
        return True
    if condition == b"XX":
        return False
    targets = [place for place in places_to_add(way, document, root) if way.last_key not in place.value]
    for place in targets:
        check_depth(place, levels, 1)
    for place in targets:
        document.put_key(place.value, way.last_key, value if given else copy_of(value))
        given = False
    return bool(targets)


def put_document(c: Call, key: bytes, value, length: int) -> None:
    """A document in place of whatever document there was; its expiry stays."""
    c.put(key, JsonDocument.of(value, length), True)


@command("JSON.SET key path value [NX | XX]", WRITE | DENYOOM | MODULE, since="1.0.0", group="json", keys="RW UPDATE",
         complexity="O(M+N), M the size of the value that was there and N of the new one")
def json_set(c: Call, key: bytes, path: bytes, value: bytes, *options: bytes):
    """Set a document, or values in it."""
    condition = None
    for option in options:
        if option.upper() not in (b"NX", b"XX") or condition is not None:
            raise SyntaxFault()
        condition = option.upper()
    way = compile_path(path)
    document = c.json_at(key)
    new = value_of(value)
    if document is None and not (way.is_root or condition == b"XX"):
        raise ReplyError(NOT_AT_ROOT)
    if way.is_root:
        if condition == (b"XX" if document is None else b"NX"):
            return None
        put_document(c, key, new, len(value))
    else:
        if document is None:
            return None
        try:
            changed = set_at(document, way, new, condition)
        finally:
            close(c, document)
        if not changed:
            return None
    c.changed(key, "json.set")
    return OK


@command("JSON.MSET key path value [key path value ...]", WRITE | DENYOOM | MODULE, since="2.6.0", group="json",
         keys="RW UPDATE", complexity="O(K*(M+N)), K keys, M the size of the values that were there and N of the new ones")
def json_mset(c: Call, *arguments: bytes):
    """Set values in several documents at once."""
    if len(arguments) % 3:
        raise WrongArity("json.mset")
    steps = []
    for key, path, value in zip(arguments[::3], arguments[1::3], arguments[2::3]):
        document = c.json_at(key)
        way = compile_path(path)
        steps.append((key, way, value_of(value), len(value)))
        if way.is_root:
            continue
        if document is None:
            raise ReplyError(NOT_AT_ROOT)
        if not values_at(way, document):
            places_to_add(way, document, document.tree())
    for key, way, value, length in steps:
        if way.is_root:
            put_document(c, key, value, length)
        else:
            document = c.json_at(key)
            try:
                changed = set_at(document, way, value, None)
            except ReplyError:                      # an earlier step has taken away what this one was to work on
                changed = False
            finally:
                close(c, document)
            if not changed:
                continue
        c.changed(key, "json.mset")
    return OK


# --- merging -----------------------------------------------------------------------------------------------------------

def merged(patch):
    """A patch merged into nothing: without its nulls. https://www.rfc-editor.org/rfc/rfc7396"""
    if type(patch) is not dict:
        return patch
    return {key: merged(value) for key, value in patch.items() if value is not None}


def merge(document: JsonDocument, target: dict, patch: dict) -> None:
    for key, value in patch.items():
        if value is None:
            if key in target:
                document.remove_key(target, key)
        elif type(value) is dict and type(target.get(key)) is dict:
            merge(document, target[key], value)
        else:
            document.put_key(target, key, merged(value))


def merge_at(document: JsonDocument, way: JsonPath, patch) -> bool:
    """JSON.MERGE's effect on a document: whether something was changed."""
    place: Location
    root = document.open()
    levels = depth_of(patch)
    places = outermost(places_at(way, document, root))
    for place in places:
        check_depth(place, levels)
    if patch is None and places and not way.is_root:
        document.remove(places)
        return True
    for place in places:
        if type(patch) is dict and type(place.value) is dict:
            merge(document, place.value, copy_of(patch) if len(places) > 1 else patch)
        else:
            document.put(place, copy_of(merged(patch)) if len(places) > 1 else merged(patch))
    if places:
        return True
    targets = places_to_add(way, document, root)
    for place in targets:
        check_depth(place, levels, 1)
    if patch is None:
        return False
    for place in targets:
        document.put_key(place.value, way.last_key, copy_of(merged(patch)))
    return bool(targets)


@command("JSON.MERGE key path value", WRITE | DENYOOM | MODULE, since="2.6.0", group="json", keys="RW UPDATE",
         complexity="O(M+N), M the size of the values that were there and N of the patch")
def json_merge(c: Call, key: bytes, path: bytes, value: bytes):
    """Merge a value into a document: keys with null are taken out, others set."""
    way = compile_path(path)
    document = c.json_at(key)
    patch = value_of(value)
    if document is None:
        if not way.is_root:
            raise ReplyError(NOT_AT_ROOT)
        put_document(c, key, patch, len(value))
    else:
        try:
            changed = merge_at(document, way, patch)
        finally:
            close(c, document)
        if not changed:
            return None
    c.changed(key, "json.merge")
    return OK


# --- getting -----------------------------------------------------------------------------------------------------------

def print_path(way: JsonPath, document: JsonDocument, layout) -> bytes:
    """The JSON text that one path gives."""
    if way.is_root and not layout:
        return document.to_text() if way.legacy else b"[" + document.to_text() + b"]"
    found = first_at(way, document) if way.legacy else values_at(way, document)
    return layout.print(found) if layout else to_text(found)


@command("JSON.GET key [INDENT indent] [NEWLINE newline] [SPACE space] [path [path ...]]", READONLY | MODULE, since="1.0.0",
         group="json", keys="RO ACCESS", complexity="O(N), N the size of the values")
def json_get(c: Call, key: bytes, *arguments: bytes):
    """Give a document, or values of it, as JSON text."""
    layout = None
    ways: list = []
    i: cython.Py_ssize_t = 0
    while i < len(arguments):
        word = arguments[i].upper()
        i += 1
        if word in (b"INDENT", b"NEWLINE", b"SPACE"):
            if i == len(arguments):
                raise WrongArity("json.get")
            if layout is None:
                layout = Layout()
            setattr(layout, word.decode().lower(), arguments[i])
            i += 1
        elif word != b"NOESCAPE":                   # of old: nothing is escaped that need not be
            ways.append(compile_path(arguments[i - 1]))
    document = c.json_at(key)
    if document is None:
        return None
    if len(ways) < 2:
        return print_path(ways[0] if ways else ROOT, document, layout)
    legacy = all(way.legacy for way in ways)
    found = {}
    for way in ways:
        values = values_at(way, document)
        if legacy and not values:
            raise ReplyError(f"ERR Path '{way.text}' does not exist")
        found[way.text] = values[0] if legacy else values
    return layout.print(found) if layout else to_text(found)


@command("JSON.MGET key [key ...] path", READONLY | MODULE, since="1.0.0", group="json", keys="RO ACCESS",
         complexity="O(M*N), M keys and N the size of their values")
def json_mget(c: Call, *arguments: bytes):
    """Give the values at one path of several documents."""
    way = compile_path(arguments[-1])
    reply = []
    for key in arguments[:-1]:
        text = None
        try:
            document = c.json_at(key)
            if document is not None and (not way.legacy or way.is_root or values_at(way, document)):
                text = print_path(way, document, None)
        except NotJson:
            text = None
        reply.append(text)
    return reply


@command("JSON.TYPE key [path]", READONLY | MODULE, since="1.0.0", group="json", keys="RO ACCESS",
         complexity="O(1) for a path to one value, O(N) for others, N the size of the document")
def json_type(c: Call, key: bytes, *arguments: bytes):
    """Name the types of values."""
    way = optional_path(c, arguments)
    document = c.json_at(key)
    reply = None
    if document is not None:
        names = [TYPE_NAMES[type(value)] for value in values_at(way, document)]
        reply = (names[0] if names else None) if way.legacy else names
    return [reply] if c.session.writer.resp == 3 else reply


def resp_of(value):
    kind = type(value)
    if kind is dict:
        reply = [Status(b"{")]
        for key, item in value.items():
            reply += (key, resp_of(item))
        return reply
    if kind is list:
        return [Status(b"["), *map(resp_of, value)]
    if kind is bool:
        return Status(b"true" if value else b"false")
    return value


@command("JSON.RESP key [path]", READONLY | MODULE, since="1.0.0", group="json", keys="RO ACCESS",
         complexity="O(N), N the size of the values")
def json_resp(c: Call, key: bytes, *arguments: bytes):
    """Give values in the protocol's own types."""
    way = optional_path(c, arguments)
    document = c.json_at(key)
    if document is None:
        return None
    return resp_of(first_at(way, document)) if way.legacy else [resp_of(value) for value in values_at(way, document)]


# --- deleting ----------------------------------------------------------------------------------------------------------

def delete_at(c: Call, key: bytes, arguments: tuple) -> int:
    way = optional_path(c, arguments)
    document = c.json_at(key)
    if document is None:
        return 0
    if way.is_root:
        c.delete(key)
        c.changed(key, "json.del")
        return 1
    try:
        count = document.remove(outermost(places_at(way, document, document.open())))
    finally:
        close(c, document)
    if count:
        c.changed(key, "json.del")
    return count


@command("JSON.DEL key [path]", WRITE | MODULE, since="1.0.0", group="json", keys="RM DELETE",
         complexity="O(N), N the size of the values")
def json_del(c: Call, key: bytes, *arguments: bytes):
    """Delete values of a document, or all of it, and say how many there were."""
    return delete_at(c, key, arguments)


@command("JSON.FORGET key [path]", WRITE | MODULE, since="1.0.0", group="json", keys="RM DELETE",
         complexity="O(N), N the size of the values")
def json_forget(c: Call, key: bytes, *arguments: bytes):
    """Do the same as JSON.DEL."""
    return delete_at(c, key, arguments)


@command("JSON.CLEAR key [path]", WRITE | MODULE, since="2.0.0", group="json", keys="RW UPDATE",
         complexity="O(N), N the size of the values")
def json_clear(c: Call, key: bytes, *arguments: bytes):
    """Empty arrays and objects, set numbers to 0, and say how many were not empty or 0."""
    place: Location
    way = optional_path(c, arguments)
    document = existing(c, key)
    root = document.open()
    try:
        places = outermost([place for place in places_at(way, document, root)
                            if type(place.value) in (dict, list, int, float) and place.value])
        for place in places:
            kind = type(place.value)
            document.put(place, kind() if kind in (dict, list) else 0)
    finally:
        close(c, document)
    if places:
        c.changed(key, "json.clear")
    return len(places)


# --- looking inside ----------------------------------------------------------------------------------------------------

@command("JSON.DEBUG MEMORY key [path]", READONLY | MODULE, since="1.0.0", group="json", keys="RO ACCESS",
         complexity="O(N), N the size of the values")
def json_debug_memory(c: Call, key: bytes, *arguments: bytes):
    """Tell the bytes that values take as they are while they are worked on."""
    way = optional_path(c, arguments)
    document = c.json_at(key)
    if document is None:
        return 0 if way.legacy else []
    return weight_of(first_at(way, document)) if way.legacy else [weight_of(value) for value in values_at(way, document)]


@command("JSON.DEBUG HELP", READONLY | MODULE, since="1.0.0", group="json", complexity="O(1)")
def json_debug_help(c: Call):
    """Explain the subcommands of JSON.DEBUG."""
    return ["MEMORY <key> [path] - tells the bytes that values take", "HELP                - this text"]
