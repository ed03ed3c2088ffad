"""Geo against the oracle: every word, option and error, and searches at the edges of the map."""
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .harness import sequence

SICILY = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 13.583333 37.316667 Agrigento"


def test_geoadd(both):
    both("""
        GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
        GEOADD g 13.361389 38.115556 Palermo 15 37 Catania
        GEOADD g CH 13.361389 38.115556 Palermo 15.5 37 Catania 1 2 new
        GEOADD g NX CH 1 1 new 2 2 newer
        GEOADD g XX 1 1 new 3 3 newest
        GEOADD g xx ch 1.5 1 new 3 3 newest
        GEOADD g CH NX ch 3 3 newest
        GEOADD missing XX 1 1 a
        EXISTS missing
        GEOADD g 1 1 twice 2 2 twice
        GEOADD g -180 -85.05112878 southwest 180 85.05112878 northeast 180 -85.05112878 se -180 85.05112878 nw 0 0 zero
        ZRANGE g 0 -1 WITHSCORES
        GEOPOS g southwest northeast se nw zero Palermo
        GEOHASH g southwest northeast se nw zero Palermo
        TYPE g
        OBJECT ENCODING g
    """)


def test_geoadd_errors(both):
    both("""
        SET string x
        GEOADD
        GEOADD g
        GEOADD g 1
        GEOADD g 1 2
        GEOADD g NX XX CH
        GEOADD g NX CH CH
        GEOADD g NX NX NX
        GEOADD string CH CH CH
        GEOADD string 1 2 a 3
        GEOADD string NX 1 2
        GEOADD string NX XX x 2 a
        GEOADD string x 2 a
        GEOADD string 1 x a
        GEOADD string 1 nan a
        GEOADD string 181 x a
        GEOADD string 181 2 a
        GEOADD string -180.0000001 2 a
        GEOADD string 1 85.06 a
        GEOADD string 1 -85.0511288 a
        GEOADD string 1 2 a x 2 b
        GEOADD string 1 inf a
        GEOADD string 1e300 2 a
        GEOADD string GT 2 a
        GEOADD string 1 2 a
        GEOADD string XX 1 2 a
        EXISTS g
    """)


def test_reading(both):
    both(SICILY + """
        ZADD g 0 zero -5 negative 1e15 large 9007199254740992 larger 1.5 half
        GEOPOS g Palermo missing Catania
        GEOPOS g zero negative large larger half
        GEOPOS g
        GEOPOS missing
        GEOPOS missing a b
        GEOHASH g Palermo missing Catania zero negative large larger half
        GEOHASH g
        GEOHASH missing
        GEOHASH missing a b
        GEODIST g Palermo Catania
        GEODIST g Palermo Catania m
        GEODIST g Palermo Catania KM
        GEODIST g Palermo Catania Ft
        GEODIST g Palermo Catania mi
        GEODIST g Palermo Palermo
        GEODIST g zero Palermo km
        GEODIST g Palermo missing
        GEODIST g missing Palermo
        GEODIST missing Palermo Catania
        GEODIST missing Palermo Catania furlong
        GEODIST g Palermo Catania furlong
        GEODIST g Palermo Catania km km
        GEODIST g Palermo Catania furlong km
        GEODIST g Palermo
        SET string x
        GEODIST string a b
        GEODIST string a b furlong
        GEODIST string a b km x
        GEOPOS string a
        GEOPOS string
        GEOHASH string a
        GEOPOS
        GEOHASH
    """)


def test_geosearch(both):
    both(SICILY + """
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 KM DESC
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km WITHCOORD
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km WITHHASH
        GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km WITHCOORD WITHHASH WITHDIST
        GEOSEARCH g WITHDIST COUNT 2 ASC BYRADIUS 200 km FROMLONLAT 15 37
        GEOSEARCH g FROMMEMBER Palermo BYBOX 400 400 km WITHDIST ASC
        GEOSEARCH g FROMMEMBER Palermo BYBOX 100 400 mi DESC
        GEOSEARCH g FROMMEMBER Palermo BYBOX 0 0 ft
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 0 m WITHDIST
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS inf km
        GEOSEARCH g FROMMEMBER Palermo BYBOX inf inf km
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 200 km COUNT 1
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 200 km COUNT 2 DESC
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 200 km COUNT 1 ANY
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 200 km COUNT 2 ANY DESC WITHDIST
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 200 km ANY COUNT 100
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 200 km COUNT 9223372036854775807 ANY
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 200 km COUNT 1 COUNT 2 ASC DESC
        GEOSEARCH g FROMMEMBER Palermo FROMMEMBER Catania BYRADIUS 1 km
        GEOSEARCH g FROMMEMBER Palermo BYRADIUS 1 km BYRADIUS 500 km
        GEOSEARCH g FROMMEMBER Palermo BYBOX 1 1 km BYBOX 500 500 km
        GEOSEARCH g FROMLONLAT 1 1 FROMLONLAT 15 37 BYRADIUS 200 km
        GEOSEARCH missing FROMMEMBER Palermo BYRADIUS 200 km
        GEOSEARCH missing FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST
    """)


