"""Access control inside an engine: marks of sessions, checks, the log, the secrecy of passwords."""
import pytest
from hypothesis import given, strategies as st

import carnelian.server.words                       # declares them
from carnelian.base.glob import matches
from carnelian.engine import Engine
from carnelian.engine.acl import AccessControl
from carnelian.engine.acl_log import TOGETHER, DenialLog
from carnelian.engine.acl_rules import ABSENT, READ, WRITE, RuleError, Selector, User, find, gathered, hashed, touched
from carnelian.keyspace import Session
from carnelian.keyspace.categories import CATEGORIES, categories
from carnelian.keyspace.declaration import registry
from carnelian.keyspace.key_access import keys_of
from tests.oracle.resp import Error, Parser, request


class Side:
    """An engine with a session: `side("GET", "k")`, or another's by `side.ask(session, ...)`."""

    def __init__(self):
        self.engine = Engine()
        self.session = self.attach()

    def attach(self):
        session = Session(self.engine.store.databases[0])
        self.engine.attach(session)
        return session

    def ask(self, session, *words):
        session.reader.feed(request(words))
        self.engine.begin_batch()
        self.engine.drain(session)
        self.engine.end_batch()
        parser = Parser()
        parser.feed(session.writer.take())
        return parser.next()

    def __call__(self, *words):
        return self.ask(self.session, *words)


@pytest.fixture
def side():
    return Side()


def user_of(*rules):
    user = User(b"u")
    for rule in gathered([rule.encode() for rule in rules]):
        user.apply(rule)
    return user


def denied(user, line):
    words = tuple(line.encode().split())
    declared = find(words[0].decode().lower())
    if declared.subcommands:
        declared = declared.subcommands[words[1].decode().lower()]
    return user.denial(declared, words)


# ---- rules

def test_names_that_are_not_here():
    assert not [name for name in ABSENT if find(name) is not None]
    selector = Selector()
    selector.apply(b"+cluster|meet")
    selector.apply(b"-psync")
    assert selector.command_rules() == b"-@all +cluster|meet -psync"
    with pytest.raises(RuleError):
        selector.apply(b"+cluster|nosuch")


NAMES = ["get", "set", "config|get", "config|set", "client|id", "select", "object|freq", "publish", "auth"]
RULES = NAMES + ["config", "client", "select|0", "select|1", "get|a"] + ["@" + name for name in CATEGORIES]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(RULES)), max_size=8), st.booleans(), st.sampled_from(NAMES))
def test_the_last_rule_decides(rules, base, name):
    selector = Selector()
    selector.apply(b"+@all" if base else b"-@all")
    allowed, arguments = base, set()
    declared = find(name)
    parent = name.partition("|")[0]
    groups = {"@" + group for group in categories(declared) + categories(find(parent))}
    for allow, rule in rules:
        command, bar, argument = rule.partition("|")
        first_argument = bar and find(rule) is None
        if first_argument and not allow:
            with pytest.raises(RuleError):
                selector.apply(b"-" + rule.encode())
            continue
        selector.apply((b"+" if allow else b"-") + rule.encode())
        if rule in (name, parent) or rule in groups:
            allowed, arguments = allow, set()
        elif first_argument and command == name:
            arguments.add(argument.encode())
    assert selector.verdict(name) == (True if allowed else frozenset(arguments) or False)
    names = [rule.lstrip("+-") for rule in selector.command_rules().decode().split()]
    assert len(names) == len(set(names))


@given(st.lists(st.tuples(st.sampled_from(["R", "W", "RW"]), st.sampled_from(["a", "b", "a*", "?", "[ab]c", "x:*"])), max_size=4),
       st.sampled_from([b"a", b"b", b"ac", b"bc", b"x:1", b""]), st.integers(0, READ | WRITE))
def test_keys_by_their_patterns(patterns, key, needs):
    selector = Selector()
    granted = {}
    for letters, pattern in patterns:
        selector.apply(f"%{letters}~{pattern}".encode())
        granted[pattern] = granted.get(pattern, 0) | ("R" in letters) * READ | ("W" in letters) * WRITE
    assert selector.allows_key(key, needs) == any(
        access & needs == needs and matches(pattern.encode(), key) for pattern, access in granted.items())


