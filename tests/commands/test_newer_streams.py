"""Words and options on streams that came after Redis 7.2: XDELEX, XACKDEL, policies of trimming, XREADGROUP CLAIM, XREAD +."""
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.resp import NULL_ARRAY


@pytest.fixture
def r(carnelian_server, carnelian):
    with redis.Redis(port=carnelian_server.port, socket_timeout=5, decode_responses=True, protocol=2) as client:
        yield client


@pytest.fixture
def stream(r):
    """Entries 1-0 to 5-0; group a has delivered 1 to 4 and acknowledged 1, group b has delivered 1 to 3 and acknowledged 2."""
    for number in range(1, 6):
        r.xadd("s", {"n": number}, id=f"{number}-0")
    r.xgroup_create("s", "a", 0)
    r.xgroup_create("s", "b", 0)
    r.xreadgroup("a", "one", {"s": ">"}, count=4)
    r.xreadgroup("b", "two", {"s": ">"}, count=3)
    r.xack("s", "a", "1-0")
    r.xack("s", "b", "2-0")
    return r


def there(r):
    return [id[0] for id, _ in r.xrange("s")]


def pending(r, group):
    return [entry["message_id"][0] for entry in r.xpending_range("s", group, "-", "+", 100)]


# --- deletion ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("policy, reply, left, in_a, in_b", [
    ("KEEPREF", [1, 1, 1, 1, -1], "3", "234", "13"),
    ("DELREF", [1, 1, 1, 1, -1], "3", "3", "3"),
    ("ACKED", [2, 2, 2, 2, -1], "12345", "234", "13"),
])
def test_xdelex(stream, policy, reply, left, in_a, in_b):
    assert stream.xdelex("s", "1-0", "2-0", "4-0", "5", "9-0", ref_policy=policy) == reply
    assert (there(stream), pending(stream, "a"), pending(stream, "b")) == tuple(map(list, (left, in_a, in_b)))


def test_xdelex_acked(stream):
    stream.xack("s", "a", "2-0", "4-0")
    # 2-0 is acknowledged by both; b has 1-0 pending, and 4-0 still to deliver
    assert stream.xdelex("s", "1-0", "2-0", "4-0", ref_policy="ACKED") == [2, 1, 2]
    assert there(stream) == list("1345")
    stream.xgroup_destroy("s", "b")
    assert stream.xdelex("s", "1-0", "4-0", "5-0", ref_policy="ACKED") == [1, 1, 2]
    stream.xgroup_destroy("s", "a")
    assert stream.xdelex("s", "3-0", "5-0", ref_policy="ACKED") == [1, 1] and stream.xlen("s") == 0
    assert stream.exists("s")


def test_references_that_dangle(stream):
    """DELREF clears them even where the entry is gone already."""
    stream.xdel("s", "2-0", "3-0")
    assert stream.xdelex("s", "2-0", "3-0") == [-1, -1] and pending(stream, "a") == list("234")
    assert stream.xdelex("s", "2-0", "3-0", ref_policy="DELREF") == [-1, -1]
    assert pending(stream, "a") == ["4"] and pending(stream, "b") == ["1"]


@pytest.mark.parametrize("policy, reply, left, in_a, in_b", [
    ("KEEPREF", [-1, 1, 1, -1], "145", "4", "13"),
    ("DELREF", [-1, 1, 1, -1], "145", "4", "1"),
    ("ACKED", [-1, 1, 2, -1], "1345", "4", "13"),
])
def test_xackdel(stream, policy, reply, left, in_a, in_b):
    assert stream.xackdel("s", "a", "1-0", "2-0", "3-0", "9-0", ref_policy=policy) == reply
    assert (there(stream), pending(stream, "a"), pending(stream, "b")) == tuple(map(list, (left, in_a, in_b)))


def test_xackdel_of_what_is_gone(stream):
    assert stream.xackdel("s", "a", "3-0") == [1]
    assert stream.xackdel("s", "b", "3-0") == [1]           # acknowledged, though another has deleted it
    assert stream.xackdel("s", "b", "3-0") == [-1]
    assert stream.xackdel("s", "nothing", "1-0", "2-0") == [-1, -1] == stream.xackdel("nothing", "a", "1-0", "2-0")
    assert stream.xdelex("nothing", "1-0") == [-1]