@pytest.mark.parametrize("word", ["GEOSEARCH KEY", "geosearch KEY", "GEOSEARCHSTORE d KEY", "geosearchstore d KEY"])
def test_geosearch_errors(both, word):
    lines = SICILY + """
        SET string x
        W
        W FROMMEMBER Palermo
        W FROMMEMBER Palermo BYRADIUS 200
        W FROMMEMBER Palermo BYRADIUS 200 furlong
        W FROMMEMBER Palermo BYRADIUS x furlong
        W FROMMEMBER Palermo BYRADIUS -1 furlong
        W FROMMEMBER Palermo BYBOX 1 2
        W FROMMEMBER Palermo BYBOX x 2 km
        W FROMMEMBER Palermo BYBOX 1 x km
        W FROMMEMBER Palermo BYBOX x x furlong
        W FROMMEMBER Palermo BYBOX -1 2 furlong
        W FROMMEMBER Palermo BYBOX 1 -2 km
        W FROMMEMBER Palermo BYBOX 1 2 furlong
        W FROMMEMBER Palermo BYBOX nan 2 km
        W FROMMEMBER nowhere BYRADIUS x furlong
        W BYRADIUS x furlong FROMMEMBER nowhere
        W FROMLONLAT 15 37 FROMMEMBER Palermo BYRADIUS 1 km
        W FROMMEMBER Palermo FROMLONLAT 15 37 BYRADIUS 1 km
        W FROMLONLAT 15 37 BYRADIUS 1 km BYBOX 1 1 km
        W FROMLONLAT 15 37 BYBOX 1 1 km BYRADIUS 1 km
        W FROMLONLAT x 37 BYRADIUS 1 km
        W FROMLONLAT 15 x BYRADIUS 1 km
        W FROMLONLAT 15 100 BYRADIUS 1 km
        W FROMLONLAT 15 37 BYRADIUS 1 km COUNT 0
        W FROMLONLAT 15 37 BYRADIUS 1 km COUNT -1
        W FROMLONLAT 15 37 BYRADIUS 1 km COUNT x
        W FROMLONLAT 15 37 BYRADIUS 1 km COUNT
        W FROMLONLAT 15 37 BYRADIUS 1 km COUNT 99999999999999999999
        W FROMLONLAT 15 37 BYRADIUS 1 km ANY
        W FROMLONLAT 15 37 BYRADIUS 1 km STORE d
        W FROMLONLAT 15 37 BYRADIUS 1 km STOREDIST
        W FROMLONLAT 15 37 BYRADIUS 1 km STOREDIST d
        W FROMLONLAT 15 37 BYRADIUS 1 km WITHDIST
        W FROMLONLAT 15 37 BYRADIUS 1 km WITHDIST x
        W ASC ASC ASC ASC ASC ASC
        W WITHDIST ASC ASC ASC ASC ASC
        W FROMLONLAT 15 37 ASC ASC ASC ANY
        W BYRADIUS 1 km ASC ASC ASC ANY
        W FROMMEMBER Palermo WITHCOORD ANY ASC ASC
        W ASC ASC ASC ASC ASC FROMMEMBER
        W ASC ASC ASC ASC FROMLONLAT 1
        W ASC ASC ASC ASC BYBOX 1
    """
    for key in ("g", "missing", "string"):
        both(lines.replace("        W", "        " + word.replace("KEY", key)))


RADIUS_OPTIONS = """
        W
        W 200
        W 200 km
        W 200 km WITHDIST
        W 200 km WITHCOORD WITHDIST WITHHASH
        W 200 KM ASC
        W 200 mi DESC
        W 200 km COUNT 1
        W 200 km COUNT 2 ANY
        W 200 km COUNT 1 DESC
        W 200 km ANY
        W 200 km COUNT
        W 200 km COUNT 0
        W 200 km COUNT x
        W 200 km STORE d
        ZRANGE d 0 -1 WITHSCORES
        W 200 km STOREDIST d
        ~ ZRANGE d 0 -1 WITHSCORES
        W 200 km STORE d STOREDIST e
        ~ ZRANGE e 0 -1 WITHSCORES
        W 200 km STOREDIST e STORE d
        W 200 km COUNT 1 STORE d
        ZRANGE d 0 -1 WITHSCORES
        W 0 km STORE d
        EXISTS d
        W 200 km STORE
        W 200 km STORE d WITHDIST
        W 200 km WITHCOORD STOREDIST d ANY
        W 200 km WITHHASH STOREDIST d x
        W 200 km FROMMEMBER Palermo
        W 200 km BYRADIUS 1 km
        W 200 furlong
        W 200 furlong x
        W -1 furlong
        W x furlong
        W nan km
        W 200 km x
"""


