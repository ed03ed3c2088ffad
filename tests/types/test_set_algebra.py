"""Intersection, union and difference against Python's own sets."""
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.types.set import Set
from carnelian.types.set_algebra import (difference, difference_set, intersection, intersection_count, intersection_set, union,
                                         union_set)

integers = st.integers(0, 30).map(lambda n: b"%d" % n)
texts = st.sampled_from([b"a", b"b", b"c", b"d", b"e" * 70])
contents = st.one_of(st.none(), st.sets(integers, max_size=20), st.sets(texts),
                     st.sets(st.one_of(integers, texts), max_size=20), st.integers(0, 60).map(lambda n: {b"%d" % (i * 3) for i in range(n * 10)}))


def build(members):
    if members is None:
        return None
    result = Set()
    result.update(sorted(members))
    return result


def same(found, expected):
    assert set(found) == expected and len(found) == len(expected)


@settings(max_examples=300, deadline=None)
@given(st.lists(contents, min_size=1, max_size=5), st.booleans(), st.integers(1, 10))
def test_against_python(models, repeat_first, limit):
    sets = [build(model) for model in models]
    if repeat_first:
        sets.append(sets[0])
        models = models + [models[0]]
    models = [model or set() for model in models]
    before = [s and s.members() for s in sets]
    common, together, rest = set.intersection(*models), set.union(*models), models[0].difference(*models[1:])
    same(intersection(sets), common)
    assert intersection_count(sets) == len(common)
    assert intersection_count(sets, limit) == min(limit, len(common))
    same(union(sets), together)
    same(difference(sets), rest)
    for made, expected in ((intersection_set(sets), common), (union_set(sets), together), (difference_set(sets), rest)):
        made._check()
        same(made.members(), expected)
        assert all(made is not s for s in sets)
    assert [s and s.members() for s in sets] == before


def test_encodings():
    ints, texts, many = build({b"1", b"2"}), build({b"1", b"a"}), build({b"%d" % n for n in range(1000)})
    assert intersection_set([ints, texts]).encoding == "intset"
    assert intersection_set([texts, many]).encoding == "intset"
    assert intersection_set([texts, texts]).encoding == "listpack"
    assert intersection_set([many, many]).encoding == "hashtable"
    assert union_set([ints, ints]).encoding == "intset"
    assert union_set([ints, texts]).encoding == "listpack"
    assert union_set([many, ints]).encoding == "hashtable"
    assert difference_set([texts, ints]).encoding == "listpack"
    assert difference_set([many, build({b"%d" % n for n in range(600)})]).encoding == "intset"
    assert difference_set([texts, build({b"a"})]).encoding == "intset"
