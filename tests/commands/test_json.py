"""JSON.*: requests and their replies in both protocols, effects, notifications, and the key as others see it."""
import pytest

from carnelian.engine import Engine
from carnelian.keyspace import Session

D = '{"a":1,"b":2.5,"s":"foo","t":true,"n":null,"l":[1,2,3],"o":{"a":"x","l":[]}}'
MISSING = "-ERR could not perform this operation on a key that doesn't exist"


class Client:
    def __init__(self):
        self.engine = Engine()
        self.session = Session(self.engine.store.databases[0])
        self.engine.attach(self.session)
        self.effects = []
        self.engine.store.sinks.append(lambda index, words: self.effects.append(b" ".join(words).decode()))

    def __call__(self, *words):
        words = [word.encode() if isinstance(word, str) else word for word in words]
        self.session.reader.feed(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words))
        self.engine.begin_batch()
        self.engine.drain(self.session)
        value, rest = read(self.session.writer.take())
        assert not rest
        return value


def read(data):
    line, _, rest = data.partition(b"\r\n")
    kind, text = line[:1], line[1:].decode("utf-8", "replace")
    if kind in b"+":
        return "+" + text, rest
    if kind == b"-":
        return "-" + text, rest
    if kind == b":":
        return int(text), rest
    if kind == b",":
        return float(text), rest
    if kind == b"_" or text == "-1":
        return None, rest
    if kind == b"$":
        return rest[:int(text)].decode("utf-8", "replace"), rest[int(text) + 2:]
    items = []
    for _ in range(int(text) * (2 if kind == b"%" else 1)):
        item, rest = read(rest)
        items.append(item)
    return items, rest


@pytest.fixture
def r():
    return Client()


