"""Paths into JSON documents: tables, and a walk in plain Python as the oracle."""
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.types.json_document import JsonDocument, parse
from carnelian.types.json_path import PathFault, TooMuchWork, path_of

DOCUMENT = {"a": [1, 2.5, "x", None, True, [3, [4]], {"a": 5, "b": "y"}], "b": {"a": 1, "c d": [0, 1, 2, 3, 4, 5]}, "n-1": 7, "@t": 8}


def values(text, value=DOCUMENT):
    document = JsonDocument.of(parse(json.dumps(value).encode()), 5000)
    path = path_of(text.encode())
    found = path.values(document, document.tree())
    places = path.locations(document, document.tree())
    assert [place.value for place in places] == found
    return found


@pytest.mark.parametrize("path, expected", [
    ("$", [DOCUMENT]), (".", [DOCUMENT]),
    ("$.a[0]", [1]), ("a[0]", [1]), (".a[0]", [1]), ('["a"][0]', [1]), ("$['a'][0]", [1]), ('$.["a"].[0]', [1]),
    ("$.a[-1].b", ["y"]), ("$.a[99]", []), ("$.a[-99]", []), ("$.none", []), ("$.a.b", []), ("$.b[0]", []),
    ("$.n-1", [7]), ("$.@t", [8]),
    ("$.b['c d'][1:3]", [1, 2]), ("$.b['c d'][::2]", [0, 2, 4]), ("$.b['c d'][-2:]", [4, 5]), ("$.b['c d'][:-4]", [0, 1]),
    ("$.b['c d'][1:5:3]", [1, 4]), ("$.b['c d'][4:2]", []), ("$.b['c d'][0,-1,9]", [0, 5]), ("$.b['c d'][5,0:2]", [5, 0, 1]),
    ("$.b[*]", [1, [0, 1, 2, 3, 4, 5]]), ("$.b.*", [1, [0, 1, 2, 3, 4, 5]]),
    ("$['n-1','@t','none']", [7, 8]), ("$..a", [DOCUMENT["a"], 5, 1]), ("$..[1][0]", [4]), ("..b", [DOCUMENT["b"], "y"]),
    ("$.a[5]..*", [3, [4], 4]),
    ("$.b['c d'][?(@>3)]", [4, 5]), ("$.b['c d'][?@>3]", [4, 5]), ("$.b['c d'][?(@ >= 1 && @ != 2 && !(@ > 3))]", [1, 3]),
    ("$.b['c d'][?(@==0||@==$.b.a)]", [0, 1]), ("$.a[?(@.a)].b", ["y"]), ("$.a[?(!@.a)]", DOCUMENT["a"][:-1]),
    ("$.a[?(@.b=='y')].a", [5]), ('$.a[?(@.b=="z")].a', []), ("$.a[?(@==null)]", [None]), ("$.a[?(@==true)]", [True]),
    ("$.a[?(@==1)]", [1]), ("$.a[?(@==1.0)]", [1]), ("$.a[?(@<3)]", [1, 2.5]), ("$.a[?('a'<@)]", ["x"]),
    ("$.a[?(@=~'^[x-z]$')]", ["x"]), ("$.a[?(@.b =~ \"Y\")]", []), ("$.a[?(@.b =~ '(?i)Y')].a", [5]), ("$.a[?(@=~'(')]", []),
    ("$.b[?(@==1)]", [1]), ("$.a[?(@[0]==3)][1][0]", [4]), ("$.a[?(@..a==5)].b", ["y"]),
])
def test_values(path, expected):
    assert json.dumps(values(path)) == json.dumps(expected)


@pytest.mark.parametrize("path, position", [
    ("$.", 3), ("$x", 2), ("$.a[", 5), ("$.a]", 4), ("$.a[x]", 5), ("$[?(@.a]", 8), ("$[?(@.a=)]", 8), ("$[0:1:0]", 8), ("$['a]", 3),
    ("", 3), ("$[1,]", 5), ("$[?(" + "(" * 100, 69), ("$[?(@ == )]", 10)])
def test_faults(path, position):
    with pytest.raises(PathFault, match=f"Error occurred on position {position}, expected "):
        path_of(path.encode())


def test_work_is_bounded():
    """A path that visits everything again and again ends with an error, and a regular expression can't hold the walk."""
    nested = value = []
    for _ in range(100):
        value.append([])
        value = value[0]
    with pytest.raises(TooMuchWork):
        values("$" + "..*" * 8, nested)
    assert values("$[?(@=~'^(a+)+$')]", ["a" * 20000 + "b"]) == []
    for i in range(3000):                               # the cache of paths keeps no more than it should
        path_of(b"$.k%d" % i)


JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9, width=16) | st.text("ab", max_size=2),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=20)
STEPS = st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "*", 0, -1, (0, 2), (1, None), (None, -1)])), max_size=4)


def children(value, step):
    if isinstance(value, dict):
        return list(value.values()) if step == "*" else [value[step]] if step in value else []
    if not isinstance(value, list):
        return []
    if step == "*":
        return list(value)
    if isinstance(step, tuple):
        return value[slice(*step)]
    return [value[step]] if isinstance(step, int) and -len(value) <= step < len(value) else []


def walk(value, steps):
    if not steps:
        return [value]
    (descends, step), rest = steps[0], steps[1:]
    found = [end for child in children(value, step) for end in walk(child, rest)]
    if descends:
        found += [end for child in children(value, "*") for end in walk(child, steps)]
    return found


@given(JSON, STEPS)
def test_walk(value, steps):
    text = "$"
    for descends, step in steps:
        if isinstance(step, tuple):
            step = f"[{':'.join('' if end is None else str(end) for end in step)}]"
        elif isinstance(step, int):
            step = f"[{step}]"
        text += (".." if descends else "" if step[0] == "[" else ".") + step
    assert json.dumps(values(text, value)) == json.dumps(walk(value, steps))
