# cython: language_level=3
"""Points on the earth: sorted sets whose scores are geohashes. The searches are in geo_search.py."""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.geohash import Place, decode, encode, geohash_text, haversine, on_earth
from cython.cimports.carnelian.types.sorted_set import ADD_NX, ADD_XX, MEMBER_ADDED, SCORE_UPDATED, SortedSet

from carnelian.base.errors import ReplyError, SyntaxFault
from carnelian.base.numbers import parse_float
from carnelian.base.replies import NULL_ARRAY, LongDouble
from carnelian.keyspace import DENYOOM, READONLY, WRITE, command

UNITS = {b"m": 1.0, b"km": 1000.0, b"ft": 0.3048, b"mi": 1609.34}


# --- the words' arguments --------------------------------------------------------------------------------------------

def parse_unit(text: bytes) -> float:
    """The unit's length in metres."""
    unit = UNITS.get(text.lower())
    if unit is None:
        raise ReplyError("ERR unsupported unit provided. please use M, KM, FT, MI")
    return unit


def parse_point(longitude: bytes, latitude: bytes) -> tuple:
    """`(longitude, latitude)` in degrees."""
    point = parse_float(longitude), parse_float(latitude)
    if not on_earth(point[0], point[1]):
        raise ReplyError("ERR invalid longitude,latitude pair %f,%f" % point)
    return point


def show_distance(metres: float, unit: float) -> bytes:
    return b"%.4f" % (metres / unit)


# --- the words -------------------------------------------------------------------------------------------------------

@command("GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]", WRITE | DENYOOM, since="3.2.0",
         group="geo", keys="RW UPDATE", complexity="O(log(N)) for each member added, with N the size of the sorted set")
def geoadd(c: Call, key: bytes, *words: bytes):
    """Add members at places on the earth, or move members."""
    flags: cython.int = 0
    count_changes: cython.bint = False
    at: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    added: cython.Py_ssize_t = 0
    updated: cython.Py_ssize_t = 0
    values: SortedSet
    while at < len(words):
        option = words[at].lower()
        if option == b"nx":
            flags |= ADD_NX
        elif option == b"xx":
            flags |= ADD_XX
        elif option == b"ch":
            count_changes = True
        else:
            break
        at += 1
    if at == len(words) or (len(words) - at) % 3 or (flags & ADD_NX and flags & ADD_XX):
        raise SyntaxFault()
    members: list = list(words[at + 2::3])
    scores: list = []
    for i in range(at, len(words), 3):
        longitude, latitude = parse_point(words[i], words[i + 1])
        scores.append(encode(longitude, latitude))
    values = c.sorted_set_at(key, not flags & ADD_XX)
    if values is not None:
        if values.length() == 0:
            values.prepare(len(members), len(members[0]))
        for score, member in zip(scores, members):
            outcome, _ = values.put(member, score, flags)
            if outcome & MEMBER_ADDED:
                added += 1
            elif outcome & SCORE_UPDATED:
                updated += 1
        if added or updated:
            c.changed(key, "zadd", added + updated)
            # The AOF and replicas get the scores: nothing depends on their arithmetic.
            c.propagate(b"ZADD", key, *words[:at],
                        *[word for score, member in zip(scores, members) for word in (b"%d" % score, member)])
    return added + updated if count_changes else added


@command("GEOPOS key [member [member ...]]", READONLY, since="3.2.0", group="geo", keys="RO ACCESS",
         complexity="O(N) with N the number of members given")
def geopos(c: Call, key: bytes, *members: bytes):
    """The longitudes and latitudes of members."""
    place: Place
    values: SortedSet = c.sorted_set_at(key)
    answer: list = []
    for member in members:
        score = None if values is None else values.score(member)
        if score is None:
            answer.append(NULL_ARRAY)
        else:
            decode(score, cython.address(place))
            answer.append([LongDouble(place.longitude), LongDouble(place.latitude)])
    return answer


@command("GEOHASH key [member [member ...]]", READONLY, since="3.2.0", group="geo", keys="RO ACCESS",
         complexity="O(N) with N the number of members given")
def geohash(c: Call, key: bytes, *members: bytes):
    """The places of members as geohash strings of 11 characters."""
    place: Place
    values: SortedSet = c.sorted_set_at(key)
    answer: list = []
    for member in members:
        score = None if values is None else values.score(member)
        if score is None:
            answer.append(None)
        else:
            decode(score, cython.address(place))
            answer.append(geohash_text(place.longitude, place.latitude))
    return answer


@command("GEODIST key member1 member2 [M | KM | FT | MI]", READONLY, since="3.2.0", group="geo", keys="RO ACCESS",
         complexity="O(1)")
def geodist(c: Call, key: bytes, member1: bytes, member2: bytes, *options: bytes):
    """The distance between two members."""
    place1: Place
    place2: Place
    if len(options) > 1:
        raise SyntaxFault()
    unit = parse_unit(options[0]) if options else 1.0
    values: SortedSet = c.sorted_set_at(key)
    if values is None:
        return None
    score1 = values.score(member1)
    score2 = values.score(member2)
    if score1 is None or score2 is None:
        return None
    decode(score1, cython.address(place1))
    decode(score2, cython.address(place2))
    return show_distance(haversine(place1.longitude, place1.latitude, place2.longitude, place2.latitude), unit)