@pytest.mark.parametrize("arguments, error", [
    ("IDS 1", "wrong number of arguments"), ("KEEPREF IDS", "wrong number of arguments"),
    ("IDS x 1-1", "ERR Number of IDs must be a positive integer"), ("IDS 0 1-1", "ERR Number of IDs must be a positive integer"),
    ("IDS -1 1-1", "ERR Number of IDs must be a positive integer"), ("IDS 1 x", "ERR Invalid stream ID specified as stream command"),
    ("IDS 3 1-1 2-2", "ERR The `numids` parameter must match the number of arguments"),
    ("IDS 1 1-1 2-2", "ERR syntax error"), ("KEEPREF DELREF IDS 1 1-1", "ERR syntax error"),
    ("ACKED ACKED IDS 1 1-1", "ERR syntax error"), ("NOTHING IDS 1 1-1", "ERR syntax error"),
    ("KEEPREF 1-1 2-2", "ERR syntax error"), ("IDS 1 1-1 IDS 1 1-1", "ERR syntax error"), ("IDS 1 1-1 DELREF IDS", "ERR syntax error"),
])
def test_deletion_refuses(ask, arguments, error):
    ask("XADD s 1-1 f v")
    ask("XGROUP CREATE s g 0")
    for word in ("XDELEX s", "XACKDEL s g"):
        assert error.encode() in ask(f"{word} {arguments}")
    ask("SET k v")
    assert ask("XDELEX k IDS 1 1-1").startswith(b"WRONGTYPE") and ask("XACKDEL k g IDS 1 1-1").startswith(b"WRONGTYPE")
    assert ask("XDELEX s IDS 1 1-1 ACKED") == [2]           # the policy may stand behind


# --- trimming ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("options, cut, left, in_a, in_b", [
    ("MAXLEN 2", 3, "45", "234", "13"), ("MAXLEN 2 KEEPREF", 3, "45", "234", "13"), ("MAXLEN 2 DELREF", 3, "45", "4", ""),
    ("DELREF MINID 3", 2, "345", "34", "3"), ("ACKED MAXLEN 0", 0, "12345", "234", "13"), ("MINID 5 ACKED", 0, "12345", "234", "13"),
    ("DELREF MAXLEN ~ 0", 5, "", "", ""), ("MAXLEN ~ 1 DELREF", 0, "12345", "234", "13"),
    ("MINID ~ 9 DELREF", 5, "", "", ""), ("MINID ~ 9 LIMIT 4 DELREF", 0, "12345", "234", "13"),
])
def test_trimming(stream, ask, options, cut, left, in_a, in_b):
    assert ask(f"XTRIM s {options}") == cut
    assert (there(stream), pending(stream, "a"), pending(stream, "b")) == tuple(map(list, (left, in_a, in_b)))


def test_trimming_of_what_is_acknowledged(stream):
    """What is still needed stays, and what lies behind it goes in its place."""
    stream.xack("s", "a", "2-0", "3-0", "4-0")
    stream.xack("s", "b", "3-0")
    assert stream.xtrim("s", maxlen=4, approximate=False, ref_policy="ACKED") == 1 and there(stream) == list("1345")
    assert stream.xtrim("s", minid="9-0", approximate=False, ref_policy="ACKED") == 1 and there(stream) == list("145")
    assert stream.xadd("s", {"n": 6}, id="6-0", maxlen=1, approximate=False, ref_policy="ACKED") == "6-0"
    assert there(stream) == list("1456")
    assert stream.xadd("s", {"n": 7}, id="7-0", maxlen=1, approximate=False, ref_policy="DELREF") == "7-0"
    assert there(stream) == ["7"] and pending(stream, "b") == []


@pytest.mark.parametrize("request_", ["XADD s KEEPREF ACKED * f v", "XTRIM s MAXLEN 1 DELREF DELREF", "XTRIM s ACKED DELREF",
                                      "XDEL s ACKED"])
def test_trimming_refuses(stream, ask, request_):
    assert ask(request_).startswith((b"ERR syntax error", b"ERR Invalid stream ID"))