def test_what_is_told_of_several_selectors():
    user = user_of("+get", "~a", "(+get ~b)", "(+set ~c)", "(+publish &d)")
    assert denied(user, "GET a") is None and denied(user, "GET b") is None and denied(user, "SET c 1") is None
    assert denied(user, "DEL a") == (1, 0)
    assert denied(user, "GET c") == (2, 1)
    assert denied(user, "SET b 1") == (2, 1)
    assert denied(user, "PUBLISH d m") is None
    assert denied(user, "PUBLISH e m") == (3, 1)
    user = user_of("(+mget ~a ~b)", "(+mget ~a ~c)")
    assert denied(user, "MGET a c b") == (2, 3)


def test_unlimited_users():
    for rules in (["+@all", "~*", "&*"], ["allcommands", "allkeys", "allchannels"], ["(~* +@all &*)"], ["-get", "(~* +@all &*)"]):
        assert user_of(*rules).is_unlimited
    for rules in ([], ["+@all", "~*"], ["+@all", "~*", "&*", "-get"], ["+@all", "&*"], ["+@all", "&*", "%RW~*"]):
        assert not user_of(*rules).is_unlimited


def test_keys_of_words_that_are_not_right():
    """Where keys can't be found the command itself refuses."""
    side = Side()
    for line in ("ZUNIONSTORE d 5 a b", "ZUNION x a", "BLMPOP 0 3 a LEFT", "ZUNION -1 a"):
        words = tuple(line.encode().split())
        assert touched(find(words[0].decode().lower()), words) == []
        assert isinstance(side(*words), Error)


@given(st.data())
def test_damaged_requests_do_not_raise(data):
    """Whatever the words are, a check has an answer."""
    user = user_of("+@all", "~k", "&c")
    declared = find(data.draw(st.sampled_from("set bitfield sort georadius georadiusbymember xread xreadgroup zunionstore blmpop "
                                              "mset publish subscribe spublish copy migrate lmpop zinter".split())))
    words = data.draw(st.lists(st.sampled_from([b"", b"k", b"1", b"-1", b"2", b"999999999999999999999", b"STORE", b"GET", b"STREAMS", b"BY", b"LIMIT",
                                                b"GROUP", b"COUNT", b"KEYS", b"OVERFLOW", b"\xff"]), max_size=9))
    if len(words) + 1 < abs(declared.arity):
        return
    denial = user.denial(declared, (declared.name.encode(), *words))
    assert denial is None or 0 <= denial[1] <= len(words)


# ---- sessions

def limited(side, *rules, name="u"):
    assert side("ACL", "SETUSER", name, "reset", "on", "nopass", *rules) == b"OK"
    session = side.attach()
    assert side.ask(session, "AUTH", name, "x") == b"OK"
    return session


def test_marks(side):
    acl = side.engine.acl
    session = limited(side, "+@all", "~*", "&*")
    assert acl.denial(session, side.engine.commands[b"get"], (b"GET", b"k")) is None
    side("SET", "k", "1")
    for _ in range(3):
        assert side.ask(session, "GET", "k") == b"1"
        side("ACL", "SETUSER", "u", "-get")
        assert side.ask(session, "GET", "k") == Error(b"NOPERM User u has no permissions to run the 'get' command")
        side("ACL", "SETUSER", "u", "+get", "resetkeys")
        assert side.ask(session, "GET", "k") == Error(b"NOPERM No permissions to access a key")
        assert side("GET", "k") == b"1"
        side("ACL", "SETUSER", "u", "+@all", "allkeys")
    assert side.ask(session, "AUTH", "default", "") == b"OK"
    side("ACL", "SETUSER", "u", "-@all")
    assert side.ask(session, "GET", "k") == b"1"


def test_a_session_without_rights_may_do_everything(side):
    session = limited(side, "+get")
    assert isinstance(side.ask(session, "SET", "k", "1"), Error)
    session.rights = None
    side.engine.acl.mark(session)
    assert side.ask(session, "SET", "k", "1") == b"OK"


