"""Keys as JSON lines: one object for each key.

    {"db":0,"key":"user:1","type":"hash","value":{"name":"ada"},"expires_at":1700000000000}

Bytes that are UTF-8 text are a JSON string, others `{"base64":"..."}`. Types and values:

    string   a text
    list     [element, ...]
    set      [member, ...]
    zset     [[member, score], ...]         a score is a number, "inf" or "-inf"
    hash     {field: value, ...}, or [[field, value], [field, value, time], ...] where a field has a time or is no text
    stream   {"entries": [[id, [field, value, ...]], ...], "last_id", "entries_added", "max_deleted_id", "groups":
             [{"name", "last_id", "entries_read", "consumers": [{"name", "seen_time"}, ...],
               "pending": [[id, consumer, delivery time, deliveries], ...]}, ...]}
    json     the document

Times are milliseconds since the epoch. A library of functions is `{"function": code}`.
"""
import base64
import binascii
import json
import math

from carnelian.types.hash import Hash
from carnelian.types.json_document import JsonDocument, parse
from carnelian.types.list import List
from carnelian.types.set import Set
from carnelian.types.sorted_set import SortedSet
from carnelian.types.stream import Stream
from carnelian.types.stream_group import Group

NAMES = {bytes: "string", List: "list", Set: "set", SortedSet: "zset", Hash: "hash", Stream: "stream", JsonDocument: "json"}
MEMBERS = {"db", "key", "type", "value", "expires_at"}
DEEPEST = 250               # levels of a document
LATEST = (1 << 63) - 1


class BadLine(ValueError):
    """The line does not describe a key."""


# --- to JSON -------------------------------------------------------------------------------------------------------

def text_of(data: bytes):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def dumped(value) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def score_of(score: float):
    return score if math.isfinite(score) else "inf" if score > 0 else "-inf"


def id_text(id: tuple) -> str:
    return f"{id[0]}-{id[1]}"


def described(value):
    """The value, as what JSON knows."""
    if isinstance(value, bytes):
        return text_of(value)
    if isinstance(value, List):
        return [text_of(element) for element in value.range(0, -1)]
    if isinstance(value, Set):
        return [text_of(member) for member in value.members()]
    if isinstance(value, SortedSet):
        items = value.items()
        return [[text_of(member), score_of(score)] for member, score in zip(items[::2], items[1::2])]
    if isinstance(value, Hash):
        fields = [(text_of(field), text_of(content), time) for field, content, time in value.times()]
        if all(isinstance(field, str) and not time for field, _, time in fields):
            return {field: content for field, content, _ in fields}
        return [[field, content, time] if time else [field, content] for field, content, time in fields]
    return {"entries": [[id.decode(), [text_of(word) for word in words]] for id, words in value.range()],
            "last_id": id_text(value.last_id), "entries_added": value.entries_added,
            "max_deleted_id": id_text(value.max_deleted_id),
            "groups": [described_group(name, group) for name, group in (value.groups or {}).items()]}


def described_group(name: bytes, group) -> dict:
    return {"name": text_of(name), "last_id": id_text(group.last_id), "entries_read": group.entries_read,
            "consumers": [{"name": text_of(consumer.name), "seen_time": consumer.seen_time} for consumer in group.consumers.values()],
            "pending": [[id_text(id), text_of(owner), delivered, times] for id, owner, delivered, times in group.pending_entries()]}


def line_of(db: int, key: bytes, value, expiry) -> bytes:
    """One key, with the line's end."""
    head = dumped({"db": db, "key": text_of(key), "type": NAMES[value.__class__]})
    if isinstance(value, JsonDocument):
        content = value.to_text()
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            raise BadLine(f"the document at {key[:100]!r} is no UTF-8 text") from None
    else:
        content = dumped(described(value)).encode("utf-8")
    tail = b"" if expiry is None else b',"expires_at":%d' % expiry
    return head[:-1].encode("utf-8") + b',"value":' + content + tail + b"}\n"


def line_of_function(code: bytes) -> bytes:
    return dumped({"function": text_of(code)}).encode("utf-8") + b"\n"


# --- from JSON -----------------------------------------------------------------------------------------------------

def need(condition, text: str) -> None:
    if not condition:
        raise BadLine(text)


def bytes_of(text) -> bytes:
    if isinstance(text, str):
        try:
            return text.encode("utf-8")
        except UnicodeEncodeError:
            raise BadLine("half of a surrogate pair in a text") from None
    need(isinstance(text, dict) and text.keys() == {"base64"} and isinstance(text["base64"], str),
         'a text or {"base64": "..."} is expected')
    try:
        return base64.b64decode(text["base64"], validate=True)
    except (binascii.Error, ValueError):
        raise BadLine("what stands in base64 is none") from None


def integer(value, low: int, high: int, name: str) -> int:
    need(type(value) is int and low <= value <= high, f"{name} is a number from {low} to {high}")
    return value


def id_of(text) -> tuple:
    need(isinstance(text, str), "an ID is a text such as 5-0")
    ms, dash, seq = text.partition("-")
    need(dash and all(part.isascii() and part.isdigit() and len(part) <= 20 for part in (ms, seq)), "an ID is a text such as 5-0")
    id = int(ms), int(seq)
    need(max(id) < 1 << 64, "an ID has two numbers of 64 bits")
    return id


def array(value, name: str) -> list:
    need(isinstance(value, list), f"{name} is an array")
    return value