def test_policies_without_groups(ask):
    for number in range(1, 6):
        ask(f"XADD s ACKED MAXLEN = 3 {number} f v")
    assert ask("XLEN s") == 3 and ask("XTRIM s MAXLEN 1 ACKED") == 2
    assert ask("XADD s DELREF 9 f v") == b"9-0"


# --- reading -------------------------------------------------------------------------------------------------------

def test_claim(r):
    for number in range(1, 5):
        r.xadd("s", {"n": number}, id=f"{number}-0")
    r.xgroup_create("s", "g", 0)
    r.xreadgroup("g", "one", {"s": ">"}, count=2)
    r.xclaim("s", "g", "one", 0, ["2-0"], idle=5000, retrycount=7)          # longer idle than 1-0
    assert r.xreadgroup("g", "two", {"s": ">"}, claim_min_idle_time=60_000, count=1) == [["s", [("3-0", {"n": "3"}, 0, 0)]]]
    (_, entries), = r.xreadgroup("g", "two", {"s": ">"}, claim_min_idle_time=3000)
    assert [(id, fields, deliveries) for id, fields, _, deliveries in entries] == [("2-0", {"n": "2"}, 7), ("4-0", {"n": "4"}, 0)]
    assert 5000 <= entries[0][2] < 60_000
    assert [(e["message_id"], e["consumer"], e["times_delivered"]) for e in r.xpending_range("s", "g", "-", "+", 9)] == [
        ("1-0", "one", 1), ("2-0", "two", 8), ("3-0", "two", 1), ("4-0", "two", 1)]
    (_, entries), = r.xreadgroup("g", "three", {"s": ">"}, claim_min_idle_time=0, count=3, noack=True)
    assert {entry[0] for entry in entries} <= {"1-0", "2-0", "3-0", "4-0"} and len(entries) == 3
    assert r.xpending("s", "g")["pending"] == 4                             # NOACK is not for what was pending


def test_claim_of_what_is_gone(ask):
    for request in ("XADD s 1-0 f v", "XADD s 2-0 f v", "XGROUP CREATE s g 0", "XREADGROUP GROUP g c STREAMS s >", "XDEL s 1-0"):
        ask(request)
    assert [entry[0] for entry in ask("XREADGROUP GROUP g d CLAIM 0 STREAMS s >")[0][1]] == [b"2-0"]
    ask("XDEL s 2-0")
    assert ask("XREADGROUP GROUP g d CLAIM 0 STREAMS s >") is NULL_ARRAY
    # the history of a consumer is what it is without CLAIM
    assert ask("XREADGROUP GROUP g d CLAIM 0 STREAMS s 0") == [[b"s", [[b"2-0", NULL_ARRAY]]]]


@pytest.mark.parametrize("number, error", [
    ("x", b"ERR min-idle-time is not an integer or out of range"), ("+1", b"ERR min-idle-time is not an integer or out of range"),
    ("5.5", b"ERR min-idle-time is not an integer or out of range"), ("-1", b"ERR min-idle-time must be a positive integer"),
])
def test_claim_refuses(ask, number, error):
    ask("XGROUP CREATE s g 0 MKSTREAM")
    assert ask(f"XREADGROUP GROUP g c CLAIM {number} STREAMS s >") == error
    assert ask("XREADGROUP GROUP g c CLAIM STREAMS s >") == b"ERR min-idle-time is not an integer or out of range"
    assert ask("XREAD CLAIM 5 STREAMS s 0") == b"ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead."
    assert ask(f"XREADGROUP GROUP g c CLAIM {2**63 - 1} STREAMS s >") is NULL_ARRAY


def test_claim_waits(carnelian):
    """An entry becomes idle enough while a client waits for it."""
    one, two = carnelian.client(1), carnelian.client(2)
    one("XADD", "s", "1-0", "f", "v")
    one("XGROUP", "CREATE", "s", "g", "0")
    one("XREADGROUP", "GROUP", "g", "one", "STREAMS", "s", ">")
    (key, (entry,)), = two("XREADGROUP", "GROUP", "g", "two", "BLOCK", "5000", "CLAIM", "150", "STREAMS", "s", ">")
    assert entry[:2] == [b"1-0", [b"f", b"v"]] and entry[2] >= 150 and entry[3] == 1
    assert two("XREADGROUP", "GROUP", "g", "two", "BLOCK", "20", "CLAIM", "100000", "STREAMS", "s", ">") is NULL_ARRAY