@pytest.mark.parametrize("key", ["g", "missing", "string"])
@pytest.mark.parametrize("word", [
    "GEORADIUS KEY 15 37", "GEORADIUS_RO KEY 15 37", "GEORADIUSBYMEMBER KEY Palermo", "GEORADIUSBYMEMBER_RO KEY Palermo",
    "GEORADIUSBYMEMBER KEY nowhere", "GEORADIUSBYMEMBER_RO KEY nowhere", "GEORADIUS KEY x 37", "GEORADIUS_RO KEY 15 100"])
def test_georadius(both, word, key):
    both(SICILY + "\n        SET string x\n        SET d x" + RADIUS_OPTIONS.replace("  W", "  " + word.replace("KEY", key)))


def test_stores(both):
    both(SICILY + """
        CONFIG SET notify-keyspace-events EA
        2> PSUBSCRIBE __key*__:*
        2<
        SET d x EX 100
        2<
        2<
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km
        2<
        TTL d
        ZRANGE d 0 -1 WITHSCORES
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 400 400 km STOREDIST COUNT 2
        2<
        ~ ZRANGE d 0 -1 WITHSCORES
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 1 1 km
        2<
        EXISTS d
        GEOSEARCHSTORE d g FROMLONLAT 15 37 BYBOX 1 1 km
        GEORADIUS g 15 37 200 km STORE d
        2<
        GEORADIUSBYMEMBER g Palermo 200 mi STOREDIST d
        2<
        ~ ZRANGE d 0 -1 WITHSCORES
        GEORADIUSBYMEMBER missing Palermo 200 mi STOREDIST d
        2<
        GEORADIUS g 15 37 200 km STORE g
        2<
        GEOADD g CH 13.361389 38.115556 Palermo 1 1 new
        2<
        GEOADD g 1 1 new
        GEOADD g 2 1 new
        2<
        2-
        MULTI
        GEOADD g 2 1 new
        GEORADIUS g 2 1 1 km WITHDIST WITHCOORD
        EXEC
    """)


def test_getkeys(both):
    both("""
        COMMAND GETKEYS GEOADD g 1 2 a
        COMMAND GETKEYS GEOSEARCH g FROMMEMBER a BYRADIUS 1 km
        COMMAND GETKEYS GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 1 km
        COMMAND GETKEYS GEORADIUS g 1 2 3 km
        COMMAND GETKEYS GEORADIUS g 1 2 3 km STORE d
        COMMAND GETKEYS GEORADIUS g 1 2 3 km STOREDIST d
        COMMAND GETKEYS GEORADIUS g 1 2 3 km COUNT 1 store d ASC
        COMMAND GETKEYS GEORADIUS g 1 2 3 km STORE d STOREDIST e
        COMMAND GETKEYS GEORADIUS g 1 2 3 km STOREDIST e STORE d
        COMMAND GETKEYS GEORADIUS g 1 2 3 km STORE STOREDIST d
        COMMAND GETKEYS GEORADIUS g 1 2 3 km STORE
        COMMAND GETKEYS GEORADIUS_RO g 1 2 3 km STORE d
        COMMAND GETKEYS GEORADIUSBYMEMBER g a 3 km
        COMMAND GETKEYS GEORADIUSBYMEMBER g STORE 3 km STORE d
        COMMAND GETKEYS GEORADIUSBYMEMBER g a 3 km STOREDIST d
        COMMAND GETKEYSANDFLAGS GEORADIUSBYMEMBER g a 3 km STOREDIST d
        COMMAND GETKEYSANDFLAGS GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 1 km
    """)


def test_hits_and_misses(both):
    both(SICILY + """
        CONFIG RESETSTAT
        GEORADIUS g 15 37 200 km STORE d
        GEORADIUS missing 15 37 200 km
        GEOSEARCHSTORE d missing FROMMEMBER a BYRADIUS 1 km
    """)
    counts = []
    for side in both.sides:
        text = side.client(1)("INFO", "stats")
        counts.append([line for line in text.splitlines() if line.startswith(b"keyspace_")])
    assert counts[0] == counts[-1]


# ---- sequences