@pytest.mark.parametrize("request_, expected", [
    (["JSON.GET", "d"], D), (["JSON.GET", "d", "$"], f"[{D}]"), (["JSON.GET", "none"], None),
    (["JSON.GET", "d", "$..a"], '[1,"x"]'), (["JSON.GET", "d", "..a"], "1"), (["JSON.GET", "d", "$.zz"], "[]"),
    (["JSON.GET", "d", "zz"], "-ERR Path '$.zz' does not exist"), (["JSON.GET", "d", ".a", ".s"], '{".a":1,".s":"foo"}'),
    (["JSON.GET", "d", "$.a", ".s"], '{"$.a":[1],".s":["foo"]}'), (["JSON.GET", "d", ".a", ".zz"], "-ERR Path '.zz' does not exist"),
    (["JSON.GET", "d", "INDENT", " ", "NEWLINE", "\n", "SPACE", " ", ".o"], '{\n "a": "x",\n "l": []\n}'),
    (["JSON.GET", "d", "NOESCAPE", ".l"], "[1,2,3]"), (["JSON.GET", "d", "INDENT"], "-ERR wrong number of arguments for 'json.get' command"),
    (["JSON.GET", "text"], "-Existing key has wrong Redis type"), (["GET", "d"], "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    (["JSON.GET", "d", "$["], "-Error occurred on position 3, expected a string in quotes, a number, a slice, * or a filter"),
    (["JSON.GET", "d", b"$.\xff"], "-Couldn't parse as UTF-8 string"),
    (["JSON.MGET", "d", "none", "text", "$.a"], ["[1]", None, None]), (["JSON.MGET", "d", ".zz"], [None]),
    (["JSON.SET", "new", "$.a", "1"], "-ERR new objects must be created at the root"), (["JSON.SET", "new", "$", "1", "XX"], None),
    (["JSON.SET", "d", "$", "1", "NX"], None), (["JSON.SET", "d", "$.a", "2", "NX"], None), (["JSON.SET", "d", "$.a", "2", "XX"], "+OK"),
    (["JSON.SET", "d", "$.x", "2", "XX"], None), (["JSON.SET", "d", "$.x", "2"], "+OK"), (["JSON.SET", "d", "$.x.y", "2"], None),
    (["JSON.SET", "d", "$..x", "2"], "-Err wrong static path"), (["JSON.SET", "d", "$.l[9]", "2"], "-ERR array index out of range"),
    (["JSON.SET", "d", "$", "{a"], "-key must be a string at line 1 column 2"), (["JSON.SET", "d", "$", "1", "NX", "XX"], "-ERR syntax error"),
    (["JSON.SET", "d", "$", b'"\xff"'], "-Couldn't parse as UTF-8 string"), (["JSON.SET", "text", "$", "1"], "-Existing key has wrong Redis type"),
    (["JSON.MSET", "d", "$.a", "5", "new", "$", "1"], "+OK"), (["JSON.MSET", "d", "$.a"], "-ERR wrong number of arguments for 'json.mset' command"),
    (["JSON.MSET", "d", "$.a", "5", "new", "$.a", "1"], "-ERR new objects must be created at the root"),
    (["JSON.MERGE", "d", "$.o", '{"a":null,"z":{"y":null}}'], "+OK"), (["JSON.MERGE", "none", "$.x", "1"], "-ERR new objects must be created at the root"),
    (["JSON.DEL", "d"], 1), (["JSON.DEL", "none"], 0), (["JSON.DEL", "d", "$..a"], 2), (["JSON.FORGET", "d", ".zz"], 0),
    (["JSON.DEL", "d", "$.l[*]"], 3), (["JSON.DEL", "d", "$..l"], 2),
    (["JSON.TYPE", "d"], "object"), (["JSON.TYPE", "d", "$.*"], ["integer", "number", "string", "boolean", "null", "array", "object"]),
    (["JSON.TYPE", "none", "$"], None), (["JSON.TYPE", "d", ".zz"], None), (["JSON.TYPE", "d", "$.zz"], []),
    (["JSON.NUMINCRBY", "d", "a", "2"], "3"), (["JSON.NUMINCRBY", "d", "$..a", "0.5"], "[1.5,null]"),
    (["JSON.NUMINCRBY", "d", ".s", "1"], "-ERR Path '$.s' does not exist or does not contains a number"),
    (["JSON.NUMINCRBY", "d", "$.zz", "1"], "[]"), (["JSON.NUMINCRBY", "none", "$", "1"], MISSING),
    (["JSON.NUMINCRBY", "d", "$.b", "1e308"], "[1e+308]"), (["JSON.NUMMULTBY", "d", "$.b", "1e308"], "-ERR result is an infinite number"),
    (["JSON.NUMINCRBY", "d", ".a", '"1"'], "-WRONGTYPE wrong type of path value - expected number but found string"),
    (["JSON.NUMMULTBY", "d", "$.a", "9223372036854775807"], "[9223372036854775807]"), (["JSON.NUMPOWBY", "d", ".b", "2"], "6.25"),
    (["JSON.NUMINCRBY", "d", ".a", "9223372036854775807"], "9.223372036854776e+18"),
    (["JSON.STRAPPEND", "d", ".s", '"é"'], 5), (["JSON.STRAPPEND", "d", "$..a", '"y"'], [None, 2]),
    (["JSON.STRAPPEND", "d", ".a", '"y"'], "-ERR Path '.a' does not exist or not a string"),
    (["JSON.STRAPPEND", "d", ".s", "1"], "-WRONGTYPE wrong type of path value - expected string but found integer"),
    (["JSON.STRLEN", "d", ".s"], 3), (["JSON.STRLEN", "d", "$.*"], [None, None, 3, None, None, None, None]), (["JSON.STRLEN", "none"], None),
    (["JSON.STRLEN", "none", "$"], MISSING), (["JSON.STRLEN", "d", ".n"], "-WRONGTYPE wrong type of path value - expected string but found null"),
    (["JSON.ARRAPPEND", "d", ".l", "4", "[5]"], 5), (["JSON.ARRAPPEND", "d", "$..l", "4"], [4, 1]), (["JSON.ARRAPPEND", "d", "$.a", "4"], [None]),
    (["JSON.ARRAPPEND", "d", ".", "4"], "-ERR Path '.' does not exist or not an array"),
    (["JSON.ARRINSERT", "d", "$.l", "-1", "9"], [4]), (["JSON.ARRINSERT", "d", ".l", "4", "9"], "-ERR index out of bounds"),
    (["JSON.ARRINSERT", "d", ".l", "x", "9"], "-Couldn't parse as integer"),
    (["JSON.ARRINDEX", "d", ".l", "3"], 2), (["JSON.ARRINDEX", "d", "$..l", "3.0"], [-1, -1]), (["JSON.ARRINDEX", "d", ".l", "3", "0", "-1"], -1),
    (["JSON.ARRINDEX", "d", ".l", "3", "-1", "0"], 2), (["JSON.ARRINDEX", "d", ".s", "3"], "-WRONGTYPE wrong type of path value - expected array but found string"),
    (["JSON.ARRLEN", "d", ".l"], 3), (["JSON.ARRLEN", "d", "$.*"], [None, None, None, None, None, 3, None]), (["JSON.ARRLEN", "none"], None),
    (["JSON.ARRLEN", "d", ".t"], "-ERR Path '.t' does not exist or not an array"), (["JSON.ARRLEN", "none", "$"], MISSING),
    (["JSON.ARRPOP", "d", ".l"], "3"), (["JSON.ARRPOP", "d", "$..l", "0"], ["1", None]), (["JSON.ARRPOP", "d", ".l", "-9"], "1"),
    (["JSON.ARRPOP", "d", ".l", "9"], "3"), (["JSON.ARRPOP", "d", ".o.l"], None), (["JSON.ARRPOP", "d"], "-ERR Path '.' does not exist or not an array"),
    (["JSON.ARRTRIM", "d", ".l", "1", "1"], 1), (["JSON.ARRTRIM", "d", "$..l", "-2", "-1"], [2, 0]), (["JSON.ARRTRIM", "d", ".l", "9", "11"], 0),
    (["JSON.ARRTRIM", "d", ".l", "2", "1"], 0), (["JSON.ARRTRIM", "d", ".l", "-9", "99"], 3),
    (["JSON.OBJKEYS", "d", ".o"], ["a", "l"]), (["JSON.OBJKEYS", "d", "$.*"], [None] * 6 + [["a", "l"]]), (["JSON.OBJKEYS", "none"], None),
    (["JSON.OBJKEYS", "d", "$.zz"], []), (["JSON.OBJLEN", "d"], 7), (["JSON.OBJLEN", "d", "$.o"], [2]), (["JSON.OBJLEN", "none", "$"], MISSING),
    (["JSON.OBJLEN", "d", ".zz"], "-ERR Path '$.zz' does not exist"), (["JSON.OBJLEN", "d", ".t"], "-WRONGTYPE wrong type of path value - expected object but found boolean"),
    (["JSON.TOGGLE", "d", ".t"], "false"), (["JSON.TOGGLE", "d", "$.*"], [None, None, None, 0, None, None, None]),
    (["JSON.TOGGLE", "d", ".a"], "-ERR Path '.a' does not exist or not a bool"),
    (["JSON.CLEAR", "d", "$.*"], 4), (["JSON.CLEAR", "d"], 1), (["JSON.CLEAR", "none"], MISSING), (["JSON.CLEAR", "d", ".o.l"], 0),
    (["JSON.RESP", "d", ".o"], ["+{", "a", "x", "l", ["+["]]), (["JSON.RESP", "d", "$.b"], ["2.5"]), (["JSON.RESP", "d", "$.zz"], []),
    (["JSON.RESP", "d", "$.t"], ["+true"]), (["JSON.RESP", "none"], None),
    (["JSON.DEBUG", "MEMORY", "none", "$"], []), (["JSON.DEBUG", "MEMORY", "none"], 0), (["JSON.DEBUG", "MEMORY", "d", "$.a"], [0]),
    (["TYPE", "d"], "+ReJSON-RL"), (["OBJECT", "ENCODING", "d"], "raw"), (["SCAN", "0", "TYPE", "ReJSON-RL"], ["0", ["d"]]),
    (["JSON.GET", "d", "$.*[?(@=~'(a|aa)+$')]"], "[]"), (["LPUSH", "d", "x"], "-WRONGTYPE Operation against a key holding the wrong kind of value"),
])
@pytest.mark.parametrize("small", [True, False])
def test_replies(r, request_, expected, small):
    r("JSON.SET", "d", "$", D + ("" if small else " " * 2000))
    r("SET", "text", "x")
    assert r(*request_) == expected
    document = r.session.db.value(b"d")
    if document is not None:
        document._check()
        assert document.is_small == small or request_[0] in ("JSON.SET", "JSON.MERGE")


@pytest.mark.parametrize("request_, expected", [
    (["JSON.NUMINCRBY", "d", "a", "2"], [3]), (["JSON.NUMINCRBY", "d", "$..a", "0.5"], [1.5, None]),
    (["JSON.TYPE", "d", ".a"], ["integer"]), (["JSON.TYPE", "d", "$.a"], [["integer"]]), (["JSON.TYPE", "none"], [None]),
    (["JSON.GET", "d", "$.a"], "[1]"), (["JSON.RESP", "d", ".b"], 2.5)])
def test_resp3(r, request_, expected):
    r("JSON.SET", "d", "$", D)
    r.session.writer.resp = 3
    assert r(*request_) == expected


@pytest.mark.parametrize("requests, left", [
    ([["JSON.SET", "d", "$..a", "[9]"]], '{"a":[9],"l":[{"a":[9]}],"o":{"a":[9]}}'),
    ([["JSON.SET", "d", "$..a", "[9]"], ["JSON.ARRAPPEND", "d", "$.a", "1"]], '{"a":[9,1],"l":[{"a":[9]}],"o":{"a":[9]}}'),
    ([["JSON.DEL", "d", "$..a"]], '{"l":[{}],"o":{}}'), ([["JSON.DEL", "d", "$.l[0,0,0]"]], '{"a":{"a":1},"l":[],"o":{"a":2}}'),
    ([["JSON.CLEAR", "d", "$.*"]], '{"a":{},"l":[],"o":{}}'), ([["JSON.MERGE", "d", "$", '{"a":null,"o":{"b":[null]}}']], '{"l":[{"a":{"a":2}}],"o":{"a":2,"b":[null]}}'),
    ([["JSON.MERGE", "d", "$.n", '{"x":{"y":null}}'], ["JSON.MERGE", "d", "$.l", "null"]], '{"a":{"a":1},"o":{"a":2},"n":{"x":{}}}'),
    ([["JSON.SET", "d", "$", "[[1,2],[3,[4]]]"], ["JSON.ARRPOP", "d", "$..[*]"]], "[[1],[3]]"),
    ([["JSON.SET", "d", "$", "[[1,2],[3,[4]]]"], ["JSON.ARRTRIM", "d", "$..", "0", "0"]], "[[1,2],[3,[4]]]"),
])
@pytest.mark.parametrize("small", [True, False])
def test_changes(r, requests, left, small):
    r("JSON.SET", "d", "$", '{"a":{"a":1},"l":[{"a":{"a":2}}],"o":{"a":2}}' + ("" if small else " " * 2000))
    for request in requests:
        r(*request)
    assert r("JSON.GET", "d") == left
    r.session.db.value(b"d")._check()


@pytest.mark.parametrize("request_, expected", [
    (["JSON.SET", "d", "$", "2"], True), (["JSON.SET", "d", "$.x", "2", "XX"], False), (["JSON.NUMINCRBY", "d", "$.a", "1.5"], True),
    (["JSON.NUMINCRBY", "d", "$.s", "1"], False), (["JSON.DEL", "d"], True), (["JSON.DEL", "d", "$.zz"], False), (["JSON.CLEAR", "d", ".s"], False),
    (["JSON.ARRPOP", "d", "$.o.l"], False), (["JSON.TOGGLE", "d", "$.t"], True), (["JSON.MERGE", "d", "$", "{}"], True), (["JSON.GET", "d"], False)])
def test_effects(r, request_, expected):
    """What changes something is handed on as it was received, the rest is not."""
    r("JSON.SET", "d", "$", D)
    r.effects.clear()
    r(*request_)
    assert r.effects == ([" ".join(request_)] if expected else [])


def test_expiry_stays_and_copies_are_apart(r):
    r("JSON.SET", "d", "$", D)
    r("EXPIRE", "d", "100")
    r("JSON.SET", "d", "$", "[1]")
    assert r("TTL", "d") == 100
    assert r("COPY", "d", "e") == 1
    r("JSON.ARRAPPEND", "e", "$", "2")
    assert (r("JSON.GET", "d"), r("JSON.GET", "e")) == ("[1]", "[1,2]")
    assert r("RENAME", "e", "f") == "+OK" and r("JSON.GET", "f") == "[1,2]"


def test_depth(r):
    """Documents can't be made too deep step by step."""
    assert r("JSON.SET", "d", "$", "[" * 127 + "]" * 127) == "+OK"
    path = "$" + "[0]" * 126
    assert r("JSON.ARRAPPEND", "d", path, "[" * 100 + "]" * 100) == [1]
    assert r("JSON.ARRAPPEND", "d", path, "[" * 124 + "]" * 124) == "-recursion limit exceeded"
    assert r("JSON.SET", "d", path, "[" * 127 + "]" * 127) == "-recursion limit exceeded"
    assert r("JSON.GET", "d", "$", ".").startswith("{")
    r.session.db.value(b"d")._check()


def test_work_is_bounded(r):
    r("JSON.SET", "d", "$", "[" * 100 + "]" * 100)
    assert r("JSON.GET", "d", "$" + "..*" * 9).startswith("-ERR Path '$..*..*")
