"""Sequences of requests that nobody has thought of, sent to redis-server and to carnelian: the replies must be the same.

The requests are made of the arguments that redis-server's COMMAND DOCS lists for each command, with values from small pools, so
that keys, members and IDs meet each other; some requests are spoiled on purpose. Commands whose replies are a matter of chance
or of the clock are left out, or compared as far as they are determined (see `EXCLUDED`, `MODES` and `CLOSE`).

HYPOTHESIS_PROFILE=long looks for longer, and begins anew each time.
"""
import os
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .harness import Side, same, show
from .resp import CLOSED, NO_REPLY, Error, Map, Status, request

GROUPS = {"generic", "string", "list", "hash", "set", "sorted-set", "stream", "bitmap", "hyperloglog", "geo"}
EXCLUDED = set("""
    wait migrate restore dump randomkey spop scan
    object|freq object|idletime object|refcount object|encoding object|help xgroup|help xinfo|help xinfo|consumers xinfo|stream
    pfdebug pfselftest xgroup|createconsumer
""".split())
# Modes of comparison (tests/oracle/harness.py). The order in a set is nobody's business, and 7.0 writes scores with 17 digits.
MODES = {"keys": "%", "smembers": "%", "sinter": "%", "sunion": "%", "sdiff": "%", "hgetall": "%", "hkeys": "%", "hvals": "%",
         "sscan": "??", "hscan": "??", "zscan": "??",
         "srandmember": "??", "hrandfield": "??", "zrandmember": "??", "xpending": "?", "xinfo": "?"}
NUMBERS = ("z", "bz", "geo", "incrbyfloat", "hincrbyfloat")
# Replies that count from the clock: the same if they are this close.
CLOSE = {"ttl": 2, "pttl": 2000, "expiretime": 2, "pexpiretime": 2000}

# --- values --------------------------------------------------------------------------------------------------------

KEYS = {"string": "s1 s2 n1", "bitmap": "s1 s2 n1", "hyperloglog": "p1 p2", "list": "l1 l2", "hash": "h1 h2", "set": "e1 e2 e3",
        "sorted-set": "z1 z2 z3", "geo": "g1 g2", "stream": "x1 x2"}
KEYS = {group: [key.encode() for key in names.split()] for group, names in KEYS.items()}
EVERY_KEY = sorted({key for keys in KEYS.values() for key in keys} | {b"nothing", b"new"})
WORDS = [b"a", b"b", b"c", b"d", b"", b"1", b"2", b"10", b"-5", b"3.25", b"abc", b"\xff\x00\r\n", b"x" * 70]
INTEGERS = [b"0", b"1", b"2", b"3", b"-1", b"-2", b"5", b"100"]
ODD_INTEGERS = [b"", b"x", b"1.5", b" 1", b"01", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"-0", b"+1",
                b"4294967296", b"1e3"]
DOUBLES = [b"0", b"1", b"2", b"-1.5", b"3.25", b"1e3", b"inf", b"-inf", b"0.1", b"2"]
ODD_DOUBLES = [b"nan", b"x", b"", b"1e400", b"0x10", b" 1", b"-0", b"1e-320", b"+inf", b"infinity", b"1.5e"]
IDS = [b"1-1", b"2-0", b"3", b"5-5", b"0", b"7-*", b"9-1", b"-", b"+", b"(2-0", b"$", b">", b"x", b"1-x",
       b"18446744073709551615-18446744073709551615"]
