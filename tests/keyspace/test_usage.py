"""The usage parser against the oracle: usage lines written from the trees of COMMAND DOCS are parsed back, and give the arity
and the key specs of COMMAND INFO and the tree they came from."""
import pytest

from carnelian.keyspace.usage import Usage
from tests.oracle.harness import Side
from tests.oracle.resp import Map


def text(reply):
    if isinstance(reply, Map):
        return {text(key): text(value) for key, value in reply}
    if isinstance(reply, list):
        return [text(value) for value in reply]
    return reply.decode() if isinstance(reply, bytes) else reply


@pytest.fixture(scope="module")
def tables(oracle_server):
    """(COMMAND INFO by full name, arguments of COMMAND DOCS by full name)"""
    side = Side(oracle_server)
    side.resp = 3
    client = side.client(1)
    infos, arguments = {}, {}

    def add_info(rows):
        for row in rows:
            infos[row[0]] = row
            add_info(row[9])

    def add_docs(docs):
        for name, doc in docs.items():
            arguments[name] = doc.get("arguments", [])
            add_docs(doc.get("subcommands", {}))

    add_info(text(client("COMMAND")))
    add_docs(text(client("COMMAND", "DOCS")))
    side.close_clients()
    return infos, arguments


# ---- a tree of COMMAND DOCS written as a usage line

def line(argument):
    flags = argument.get("flags", [])
    token = argument.get("token") or ('""' if "token" in argument else None)
    if argument["type"] == "pure-token":
        core = token
    elif argument["type"] == "oneof":
        core = " | ".join(map(line, argument["arguments"]))
        if not ("optional" in flags and token is None and "multiple" not in flags):
            core = f"<{core}>"
    elif argument["type"] == "block":
        core = " ".join(map(line, argument["arguments"]))
    else:
        core = argument["name"]
    whole = f"{token} {core}" if token is not None and argument["type"] != "pure-token" else core
    if "multiple" in flags:
        whole = f"{whole} [{whole if 'multiple_token' in flags else core} ...]"
    return f"[{whole}]" if "optional" in flags else whole


def usage_line(name, arguments):
    return " ".join([name.replace("|", " ").upper(), *map(line, arguments)])


# ---- both trees in one form: what a usage line can't tell is dropped

def normal(type, name, token, flags, children, index):
    """(type, name, token, flags, children, key spec). Names of choices, blocks and tokens are free; a block without a token or a
    flag is its children; one that has a single child is that child."""
    flat = []
    for child in children:
        if child[0] == "block" and child[2] is None and not child[3] and type != "oneof":
            flat += child[4]
        else:
            flat.append(child)
    if type in ("block", "oneof") and len(flat) == 1 and not (token is not None and flat[0][2] is not None):
        only = flat[0]
        return (only[0], only[1], token if only[2] is None else only[2], tuple(sorted({*flags, *only[3]})), only[4], only[5])
    if type in ("block", "oneof", "pure-token"):
        name = None
    return type, name, token, tuple(sorted(flags)), tuple(flat), index


def of_oracle(argument):
    return normal(argument["type"], argument["name"], argument.get("token"), argument.get("flags", []),
                  [of_oracle(child) for child in argument.get("arguments", [])], argument.get("key_spec_index"))


def of_usage(argument):
    return normal(argument.type, argument.name, argument.token, argument.flags, [of_usage(child) for child in argument.children],
                  argument.key_spec_index)


def tree(arguments):
    return normal("block", "", None, ["all"], arguments, None)[4]


def specs_of_oracle(row):
    found = []
    for spec in row[8]:
        begin, find = spec["begin_search"], spec["find_keys"]
        found.append(((begin["type"], *begin["spec"].values()), (find["type"], *find["spec"].values())))
    return found


# Where 7.0's tree and arity disagree, so that the line of the tree can't tell it (7.2 writes most of these lines otherwise).
ARITY_BY_HAND = {"quit", "geohash", "geopos", "pfmerge", "command|getkeys", "command|getkeysandflags", "psync", "replconf", "debug",
                 "client|kill"}
# A token before an optional word, or before a pair and an optional word: the line does not tell which of the words it is part of.
TREE_BY_HAND = {"failover", "xinfo|stream", "geosearch", "geosearchstore"}