def test_scripts_ask_too(side):
    session = limited(side, "+get", "~k")
    acl, bound = side.engine.acl, side.engine.commands[b"get"]
    assert acl.check(session, bound, (b"GET", b"k"), "lua") is None
    assert acl.check(session, bound, (b"GET", b"x"), "lua") == "ERR ACL failure in script: No permissions to access a key"
    assert acl.denial(session, bound, (b"GET", b"x")) == (2, 1)
    entry = side("ACL", "LOG")[0]
    assert entry[1:10:2] == [1, b"key", b"lua", b"x", b"u"] and len(side("ACL", "LOG")) == 1
    assert acl.denied == {"auth": 0, "cmd": 0, "key": 1, "channel": 0}


def test_passwords_are_compared_to_the_end(monkeypatch):
    compared = []
    user = user_of("on", ">one", ">two", ">three")
    monkeypatch.setattr("carnelian.engine.acl_rules.hmac.compare_digest", lambda known, given: compared.append(known) or known == given)
    assert user.accepts(b"one") and not user.accepts(b"four")
    assert compared == 2 * [hashed(word) for word in (b"one", b"two", b"three")]
    user.apply(b"off")
    assert not user.accepts(b"one")


def test_a_failed_rule_changes_nothing(side):
    side("ACL", "SETUSER", "u", "on", ">p", "+get", "~a")
    before = side("ACL", "LIST")
    assert isinstance(side("ACL", "SETUSER", "u", "off", "resetpass", "allkeys", "+@all", "(+set)", "+nosuch"), Error)
    assert isinstance(side("ACL", "SETUSER", "v", "on", "~a b"), Error)
    assert side("ACL", "LIST") == before


def test_a_default_user_that_is_limited(side):
    side("ACL", "SETUSER", "default", "-set")
    assert side("SET", "k", "1") == Error(b"NOPERM User default has no permissions to run the 'set' command")
    other = side.attach()
    assert isinstance(side.ask(other, "SET", "k", "1"), Error)
    side("ACL", "SETUSER", "default", "+@all")
    assert side.ask(other, "SET", "k", "1") == b"OK"


def test_nothing_is_propagated(side):
    said = []
    side.engine.store.sinks = [lambda index, words: said.append(words)]
    for words in (("ACL", "SETUSER", "u", "on"), ("ACL", "DELUSER", "u"), ("ACL", "GENPASS"), ("ACL", "LOG", "RESET")):
        side(*words)
    assert said == []


# ---- the log

@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, TOGETHER)), max_size=12))
def test_entries_of_the_log(refusals):
    log = DenialLog(3)
    model = []                              # [reason, thing, count, first time, last time], newest first
    now = 1000000
    for reason, thing, later in refusals:
        now += later
        log.add(reason, "toplevel", thing.encode(), b"u", b"", now)
        same = next((entry for entry in model if entry[:2] == [reason, thing] and now - entry[4] <= TOGETHER), None)
        if same:
            model.remove(same)
            same[2] += 1
            same[4] = now
        model.insert(0, same or [reason, thing, 1, now, now])
        del model[3:]
    assert [[e.reason, e.thing.decode(), e.count, e.created, e.updated] for e in log.entries] == model
    assert len({entry.number for entry in log.entries}) == len(log.entries)


def test_a_log_of_no_length(side):
    side.engine.acl.log.set_longest(0)
    assert isinstance(side("AUTH", "nobody", "x"), Error)
    assert side("ACL", "LOG") == []
    assert isinstance(side.engine.acl, AccessControl) and side.engine.acl.denied["auth"] == 1


@given(st.sampled_from(sorted(name for name, declared in registry.items() if declared.function is not None)), st.integers(0, 9))
def test_fixed_places_are_those_of_the_specs(name, more):
    declared = registry[name]
    words = (name.encode(), *(b"%d" % number for number in range(1, more + 1)))
    if len(words) < abs(declared.arity):
        return
    try:
        expected = [at for at, _ in keys_of(declared, words)]
    except ValueError:
        expected = []
    assert [at for at, _ in touched(declared, words)] == expected