SCORES = [b"0", b"1", b"(1", b"2", b"-inf", b"+inf", b"(2", b"3", b"x", b"[a", b"[b", b"(c", b"-", b"+"]
POOLS = {
    "group": [b"g", b"g", b"h", b"none"], "consumer": [b"c1", b"c2"], "id": IDS, "start": IDS, "end": IDS, "last-id": IDS,
    "lastid": IDS, "max-deleted-id": IDS, "min-idle-time": [b"0", b"0", b"99999999", b"x", b"-1"], "ms": [b"0", b"5000", b"-1", b"x"],
    "longitude": [b"13.4", b"13.5", b"-122", b"180", b"181", b"x", b"0"], "latitude": [b"52.5", b"52.6", b"37", b"85", b"86", b"0", b"x"],
    "radius": [b"100", b"1000", b"0", b"20000", b"-1", b"x"], "width": [b"100", b"5000", b"-1"], "height": [b"100", b"5000", b"x"],
    "encoding": [b"u8", b"i8", b"u4", b"i64", b"u63", b"u64", b"i5", b"u0", b"x"],
    "offset": [b"0", b"1", b"7", b"8", b"100", b"#1", b"-1", b"x", b"4294967295000"], "bit": [b"0", b"1", b"2", b"x"],
    "pattern": [b"*", b"?1", b"[a-l]*", b"a*", b"w_*", b"#", b"nosort", b"h1->*"], "cursor": [b"0", b"0", b"0", b"x"],
    "seconds": [b"1000", b"100000", b"0", b"-1", b"x", b"9223372036854775807"],
    "milliseconds": [b"1000000", b"90000000", b"0", b"-1", b"x", b"9223372036854775807"],
    "unix-time-seconds": [b"4102444800", b"1", b"0", b"-1", b"x", b"9223372036854775807"],
    "unix-time-milliseconds": [b"4102444800000", b"1", b"0", b"-1", b"x", b"9223372036854775807"],
    "db": [b"0", b"1", b"16", b"x"], "destination-db": [b"0", b"1", b"16", b"x"], "index": [b"0", b"1", b"-1", b"5", b"x"],
    "index1": [b"0"], "index2": [b"0"], "element": WORDS, "threshold": [b"0", b"1", b"2", b"5", b"3-0", b"-1", b"x"],
    "newkey": EVERY_KEY, "timeout": [b"0.001", b"0.001", b"0.002", b"-1", b"x", b""],
}
RANKS = INTEGERS + [b"0", b"-1", b"(1", b"x"]
LEXICAL = [b"-", b"+", b"[a", b"[b", b"(c", b"(a", b"[", b"(", b"a", b"", b"[d"]
BY_RANK = {"zrange", "zrevrange", "zremrangebyrank", "zrangestore"}
SCORE_NAMES = {"min", "max", "start", "stop", "end"}
# The sorted set of equal scores, for words on the order of members: in any other they give what nobody defines.
ALIKE = b"y"
ALSO_ALIKE = {"zrem", "zpopmin", "zpopmax", "zrange", "zrevrange", "zcard", "zrank", "zscore", "zremrangebyrank", "zcount", "type"}
TIMELESS = {"BLOCK", "IDLE", "TIME", "*", "AUTO2"}      # tokens that nobody says: they block, or ask the clock

# What the keys hold at the start.
BEGINNING = [line.encode().split() for line in """
    DISCARD
    UNWATCH
    FLUSHALL
    SELECT 0
    SET s1 abcdef
    SET s2 foobar
    SET n1 10
    PFADD p1 a b c
    PFADD p2 c d e
    RPUSH l1 a b c 1 2 10 a
    RPUSH l2 b
    HSET h1 a 1 b 2 c abc 1 3.25
    HSET h2 a x
    SADD e1 a b c d
    SADD e2 b c 1
    SADD e3 1 2 10
    ZADD z1 1 a 2 b 3 c 3.25 d
    ZADD z2 2 b 1 c 5 abc
    ZADD z3 0 a 0 b 0 c 0 d
    ZADD y 0 a 0 b 0 c 0 d 0 abc
    GEOADD g1 13.4 52.5 a 13.5 52.6 b -122 37 c
    GEOADD g2 13.4 52.5 a
    XADD x1 1-1 a 1
    XADD x1 2-0 a 2 b 3
    XADD x1 3-0 c 1
    XADD x2 5-5 a b
    XGROUP CREATE x1 g 0
    XGROUP CREATE x1 h 2-0
    XGROUP CREATE x2 g $
    XREADGROUP GROUP g c1 COUNT 2 STREAMS x1 >
    XGROUP CREATECONSUMER x1 g c2
""".strip().splitlines()]


# Settings that give small values the encodings of large ones.
LARGE = {"hash-max-listpack-entries": 1, "zset-max-listpack-entries": 0, "set-max-intset-entries": 1, "list-max-listpack-size": 2,
         "stream-node-max-entries": 2, "hll-sparse-max-bytes": 30}


# A request that a script says.
IN_SCRIPT = [b"EVAL", b"return redis.pcall(unpack(ARGV))", b"0"]