def value_of(kind: str, content):
    """The value (bytes or a structure) of this type. BadLine."""
    if kind == "string":
        return bytes_of(content)
    if kind == "json":
        try:
            text = json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
            return JsonDocument.of(parse(text, DEEPEST), len(text))
        except (ValueError, RecursionError) as error:
            raise BadLine(f"no document: {error}") from None
    if kind == "stream":
        return stream_of(content)
    need(content, "a value without elements")
    if kind == "list":
        result = List()
        for element in array(content, "a list's value"):
            result.push_right(bytes_of(element))
    elif kind == "set":
        result = Set()
        for member in array(content, "a set's value"):
            need(result.insert(bytes_of(member)), "a member is there twice")
    elif kind == "zset":
        result = sorted_set_of(content)
    elif kind == "hash":
        result = hash_of(content)
    else:
        raise BadLine(f"{kind!r} is no type: {', '.join(NAMES.values())}")
    return result


def sorted_set_of(content) -> SortedSet:
    result, seen = SortedSet(), set()
    for pair in array(content, "a sorted set's value"):
        need(isinstance(pair, list) and len(pair) == 2, "[member, score] is expected")
        member, score = bytes_of(pair[0]), pair[1]
        if score in ("inf", "-inf"):
            score = float(score)
        need(type(score) in (int, float), 'a score is a number, "inf" or "-inf"')
        need(member not in seen, "a member is there twice")
        seen.add(member)
        try:
            result.put(member, float(score))
        except OverflowError:
            raise BadLine("a score is too large") from None
    return result


def hash_of(content) -> Hash:
    result = Hash()
    if isinstance(content, dict):
        content = [[field, value] for field, value in content.items()]
    for entry in array(content, "a hash's value (if it is no object)"):
        need(isinstance(entry, list) and len(entry) in (2, 3), "[field, value] or [field, value, time] is expected")
        field = bytes_of(entry[0])
        need(result.set(field, bytes_of(entry[1])), "a field is there twice")
        if len(entry) == 3:
            result.schedule(field, integer(entry[2], 1, (1 << 48) - 2, "a field's time"))
    return result


def stream_of(content) -> Stream:
    need(isinstance(content, dict), "a stream's value is an object")
    unknown = content.keys() - {"entries", "last_id", "entries_added", "max_deleted_id", "groups"}
    need(not unknown, f"a stream has no {', '.join(sorted(unknown))}")
    stream = Stream()
    for entry in array(content.get("entries", []), "entries"):
        need(isinstance(entry, list) and len(entry) == 2, "[id, [field, value, ...]] is expected")
        words = [bytes_of(word) for word in array(entry[1], "an entry")]
        need(words and len(words) % 2 == 0, "fields and values come in pairs")
        need(stream.add(id_of(entry[0]), words), "IDs of entries rise, from 0-1 on")
    last = id_of(content["last_id"]) if "last_id" in content else stream.last_id
    need(last >= stream.last_id, "the last ID is below that of an entry")
    added = integer(content.get("entries_added", stream.length), stream.length, LATEST, "entries_added")
    stream.set_state(last, added, id_of(content.get("max_deleted_id", "0-0")))
    for group in array(content.get("groups", []), "groups"):
        add_group(stream, group)
    return stream


def add_group(stream: Stream, content) -> None:
    need(isinstance(content, dict) and {"name", "last_id"} <= content.keys(), "a group has a name and a last_id")
    name = bytes_of(content["name"])
    need(not stream.groups or name not in stream.groups, "a group is there twice")
    group = Group(id_of(content["last_id"]), integer(content.get("entries_read", -1), -1, LATEST, "entries_read"))
    consumers = {}
    for consumer in array(content.get("consumers", []), "consumers"):
        need(isinstance(consumer, dict) and "name" in consumer, "a consumer has a name")
        who = bytes_of(consumer["name"])
        need(who not in consumers, "a consumer is there twice")
        consumers[who] = group.add_consumer(who, integer(consumer.get("seen_time", 0), 0, LATEST, "seen_time"))
    for entry in array(content.get("pending", []), "pending"):
        need(isinstance(entry, list) and len(entry) == 4, "[id, consumer, delivery time, deliveries] is expected")
        owner = consumers.get(bytes_of(entry[1]))
        need(owner is not None, "a pending entry has a consumer of its group")
        try:
            group.add_pending(id_of(entry[0]), owner, integer(entry[2], 0, LATEST, "the delivery time"),
                              integer(entry[3], 0, LATEST, "the number of deliveries"))
        except ValueError as error:
            raise BadLine(str(error)) from None
    stream.add_group(name, group)


def no_constant(name: str):
    raise ValueError(f"{name} is no JSON")


def unique(pairs: list) -> dict:
    result = dict(pairs)
    need(len(result) == len(pairs), "a name is there twice in an object")
    return result


def read_line(line: bytes):
    """(database, key, value, expiry or None), or the code of a library. BadLine."""
    try:
        content = json.loads(line.decode("utf-8"), parse_constant=no_constant, object_pairs_hook=unique)
    except BadLine:
        raise
    except (ValueError, RecursionError) as error:
        raise BadLine(f"no JSON: {error}") from None
    need(isinstance(content, dict), "an object is expected")
    if content.keys() == {"function"}:
        return bytes_of(content["function"])
    need({"key", "type", "value"} <= content.keys(), "key, type and value are expected")
    need(content.keys() <= MEMBERS, f"there is no {', '.join(sorted(content.keys() - MEMBERS))}")
    expiry = content.get("expires_at")
    if expiry is not None:
        integer(expiry, 0, LATEST, "expires_at")
    need(isinstance(content["type"], str), "the type is a text")
    return (integer(content.get("db", 0), 0, 1023, "db"), bytes_of(content["key"]), value_of(content["type"], content["value"]),
            expiry)
