"""Glob patterns, against a plain recursive reading of the rules, and against the oracle."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.base.glob import matches
from tests.oracle.resp import Client


def element(pattern):
    """The first element of a pattern as a set of bytes, and the rest."""
    first, rest = pattern[0], pattern[1:]
    if first == ord("?"):
        return set(range(256)), rest
    if first == ord("\\") and rest:
        return {rest[0]}, rest[1:]
    if first != ord("["):
        return {first}, rest
    negated, members = rest[:1] == b"^", set()
    if negated:
        rest = rest[1:]
    while rest and rest[0] != ord("]"):
        if rest[0] == ord("\\") and len(rest) > 1:
            members.add(rest[1])
            rest = rest[2:]
        elif len(rest) > 2 and rest[1] == ord("-"):
            members.update(range(min(rest[0], rest[2]), max(rest[0], rest[2]) + 1))
            rest = rest[3:]
        else:
            members.add(rest[0])
            rest = rest[1:]
    return set(range(256)) - members if negated else members, rest[1:]


def expected(pattern, text):
    if not text:
        return pattern in (b"", b"*")
    places = {0}                                    # positions in the text that the pattern so far can end at
    while pattern:
        if pattern[0] == ord("*"):
            places = set(range(min(places), len(text) + 1)) if places else set()
            pattern = pattern[1:]
        else:
            members, pattern = element(pattern)
            places = {at + 1 for at in places if at < len(text) and text[at] in members}
    return len(text) in places


patterns = st.lists(st.sampled_from([b"*", b"?", b"[", b"]", b"^", b"-", b"\\", b"a", b"b", b"c", b"A", b"[ab]", b"[^a]", b"[c-a]",
                                     b"\xff"]), max_size=9).map(b"".join)
texts = st.lists(st.sampled_from(b"abcA-^[]\\\xff*"), max_size=9).map(bytes)


@given(patterns, texts)
def test_matches(pattern, text):
    assert matches(pattern, text) == expected(pattern, text)


@pytest.mark.parametrize("pattern, text", [
    (b"h?llo", b"hallo"), (b"h*llo", b"heeeello"), (b"h[ae]llo", b"hello"), (b"h[^e]llo", b"hallo"), (b"h[a-b]llo", b"hbllo"),
    (b"[z-a]", b"m"), (b"[a", b"a"), (b"[^", b"x"), (b"\\", b"\\"), (b"[\\]]", b"]"), (b"a\\*", b"a*"), (b"*", b""), (b"", b""),
    (b"**a**", b"bab"), (b"[a-]", b"a"), (b"news.*", b"news.art.figurative")])
def test_it_matches(pattern, text):
    assert matches(pattern, text)


@pytest.mark.parametrize("pattern, text", [
    (b"h[^e]llo", b"hello"), (b"h[a-b]llo", b"hcllo"), (b"[", b"["), (b"[]a", b"a"), (b"a\\*", b"ab"), (b"**", b""), (b"?", b""),
    (b"", b"a"), (b"a", b"A"), (b"a*b", b"a")])
def test_it_does_not_match(pattern, text):
    assert not matches(pattern, text)


def test_no_explosion():
    """Many stars cost the product of the lengths at most; an exponential search would not end."""
    assert not matches(b"a*" * 1000 + b"b", b"a" * 20000)
    assert not matches(b"*a" * 1000 + b"b", b"a" * 20000)


def test_against_the_oracle(oracle_server):
    client = Client(oracle_server.address)
    texts = [b"", b"a", b"ab", b"[", b"]", b"\\", b"-", b"^", b"abc", b"a]", b"b-c", b"A", b"*", b"\xff"]
    atoms = [b"*", b"?", b"[", b"]", b"^", b"-", b"\\", b"a", b"b"]
    patterns = [b"", *atoms, *(x + y for x in atoms for y in atoms),
                *(x + y + z for x in atoms for y in atoms for z in atoms), b"[a-c]*", b"[^a-b]", b"[c-a]?", b"**b", b"[a-", b"[a\\-c]"]
    client("DEL", "glob:texts")
    client("SADD", "glob:texts", *texts)
    for pattern in patterns:
        found = set(client("SSCAN", "glob:texts", "0", "MATCH", pattern, "COUNT", "1000")[1])
        assert found == {text for text in texts if matches(pattern, text)}, pattern
    client("DEL", "glob:texts")