class Grammar:
    """The requests, by the tables of a redis-server: COMMAND DOCS."""

    def __init__(self, docs):
        self.commands = {}                              # full name -> (group, arguments)
        self.add(docs)

    def add(self, docs):
        for name, doc in docs.items():
            children = doc.get("subcommands")
            if children:
                self.add(children)
            elif doc["group"] in GROUPS and name not in EXCLUDED:
                self.commands[name] = doc["group"], doc.get("arguments", [])
        self.names = sorted(self.commands)

    def request(self, seed):
        """A request: always the same one for a seed."""
        draw = Random(seed)
        if draw.random() < 0.08:
            return draw.choice(([b"MULTI"], [b"EXEC"], [b"EXEC"], [b"DISCARD"], [b"WATCH", draw.choice(EVERY_KEY)], [b"UNWATCH"]))
        name = draw.choice(self.names)
        group, arguments = self.commands[name]
        words = [word.upper().encode() for word in name.split("|")]
        first = len(words)
        for argument in arguments:
            words += self.argument(draw, name, group, argument)
        words = mended(words)
        if draw.random() < 0.2:
            words = spoiled(draw, words, first)
        if name in ("zrank", "zrevrank"):
            words = words[:3]                           # WITHSCORE is of 7.2
        if name.startswith(("bl", "br", "bz")):         # 7.0 has these not in scripts
            return words
        return [*IN_SCRIPT, *words] if draw.random() < 0.06 else words

    def argument(self, draw, name, group, argument):
        flags = argument.get("flags", [])
        token = argument.get("token")
        if token in TIMELESS:
            return [b"4-4"] if token == "*" else []
        if "optional" in flags and draw.random() < 0.65:
            return []
        words = []
        for time in range(draw.choice((1, 1, 2, 3)) if "multiple" in flags else 1):
            if token is not None and (time == 0 or "multiple_token" in flags):
                words.append(token.encode())
            words += self.once(draw, name, group, argument)
        return words

    def once(self, draw, name, group, argument):
        kind = argument["type"]
        if kind == "pure-token":
            return []
        if kind == "oneof":
            choices = [child for child in argument["arguments"] if child.get("token") not in TIMELESS] or argument["arguments"]
            return self.argument(draw, name, group, draw.choice(choices))
        if kind == "block":
            return [word for child in argument["arguments"] for word in self.argument(draw, name, group, child)]
        return [self.value(draw, name, group, argument["name"], kind)]

    def value(self, draw, name, group, label, kind):
        if kind == "key":
            if name.startswith("sort"):
                return pick(draw, KEYS["list"], KEYS["list"] + [b"s1", b"h1", b"nothing"])     # a set has no order of its own
            if name.endswith("bylex") or name == "zlexcount" or (name in ALSO_ALIKE and draw.random() < 0.2):
                return ALIKE
            return pick(draw, KEYS["hyperloglog" if name.startswith("pf") else group] if group in KEYS else EVERY_KEY, EVERY_KEY)
        if group == "sorted-set" and label in SCORE_NAMES:
            return draw.choice(RANKS if name in BY_RANK else LEXICAL if "lex" in name else SCORES)
        if group != "stream" and label in ("start", "end", "id", "stop"):
            return pick(draw, INTEGERS, ODD_INTEGERS)
        if label in POOLS:
            # A string of SET that has expired already is there until somebody looks.
            return draw.choice([word for word in POOLS[label] if word != b"1" or name != "set"])
        if kind == "integer":
            return pick(draw, INTEGERS, ODD_INTEGERS)
        if kind == "double":
            return pick(draw, DOUBLES, ODD_DOUBLES)
        if kind == "unix-time":
            return draw.choice(POOLS["unix-time-milliseconds"])
        return pick(draw, WORDS, DOUBLES + ODD_INTEGERS)


def pick(draw, usual, odd):
    return draw.choice(odd if draw.random() < 0.07 else usual)


def spoiled(draw, words, first):
    """The request with a mistake, or in another case."""
    how = draw.randrange(4)
    at = draw.randrange(first, len(words) + 1)
    if how == 0:
        return words[:at] + [draw.choice(WORDS + ODD_INTEGERS + [b"COUNT", b"LIMIT", b"GET", b"NX", b"KEEPTTL"])] + words[at:]
    if at == len(words):
        return words
    changed = {1: [], 2: [draw.choice(EVERY_KEY + ODD_DOUBLES + WORDS)], 3: [words[at].lower()]}[how]
    return words[:at] + changed + words[at + 1:]