def test_arity(tables):
    infos, arguments = tables
    wrong = []
    for name, tree_ in arguments.items():
        usage = usage_line(name, tree_)
        if Usage(usage).arity != infos[name][1] and name not in ARITY_BY_HAND:
            wrong.append(f"{usage}: {Usage(usage).arity}, not {infos[name][1]}")
    assert not wrong, "\n".join(wrong)


def test_key_specs(tables):
    infos, arguments = tables
    wrong = []
    for name, tree_ in arguments.items():
        usage = Usage(usage_line(name, tree_))
        found = [(spec.begin, spec.find) for spec in usage.key_specs]
        expected = specs_of_oracle(infos[name])
        if found != expected or list(usage.legacy) != infos[name][3:6]:
            wrong.append(f"{usage.line}: {found}, not {expected}; {usage.legacy}, not {infos[name][3:6]}")
    assert not wrong, "\n".join(wrong)


def test_trees(tables):
    _, arguments = tables
    wrong = []
    for name, tree_ in arguments.items():
        usage = Usage(usage_line(name, tree_))
        found, expected = tree([of_usage(a) for a in usage.arguments]), tree([of_oracle(a) for a in tree_])
        if found != expected and name not in TREE_BY_HAND:
            wrong.append(f"{usage.line}:\n   {found}\n   {expected}")
    assert not wrong, "\n".join(wrong)


# Lines as 7.2 writes them.
LINES = {
    "SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL]": -3,
    "GEOHASH key [member [member ...]]": -2,
    "COMMAND GETKEYS command [arg [arg ...]]": -3,
    "COMMAND": -1,
    "XGROUP": -2,
    "LCS key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]": -3,
    "XADD key [NOMKSTREAM] [<MAXLEN | MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...]": -5,
    "HELLO [protover [AUTH username password] [SETNAME clientname]]": -1,
    "BITFIELD_RO key [GET encoding offset [GET encoding offset ...]]": -2,
    "LINSERT key <BEFORE | AFTER> pivot element": 5,
}


@pytest.mark.parametrize("line", LINES)
def test_lines(line):
    usage = Usage(line)
    assert usage.arity == LINES[line]
    lengths = [a.length() for a in usage.arguments]
    assert usage.names + sum(n for n, _ in lengths) == abs(usage.arity) or usage.name in ("command", "xgroup")


@pytest.mark.parametrize("line", ["SET key [NX | XX", "SET key NX]", "SET <key", "SET key [...]"])
def test_a_line_that_cannot_be_read(line):
    with pytest.raises(ValueError):
        Usage(line).arguments


def keys(line, request):
    words = request.encode().split()
    return [words[at].decode() for at in Usage(line).keys(words)]


def test_keys():
    assert keys("GET key", "GET a") == ["a"]
    assert keys("MSET key value [key value ...]", "MSET a 1 b 2") == ["a", "b"]
    assert keys("BLPOP key [key ...] timeout", "BLPOP a b 0") == ["a", "b"]
    assert keys("SMOVE source destination member", "SMOVE a b c") == ["a", "b"]
    assert keys("LCS key1 key2 [LEN]", "LCS a b LEN") == ["a", "b"]
    assert keys("ZUNIONSTORE destination numkeys key [key ...] [WITHSCORES]", "ZUNIONSTORE d 2 a b WITHSCORES") == ["d", "a", "b"]
    xread = "XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]"
    assert keys(xread, "XREAD COUNT 2 streams a b 0 0") == ["a", "b"]
    assert keys("XGROUP CREATE key group <id | $> [MKSTREAM]", "XGROUP CREATE s g $") == ["s"]
    sort = ("SORT key [BY pattern] [LIMIT offset count] [GET pattern [GET pattern ...]] [ASC | DESC] [ALPHA] "
            "[STORE destination]")
    assert keys(sort, "SORT a BY STORE LIMIT 0 1 STORE b GET STORE STORE c") == ["a", "c"]
    assert keys("PING [message]", "PING x") == []
    with pytest.raises(ValueError):
        keys("ZUNION numkeys key [key ...]", "ZUNION 3 a b")
    with pytest.raises(ValueError):
        keys("ZUNION numkeys key [key ...]", "ZUNION x a b")


def test_access_of_keys():
    rename = Usage("RENAME key newkey", "RW ACCESS DELETE, OW UPDATE")
    assert [spec.flags for spec in rename.key_specs] == [["RW", "access", "delete"], ["OW", "update"]]
    assert [spec.flags for spec in Usage("SSUBSCRIBE shardchannel [shardchannel ...]").key_specs] == [["not_key"]]
