"""COMMAND against the oracle, for the words that both have."""
import pytest

from tests.keyspace.test_usage import text

# Commands in 7.2 that 7.0's tables describe otherwise: (name, what).
CHANGED = {("command|getkeys", "arity"), ("command|getkeysandflags", "arity"),
           ("wait", "flags"), ("wait", "categories"),           # 7.2: blocking, and allowed in scripts
           ("zrank", "arity"), ("zrevrank", "arity"),           # WITHSCORE
           # 7.2: allowed in scripts, where they don't wait
           *((name, "flags") for name in ("blmove", "blpop", "brpop", "brpoplpush", "bzpopmax", "bzpopmin"))}


def test_subcommands(both):
    both("""
        COMMAND FOO
        COMMAND COUNT x
        COMMAND LIST a
        COMMAND LIST FILTERBY
        COMMAND LIST FILTERBY x y
        COMMAND LIST FILTERBY MODULE foo
        COMMAND LIST FILTERBY ACLCAT nosuch
        % COMMAND LIST FILTERBY ACLCAT transaction
        % COMMAND LIST FILTERBY PATTERN XGR*
        % COMMAND LIST FILTERBY PATTERN config|*t
        ? COMMAND COUNT
        ?? COMMAND LIST
        ?? COMMAND HELP
        COMMAND INFO nosuch xgroup|nosuch
        COMMAND DOCS nosuch
        ?? COMMAND DOCS
    """)


def test_getkeys(both):
    both("""
        COMMAND GETKEYS
        COMMAND GETKEYS get a
        COMMAND GETKEYS nosuch a
        COMMAND GETKEYS get a b
        COMMAND GETKEYS zunion 4 a b
        COMMAND GETKEYS zunion x a b
        COMMAND GETKEYS zunion 0 a
        COMMAND GETKEYS zunionstore d 0
        COMMAND GETKEYS xread a b c
        COMMAND GETKEYS xread count 2 streams a b 0 0
        COMMAND GETKEYS sort a store b
        COMMAND GETKEYS sort a by store limit 0 1 store c get x desc store b
        COMMAND GETKEYS mset a 1 b 2
        COMMAND GETKEYS config get a
        COMMAND GETKEYS object encoding a
        COMMAND GETKEYS object nosuch a
        COMMAND GETKEYS spublish a b
        COMMAND GETKEYS blpop a b 0
        COMMAND GETKEYS lcs a b
        COMMAND GETKEYS blmpop 0 2 a b left
        COMMAND GETKEYS xgroup create s g $
        COMMAND GETKEYSANDFLAGS get a
        COMMAND GETKEYSANDFLAGS set a b
        COMMAND GETKEYSANDFLAGS set a b get
        COMMAND GETKEYSANDFLAGS lmove a b left right
        COMMAND GETKEYSANDFLAGS sort a store b
        COMMAND GETKEYSANDFLAGS ssubscribe a
        COMMAND GETKEYSANDFLAGS sinterstore a b c
        = COMMAND GETKEYS ping -> -ERR The command has no key arguments
        = COMMAND GETKEYS get -> -ERR Invalid number of arguments specified for command
    """)


def flatten(rows):
    for row in rows:
        yield row
        yield from flatten(row[9])


def in_any_order(value):
    """Sorted at every level, so that sets compare; without the notes of key specs, which are prose."""
    if isinstance(value, list):
        if value and value[0] == "notes":
            value = value[2:]
        return sorted(map(in_any_order, value), key=repr)
    if isinstance(value, dict):
        return {key: in_any_order(item) for key, item in value.items() if key != "notes"}
    return value


@pytest.mark.parametrize("part, at", [("arity", [1]), ("flags", [2]), ("first, last and step", [3, 4, 5]), ("categories", [6]),
                                      ("tips", [7]), ("key specs", [8])])
def test_info(both, part, at):
    """What COMMAND says of each word that both have."""
    oracle, ours = ({row[0]: row for row in flatten(text(side.client(1)("COMMAND")))} for side in both.sides)
    wrong = []
    for name in sorted(set(oracle) & set(ours)):
        a, b = (in_any_order([rows[name][i] for i in at]) for rows in (oracle, ours))
        if a != b and (name, part) not in CHANGED:
            wrong.append(f"{name}: {b}, Redis has {a}")
    assert not wrong, "\n".join(wrong)


def test_docs(carnelian):
    """Every word has a summary, a version and a group, and its arguments have what clients read."""
    client = carnelian.client(1)
    client("HELLO", "3")

    def check(name, doc):
        assert doc["summary"] and doc["since"] and doc["group"], name
        for argument in doc.get("arguments", []):
            check_argument(name, argument)
        for child, child_doc in doc.get("subcommands", {}).items():
            assert child.startswith(name + "|")
            check(child, child_doc)

    def check_argument(name, argument):
        assert argument["name"] and argument["type"] in (
            "string", "integer", "double", "key", "pattern", "unix-time", "pure-token", "oneof", "block"), (name, argument)
        assert ("arguments" in argument) == (argument["type"] in ("oneof", "block")), (name, argument)
        for child in argument.get("arguments", []):
            check_argument(name, child)

    docs = text(client("COMMAND", "DOCS"))
    assert len(docs) == client("COMMAND", "COUNT")
    for name, doc in docs.items():
        check(name, doc)
    assert text(client("COMMAND", "DOCS", "GET"))["get"]["arguments"] == [
        {"name": "key", "type": "key", "display_text": "key", "key_spec_index": 0}]


@pytest.mark.parametrize("resp", [3], indirect=True)
def test_deprecated_words(both):
    """The same words are deprecated as in Redis, and since the same versions; QUIT since 7.2."""
    def marks(side):
        found = {}
        pending = list(text(side.client(1)("COMMAND", "DOCS")).items())
        while pending:
            name, doc = pending.pop()
            found[name] = (sorted(doc.get("doc_flags", [])), doc.get("deprecated_since"))
            assert ("replaced_by" in doc) == ("deprecated_since" in doc)
            pending += doc.get("subcommands", {}).items()
        return found

    theirs, ours = (marks(side) for side in both.sides)
    assert [name for name in theirs if name in ours and name != "quit" and theirs[name] != ours[name]] == []