def mended(words):
    """A count of keys that fits what follows, or as many IDs as keys, where what was drawn hardly ever fits."""
    name = words[0]
    if b"STREAMS" in words:
        at = words.index(b"STREAMS") + 1
        keys = [word for word in words[at:] if word in KEYS["stream"] + [b"nothing"]]
        ids = [b"4" if word == b"+" else word for word in words[at:] if word not in keys]      # + is of 7.4
        return words[:at] + keys + [ids[n % len(ids)] for n in range(len(keys))]
    if name in (b"SORT", b"SORT_RO") and b"BY" in words and b"ALPHA" in words:
        at = words.index(b"BY")                         # among equal weights, texts have no order
        return [*words[:at + 1], b"nosort", *words[at + 2:]]
    if b"BYLEX" in words:
        at = 2 if name == b"ZRANGESTORE" else 1
        return [*words[:at], ALIKE, *words[at + 1:]]
    if name in (b"ZUNION", b"ZINTER", b"ZDIFF", b"ZINTERCARD", b"SINTERCARD", b"LMPOP", b"ZMPOP"):
        at = 1
    elif name in (b"BLMPOP", b"BZMPOP", b"ZUNIONSTORE", b"ZINTERSTORE", b"ZDIFFSTORE"):
        at = 2
    else:
        return words
    keys = 0
    while at + 1 + keys < len(words) and words[at + 1 + keys] in EVERY_KEY:
        keys += 1
    return [*words[:at], b"%d" % keys, *words[at + 1:]]


# --- comparison ----------------------------------------------------------------------------------------------------

# What 7.2 answers in another way than 7.0: name -> whether the replies may differ so. Of commands that change nothing.
UNBALANCED = b"ERR Unbalanced "
CHANGED = {
    "xread": lambda asked, given: type(asked) is Error and asked.startswith(UNBALANCED) and given.startswith(UNBALANCED),
    "xreadgroup": lambda asked, given: type(asked) is Error and asked.startswith(UNBALANCED) and given.startswith(UNBALANCED),
    # The arguments are looked at first, before the key.
    "bitcount": lambda asked, given: asked == 0 or type(asked) is Error,
    "lpos": lambda asked, given: given.startswith(b"ERR value is out of range, value must between"),
}


def agree(words, asked, given):
    """Whether two replies to a request are the same, as far as they are determined."""
    if words[:3] == IN_SCRIPT:
        words = words[3:]
    name = words[0].decode("latin-1").lower()
    if type(asked) is type(given) is Error and asked.startswith(b"ERR timeout is ") and given == b"ERR timeout is out of range":
        return True
    if name in CHANGED and type(given) is Error and CHANGED[name](asked, given):
        return True
    if name in CLOSE and type(asked) is type(given) is int and asked >= 0 and given >= 0:
        return abs(asked - given) <= CLOSE[name]
    mode = MODES.get(name, "")
    if name.startswith(NUMBERS):
        mode += "~"
    return same(asked, given, mode)


def run(both, commands):
    """Sends the requests in one pipeline to both, and fails at the first reply that differs."""
    __tracebackhide__ = True
    commands = BEGINNING + commands + [[b"DISCARD"], [b"SELECT", b"0"], [b"DEBUG", b"DIGEST"]]
    data = b"".join(map(request, commands))
    for side in both.sides:
        side.client(1).send_raw(data)
    failure = None
    queued = []                                         # since MULTI
    for at, words in enumerate(commands):
        replies = [side.client(1).read() for side in both.sides]
        if failure is None and len(replies) == 2:
            asked, given = replies
            if words == [b"EXEC"] and type(asked) is type(given) is list and len(asked) == len(given) == len(queued):
                alike = all(map(agree, queued, asked, given))
            else:
                alike = agree(words, asked, given) and asked is not CLOSED and asked is not NO_REPLY
            if not alike:
                failure = at, words, replies
            queued = queued + [words] if asked == Status(b"QUEUED") else queued if isinstance(asked, Error) else []
    if failure is not None:
        at, words, replies = failure
        before = "\n".join("    " + " ".join(show(word, 200) for word in w) for w in commands[len(BEGINNING):at])
        both._fail(at + 1, f"{show(words)}, after\n{before}", redis=replies[0], carnelian=replies[1])


LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"


@pytest.fixture(scope="module")
def grammar(oracle_server):
    def text(reply):
        if isinstance(reply, Map):
            return {text(key): text(value) for key, value in reply}
        if isinstance(reply, list):
            return [text(value) for value in reply]
        return reply.decode() if isinstance(reply, (bytes, Status)) else reply

    side = Side(oracle_server)
    side.resp = 3
    docs = text(side.client(1)("COMMAND", "DOCS"))
    side.close_clients()
    return Grammar(docs)


@pytest.mark.parametrize("encodings", ["small", "large"])
def test_random_requests(both, grammar, encodings):
    if encodings == "large":
        for name, value in LARGE.items():
            both(f"CONFIG SET {name} {value}")

    @settings(max_examples=20000 if LONG else 500, derandomize=not LONG, deadline=None, database=None,
              suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink])
    @given(st.lists(st.integers(0, 2**40).map(grammar.request), min_size=3, max_size=60))
    def test(commands):
        run(both, commands)

    test()