LONGITUDES = st.one_of(st.sampled_from([-180.0, 180.0, 179.9999, -179.9999, 0.0, 90.0, -90.0]),
                       st.floats(-180, 180), st.floats(-2, 2))
LATITUDES = st.one_of(st.sampled_from([-85.05112878, 85.05112878, 85.0, -85.0, 0.0, 66.5, -66.5, 80.5, -80.5]),
                      st.floats(-85.05112878, 85.05112878), st.floats(-2, 2))
POINTS = st.tuples(LONGITUDES, LATITUDES)
UNITS = st.sampled_from([b"m", b"km", b"ft", b"mi", b"KM"])
LENGTHS = st.one_of(st.sampled_from([0.0, 1.0, 500.0, 1000.0, 5000.0, 10000.0, 20000.0, 40000.0]),
                    st.floats(0, 1000), st.floats(0, 3e7))


def text(number):
    return b"%.10f" % number


@st.composite
def searches(draw):
    words = [b"GEOSEARCH", b"g"]
    if draw(st.booleans()):
        words += [b"FROMMEMBER", b"m%d" % draw(st.integers(0, 3))]
    else:
        longitude, latitude = draw(POINTS)
        words += [b"FROMLONLAT", text(longitude), text(latitude)]
    if draw(st.booleans()):
        words += [b"BYRADIUS", text(draw(LENGTHS)), draw(UNITS)]
    else:
        words += [b"BYBOX", text(draw(LENGTHS)), text(draw(LENGTHS)), draw(UNITS)]
    if draw(st.booleans()):
        words += [b"COUNT", b"%d" % draw(st.integers(1, 5)), b"ANY"]
    if draw(st.booleans()):
        words += draw(st.sampled_from([[b"WITHDIST"], [b"WITHHASH", b"WITHCOORD"]]))
    if draw(st.booleans()):
        words = [b"GEOSEARCHSTORE", b"d", *words[1:]]
        words = [word for word in words if not word.startswith(b"WITH")]
        if draw(st.booleans()):
            words.append(b"STOREDIST")
    return words


@given(points=st.lists(POINTS, min_size=4, max_size=60), commands=st.lists(searches(), min_size=1, max_size=12))
@settings(max_examples=60)
def test_sequences(both, points, commands):
    """Unsorted: the order is that of the cells. Members at one place are in the order of their names."""
    adding = [b"GEOADD", b"g"]
    for i, (longitude, latitude) in enumerate(points):
        adding += [text(longitude), text(latitude), b"m%d" % i]
    members = [b"m%d" % i for i in range(len(points))]
    shown = []
    for command in commands:
        shown.append(command)
        if command[0] == b"GEOSEARCHSTORE":
            shown.append([b"ZRANGE", b"d", b"0", b"-1", b"WITHSCORES"])
    sequence(both, [adding, [b"GEOPOS", b"g", *members], [b"GEOHASH", b"g", *members], *shown,
                    *([b"GEODIST", b"g", b"m0", member, b"km"] for member in members[:5])], lambda command: "~")


@given(center=st.tuples(st.floats(-180, 180), st.floats(-85, 85)), radius=st.floats(1, 3e6),
       offsets=st.lists(st.tuples(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5)), min_size=5, max_size=100, unique=True),
       order=st.sampled_from([b"ASC", b"DESC"]), count=st.integers(1, 100))
@settings(max_examples=60)
def test_around(both, center, radius, offsets, order, count):
    """Points near the edge of the shape, sorted and unsorted; distances in order, whoever stands first of two at one distance."""
    degrees = radius / 111000
    adding = [b"GEOADD", b"g"]
    for i, (x, y) in enumerate(offsets):
        longitude = (center[0] + x * degrees + 180) % 360 - 180
        latitude = min(max(center[1] + y * degrees, -85), 85)
        adding += [text(longitude), text(latitude), b"m%d" % i]
    place = [b"FROMLONLAT", text(center[0]), text(center[1])]
    circle = [b"BYRADIUS", text(radius), b"m"]
    box = [b"BYBOX", text(2 * radius), text(radius), b"m"]
    search = [b"GEOSEARCH", b"g", *place]
    replies = sequence(both, [
        adding, [*search, *circle, b"WITHHASH"], [*search, *box, b"WITHHASH"],
        [*search, *circle, b"COUNT", b"%d" % count, b"ANY"],
        [b"GEORADIUS", b"g", *place[1:], *circle[1:], b"WITHCOORD"],
    ])
    for shape, found in ((circle, replies[1]), (box, replies[2])):
        if len({score for _, score in found}) == len(found):        # no two at one place
            sequence(both, [[*search, *shape, order, b"WITHDIST"], [*search, *shape, b"COUNT", b"%d" % count, order]],
                     reset=False)
