"""JSON documents: text and numbers, faults, weights, changes, freeing in slices."""
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.base.memory import used_memory
from carnelian.types import serial
from carnelian.types.json_document import InvalidJson, JsonDocument, Layout, parse, to_text, weight_of
from carnelian.types.json_path import path_of

JSON = st.recursive(st.none() | st.booleans() | st.integers(-2**63, 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
                    | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)


@pytest.mark.parametrize("text, printed", [
    ("1.0", "1.0"), ("1e5", "100000.0"), ("1e300", "1e+300"), ("9223372036854775807", "9223372036854775807"),
    ("18446744073709551616", "1.8446744073709552e+19"), (' { "b" : 1 , "a" : [ ] , "b" : 2 } ', '{"b":2,"a":[]}'),
    ('"\\u00e9\\n/"', '"é\\n/"'), ("0.1", "0.1"), ("-0.0", "-0.0")])
def test_text(text, printed):
    assert to_text(parse(text.encode())) == printed.encode()


@pytest.mark.parametrize("text, fault", [
    ("", "EOF while parsing a value at line 1 column 0"), ("abc", "expected value at line 1 column 1"),
    ("{a:1}", "key must be a string at line 1 column 2"), ("[1,]", "trailing comma at line 1 column 4"),
    ('{"a":1,}', "trailing comma at line 1 column 8"), ("[1 2]", "expected `,` or `]` at line 1 column 4"),
    ("01", "invalid number at line 1 column 2"), ("[1] x", "trailing characters at line 1 column 5"),
    ('"\x01"', "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 2"),
    ('"\\x"', "invalid escape at line 1 column 3"), ("[", "EOF while parsing a list at line 1 column 1"),
    ('{"a" 1}', "expected `:` at line 1 column 6"), ('{"a"', "EOF while parsing an object at line 1 column 4"),
    ("\n\n  x", "expected value at line 3 column 3"), ("1e400", "number out of range at line 1 column 5"),
    ("nul", "EOF while parsing a value at line 1 column 3"), ("[" * 128, "recursion limit exceeded at line 1 column 128"),
    ("[" * 128 + "]" * 128, "recursion limit exceeded at line 1 column 128"), ('{"a":' * 100000, None), ("[" * 100000, None)])
def test_faults(text, fault):
    with pytest.raises(InvalidJson) as error:
        parse(text.encode())
    assert fault is None or str(error.value) == fault


@given(st.binary() | st.text('[]{}",:0123456789.eE+-\\u tfn', max_size=20).map(str.encode))
def test_any_text(text):
    """Whatever is refused has a fault, and what is taken prints as it reads."""
    try:
        value = parse(text)
    except InvalidJson as error:
        assert " at line " in str(error)
    else:
        assert to_text(parse(to_text(value))) == to_text(value)


def test_layout():
    assert Layout(b"  ", b"\n", b" ").print({"a": [1, {}], "b": "x"}) == b'{\n  "a": [\n    1,\n    {}\n  ],\n  "b": "x"\n}'
    assert Layout(newline=b"\n").print([1, [2]]) == b"[\n1,\n[\n2\n]\n]"


@given(JSON, st.booleans())
def test_round_trips(value, small):
    text = json.dumps(value).encode()
    document = JsonDocument.of(parse(text), 0 if small else 5000)
    document._check()
    assert document.is_small == small
    copied = document.copy()
    copied._check()
    restored = serial.restore(serial.dump(document))
    restored._check()
    assert document.to_text() == copied.to_text() == restored.to_text()
    assert type(restored.tree()) is type(value) and json.loads(restored.to_text()) == value
    assert Layout(b" ", b"\n", b" ").print(value) == b"" or json.loads(Layout(b" ", b"\n", b" ").print(value)) == value


def test_weight_is_what_the_interpreter_says():
    def size(value):
        if value is None or isinstance(value, bool) or isinstance(value, int) and -5 <= value <= 256:
            return 0
        total = sys.getsizeof(value)
        if isinstance(value, dict):
            return total + sum(sys.getsizeof(key) + size(item) for key, item in value.items())
        return total + sum(map(size, value)) if isinstance(value, list) else total

    for value in ([], {}, "", "abc" * 100, "é" * 50, 2**40, 2**63, 1.5, list(range(1000)), {str(i): [i * 1000] for i in range(3000)},
                  [{"name": f"user{i}", "age": i, "tags": ["x", "y"]} for i in range(500)]):
        value = parse(json.dumps(value).encode())
        assert abs(weight_of(value) - size(value)) <= 16 + size(value) * 0.35


ACTIONS = st.lists(st.tuples(st.sampled_from(["put", "put_key", "remove", "insert", "cut"]), st.integers(0, 20), JSON), max_size=8)


@given(st.dictionaries(st.sampled_from("abcd"), JSON, min_size=1), ACTIONS, st.booleans())
def test_changes_keep_the_books(value, actions, small):
    before = used_memory()
    document = JsonDocument.of(parse(json.dumps(value).encode()), 0 if small else 5000)
    for action, at, new in actions:
        root = document.open()
        new = parse(json.dumps(new).encode())
        places = path_of(b"$..*").locations(document, root)
        dicts = [place.value for place in places if type(place.value) is dict]
        lists = [place.value for place in places if type(place.value) is list]
        if action == "put" and places:
            document.put(places[at % len(places)], new)
        elif action == "put_key" and dicts:
            document.put_key(dicts[at % len(dicts)], "abc"[at % 3], new)
        elif action == "remove" and places:
            place = places[at % len(places)]
            assert document.remove([place, place]) == 1
        elif action == "insert" and lists:
            document.insert(lists[at % len(lists)], at, [new, 1])
        elif action == "cut" and lists:
            document.cut(lists[at % len(lists)], 0, at)
        document.close()
        document.take_waste()
        document._check()
    del document
    assert used_memory() == before


def test_freed_in_slices():
    before = used_memory()
    document = JsonDocument.of([{"a": list(range(50)), "b": {"c": [[]]}} for _ in range(200)])
    assert not document.is_small and len(document) > 10000
    left, turns = len(document), 0
    while document.free_some(500):
        assert left - 501 <= len(document) < left
        left, turns = len(document), turns + 1
    assert turns >= 20
    del document
    assert used_memory() == before


@pytest.mark.parametrize("payload", [
    b"\x07\x00", b"\x07\x81" + bytes(8), b"\x07\x81" + (serial.Output and b"\xff" * 8) + b"\x05\x02{}\x00"])
def test_damaged_payloads(payload):
    with pytest.raises(serial.DamagedValue):
        source = serial.Input(payload)
        source.value(source.byte())


def test_payload():
    """The module's ID, one string, and the end: what RedisJSON 2 writes."""
    payload = serial.dump(JsonDocument.of({"a": 1}))
    number = 0
    for character in "ReJSON-RL":
        number = number << 6 | "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(character)
    assert payload[:-10] == b"\x07\x81" + (number << 10 | 3).to_bytes(8, "big") + b'\x05\x07{"a":1}\x00'
    for broken in (payload[2:], payload[:11] + b"\x02" + payload[12:], payload[:13] + b"[" + payload[14:]):
        with pytest.raises(serial.DamagedValue):
            source = serial.Input(broken[:-10] if broken[0] == 7 else b"\x07" + broken[:-10])
            source.value(source.byte())