def test_claim_waits_for_what_comes(carnelian):
    one, two = carnelian.client(1), carnelian.client(2)
    one("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
    two.send("XREADGROUP", "GROUP", "g", "two", "BLOCK", "5000", "CLAIM", "100000", "STREAMS", "s", ">")
    while b"blocked_clients:1" not in one("INFO", "clients"):
        pass
    one("XADD", "s", "1-0", "f", "v")
    assert two.read() == [[b"s", [[b"1-0", [b"f", b"v"], 0, 0]]]]


def test_the_last_entry(ask):
    assert ask("XREAD STREAMS s +") is NULL_ARRAY
    for number in range(1, 4):
        ask(f"XADD s {number}-0 n {number}")
        ask(f"XADD t {number}-0 n {number}")
    assert ask("XREAD STREAMS s +") == [[b"s", [[b"3-0", [b"n", b"3"]]]]]
    assert ask("XREAD COUNT 5 BLOCK 0 STREAMS s t + 2") == [[b"s", [[b"3-0", [b"n", b"3"]]]], [b"t", [[b"3-0", [b"n", b"3"]]]]]
    ask("XDEL s 3-0")
    assert ask("XREAD STREAMS s +") == [[b"s", [[b"2-0", [b"n", b"2"]]]]]
    ask("XDEL s 2-0 1-0")
    assert ask("XREAD BLOCK 10 STREAMS s +") is NULL_ARRAY
    assert ask("XREAD STREAMS s t + -").startswith(b"ERR Invalid stream ID")


# --- a model of the policies ---------------------------------------------------------------------------------------

@given(st.lists(st.tuples(st.sampled_from(["add", "read a", "read b", "ack a", "ack b", "KEEPREF", "DELREF", "ACKED", "trim DELREF",
                                           "trim ACKED", "minid ACKED"]), st.integers(1, 12)), max_size=60))
def test_policies(r, steps):
    r.flushdb()
    r.xgroup_create("s", "a", 0, mkstream=True)
    r.xgroup_create("s", "b", 0)
    entries, last = [], 0
    delivered = {"a": 0, "b": 0}
    waiting = {"a": set(), "b": set()}

    def needed(number):
        return any(delivered[group] < number or number in waiting[group] for group in "ab")

    def remove(number, policy):
        if policy == "ACKED" and needed(number):
            return 2
        entries.remove(number)
        if policy == "DELREF":
            for group in "ab":
                waiting[group].discard(number)
        return 1

    for step, number in steps:
        if step == "add":
            last += 1
            r.xadd("s", {"n": last}, id=f"{last}-0")
            entries.append(last)
        elif step.startswith("read"):
            group = step[-1]
            new = [entry for entry in entries if entry > delivered[group]][:number]
            found = r.xreadgroup(group, "c", {"s": ">"}, count=number)
            assert [int(id[:-2]) for id, _ in (found[0][1] if found else [])] == new
            waiting[group].update(new)
            delivered[group] = max([delivered[group], *new])
        elif step.startswith("ack"):
            assert r.xack("s", step[-1], f"{number}-0") == (number in waiting[step[-1]])
            waiting[step[-1]].discard(number)
        elif step.startswith(("trim", "minid")):
            policy, gone = step.split()[1], 0
            for entry in list(entries):
                if (len(entries) <= number) if step.startswith("trim") else (entry >= number):
                    break
                gone += remove(entry, policy) == 1
            options = {"maxlen": number} if step.startswith("trim") else {"minid": f"{number}-0"}
            assert r.xtrim("s", approximate=False, ref_policy=policy, **options) == gone
        else:
            if number in entries:
                expected = remove(number, step)
            else:
                expected = -1
                if step == "DELREF":
                    for group in "ab":
                        waiting[group].discard(number)
            assert r.xdelex("s", f"{number}-0", ref_policy=step) == [expected]
        assert [int(id[:-2]) for id, _ in r.xrange("s")] == entries
        for group in "ab":
            assert {int(e["message_id"][:-2]) for e in r.xpending_range("s", group, "-", "+", 100)} == waiting[group]
