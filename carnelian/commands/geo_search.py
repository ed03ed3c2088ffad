# cython: language_level=3
"""Searches for the members in a circle or a box: GEOSEARCH, the older GEORADIUS, and their forms that store what they find."""
from operator import itemgetter

import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.geohash import Place, Shape, decode
from cython.cimports.carnelian.types.sorted_set import Member, SortedSet, Walk, walk_next
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize

from carnelian.base.errors import NotFloat, ReplyError, SyntaxFault
from carnelian.base.numbers import parse_float, parse_integer
from carnelian.base.replies import LongDouble
from carnelian.commands.geo import parse_point, parse_unit, show_distance
from carnelian.keyspace import DENYOOM, READONLY, WRITE, command

NEAREST = cython.declare(cython.int, 1)
FARTHEST = cython.declare(cython.int, 2)

distance_of = itemgetter(0)


# --- the words' arguments --------------------------------------------------------------------------------------------

@cython.cfunc
def parse_length(text: bytes, name: str):
    try:
        return parse_float(text)
    except NotFloat:
        raise ReplyError(f"ERR need numeric {name}")


@cython.final
@cython.cclass
class Search:
    """What is asked for: the shape, how many of its members, in which order, what is told of them or where they are stored."""

    values: SortedSet               # what is searched, or None
    center: tuple                   # (longitude, latitude); None before it is known, or where nothing is searched
    radius: cython.double           # metres; negative for a box
    width: cython.double
    height: cython.double
    unit: cython.double             # of the distances told or stored; metres
    order: cython.int               # 0: as found
    count: object                   # 0: all
    any: cython.bint
    with_distance: cython.bint
    with_hash: cython.bint
    with_coordinates: cython.bint
    destination: bytes              # or None
    store_distance: cython.bint

    def __init__(self, values):
        self.values = values
        self.radius = -1
        self.count = 0

    @cython.cfunc
    def from_member(self, member: bytes):
        """A missing key has no center: the words are read to their end, and nothing is found."""
        place: Place
        if self.values is None:
            return
        score = self.values.score(member)
        if score is None:
            raise ReplyError("ERR could not decode requested zset member")
        decode(score, cython.address(place))
        self.center = (place.longitude, place.latitude)

    @cython.cfunc
    def by_radius(self, radius: bytes, unit: bytes):
        length = parse_length(radius, "radius")
        if length < 0:
            raise ReplyError("ERR radius cannot be negative")
        self.unit = parse_unit(unit)
        self.radius = length * self.unit

    @cython.cfunc
    def by_box(self, width: bytes, height: bytes, unit: bytes):
        w = parse_length(width, "width")
        h = parse_length(height, "height")
        if w < 0 or h < 0:
            raise ReplyError("ERR height or width cannot be negative")
        self.unit = parse_unit(unit)
        self.width = w * self.unit
        self.height = h * self.unit

    @cython.cfunc
    def common_option(self, options: tuple, at: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Reads what GEOSEARCH and GEORADIUS share: how many words that were, 0 if it is another option."""
        option = options[at].lower()
        if option == b"withdist":
            self.with_distance = True
        elif option == b"withhash":
            self.with_hash = True
        elif option == b"withcoord":
            self.with_coordinates = True
        elif option == b"any":
            self.any = True
        elif option == b"asc":
            self.order = NEAREST
        elif option == b"desc":
            self.order = FARTHEST
        elif option == b"count" and at + 1 < len(options):
            self.count = parse_integer(options[at + 1])
            if self.count <= 0:
                raise ReplyError("ERR COUNT must be > 0")
            return 2
        else:
            return 0
        return 1

    @cython.cfunc
    def tells_more(self) -> cython.bint:
        return self.with_distance or self.with_hash or self.with_coordinates

    @cython.cfunc
    def finish(self):
        """After all options."""
        if self.any and not self.count:
            raise ReplyError("ERR the ANY argument requires COUNT argument")
        # The nearest ones are meant, unless any will do.
        if self.count and not self.order and not self.any:
            self.order = NEAREST


@cython.cfunc
def parse_radius_options(search: Search, options: tuple, storing: cython.bint):
    """What follows the unit of GEORADIUS."""
    at: cython.Py_ssize_t = 0
    taken: cython.Py_ssize_t
    while at < len(options):
        taken = search.common_option(options, at)
        if not taken:
            option = options[at].lower()
            if option not in (b"store", b"storedist") or not storing or at + 1 == len(options):
                raise SyntaxFault()
            search.destination = options[at + 1]
            search.store_distance = option == b"storedist"
            taken = 2
        at += taken
    if search.destination is not None and search.tells_more():
        raise ReplyError("ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
    search.finish()


@cython.cfunc
def parse_search(c: Call, values, options: tuple, destination) -> Search:
    """What follows the keys of GEOSEARCH and GEOSEARCHSTORE; `destination` is None for the former."""
    search: Search = Search(values)
    at: cython.Py_ssize_t = 0
    taken: cython.Py_ssize_t
    left: cython.Py_ssize_t
    member: cython.bint = False
    point: cython.bint = False
    circle: cython.bint = False
    box: cython.bint = False
    search.destination = destination
    while at < len(options):
        taken = search.common_option(options, at)
        if not taken:
            option = options[at].lower()
            left = len(options) - at - 1
            if option == b"frommember" and left >= 1 and not point:
                search.from_member(options[at + 1])
                member = True
                taken = 2
            elif option == b"fromlonlat" and left >= 2 and not member:
                search.center = parse_point(options[at + 1], options[at + 2])
                point = True
                taken = 3
            elif option == b"byradius" and left >= 2 and not box:
                search.by_radius(options[at + 1], options[at + 2])
                circle = True
                taken = 3
            elif option == b"bybox" and left >= 3 and not circle:
                search.by_box(options[at + 1], options[at + 2], options[at + 3])
                box = True
                taken = 4
            elif option == b"storedist" and destination is not None:
                search.store_distance = True
                taken = 1
            else:
                raise SyntaxFault()
        at += taken
    name = c.words[0].decode()
    if destination is not None and search.tells_more():
        raise ReplyError("ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options")
    if not member and not point:
        raise ReplyError(f"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}")
    if not circle and not box:
        raise ReplyError(f"ERR exactly one of BYRADIUS and BYBOX can be specified for {name}")
    search.finish()
    return search


# --- searching -------------------------------------------------------------------------------------------------------

@cython.cfunc
def find(search: Search) -> list:
    """`[(metres, member, score, longitude, latitude), ...]` in the order asked for."""
    shape: Shape
    place: Place
    walk: Walk
    member: Member
    end: cython.double
    limit: cython.Py_ssize_t = 0
    found: list = []
    if search.values is None:
        return found
    if search.any:
        limit = min(search.count, search.values.length())
    shape = Shape(search.center[0], search.center[1], search.radius, search.width, search.height)
    for low, high in shape.ranges():
        if limit and len(found) >= limit:
            break
        end = high
        search.values.walk(cython.address(walk), search.values.rank_of_score(low, False), False)
        while walk_next(cython.address(walk), cython.address(member)) and member.score < end:
            if shape.holds(member.score, cython.address(place)):
                found.append((place.distance, PyBytes_FromStringAndSize(member.data, member.length), member.score,
                              place.longitude, place.latitude))
                if limit and len(found) >= limit:
                    break
    if search.order:
        found.sort(key=distance_of, reverse=search.order == FARTHEST)
    return found[:search.count] if search.count else found


@cython.cfunc
def tell(search: Search, found: list):
    if not search.tells_more():
        return [member for _, member, _, _, _ in found]
    answer: list = []
    for metres, member, score, longitude, latitude in found:
        item: list = [member]
        if search.with_distance:
            item.append(show_distance(metres, search.unit))
        if search.with_hash:
            item.append(int(score))
        if search.with_coordinates:
            item.append([LongDouble(longitude), LongDouble(latitude)])
        answer.append(item)
    return answer


@cython.cfunc
def keep(c: Call, search: Search, found: list, event: str):
    """Stores what was found; nothing is left under the destination where that is nothing."""
    values: SortedSet
    if not found:
        if c.delete(search.destination):
            c.changed(search.destination, "del")
        return 0
    values = SortedSet()
    values.prepare(len(found), max([len(item[1]) for item in found]))
    for metres, member, score, _, _ in found:
        values.put(member, metres / search.unit if search.store_distance else score)
    c.put(search.destination, values)
    c.changed(search.destination, event, len(found))
    return len(found)


@cython.cfunc
def answer_radius(c: Call, search: Search):
    if search.destination is None:
        return tell(search, find(search))
    return keep(c, search, find(search), "georadiusstore")


# --- the words -------------------------------------------------------------------------------------------------------

@command("GEOSEARCH key <FROMMEMBER member | FROMLONLAT longitude latitude> "
         "<BYRADIUS radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] "
         "[WITHCOORD] [WITHDIST] [WITHHASH]", READONLY, since="6.2.0", group="geo", keys="RO ACCESS",
         complexity="O(N+log(M)) with N the number of members in the cells around the shape and M the number inside of it")
def geosearch(c: Call, key: bytes, *options: bytes):
    """The members in a circle or a box around a member or a point."""
    search: Search = parse_search(c, c.sorted_set_at(key), options, None)
    return tell(search, find(search))


@command("GEOSEARCHSTORE destination source <FROMMEMBER member | FROMLONLAT longitude latitude> "
         "<BYRADIUS radius <M | KM | FT | MI> | BYBOX width height <M | KM | FT | MI>> [ASC | DESC] [COUNT count [ANY]] "
         "[STOREDIST]", WRITE | DENYOOM, since="6.2.0", group="geo", keys="OW UPDATE, RO ACCESS",
         complexity="O(N+log(M)) with N the number of members in the cells around the shape and M the number inside of it")
def geosearchstore(c: Call, destination: bytes, source: bytes, *options: bytes):
    """Store the members in a circle or a box under another key; the number of members stored."""
    c.reading = True                    # the source counts as a hit or a miss
    search: Search = parse_search(c, c.sorted_set_at(source), options, destination)
    return keep(c, search, find(search), "geosearchstore")


@cython.cfunc
def around_point(c: Call, key: bytes, words: tuple, storing: cython.bint) -> Search:
    """`words` are longitude, latitude, radius, unit and options."""
    c.reading = True                    # also where the word may write
    search: Search = Search(c.sorted_set_at(key))
    search.center = parse_point(words[0], words[1])
    search.by_radius(words[2], words[3])
    parse_radius_options(search, words[4:], storing)
    return search


@cython.cfunc
def around_member(c: Call, key: bytes, words: tuple, storing: cython.bint) -> Search:
    """`words` are member, radius, unit and options."""
    c.reading = True
    search: Search = Search(c.sorted_set_at(key))
    if search.values is not None:       # else Redis reads neither the radius nor the unit
        search.from_member(words[0])
        search.by_radius(words[1], words[2])
    parse_radius_options(search, words[3:], storing)
    return search


@command("GEORADIUS key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] "
         "[ASC | DESC] [STORE key | STOREDIST key]", WRITE | DENYOOM, since="3.2.0", group="geo", keys="RO ACCESS, OW UPDATE",
         complexity="O(N+log(M)) with N the number of members in the cells around the circle and M the number inside of it")
def georadius(c: Call, key: bytes, *words: bytes):
    """The members in a circle around a point, told or stored under another key. GEOSEARCH does the same and more."""
    return answer_radius(c, around_point(c, key, words, True))


@command("GEORADIUS_RO key longitude latitude radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
         "[COUNT count [ANY]] [ASC | DESC]", READONLY, since="3.2.10", group="geo", keys="RO ACCESS",
         complexity="O(N+log(M)) with N the number of members in the cells around the circle and M the number inside of it")
def georadius_ro(c: Call, key: bytes, *words: bytes):
    """GEORADIUS without its forms that store."""
    return answer_radius(c, around_point(c, key, words, False))


@command("GEORADIUSBYMEMBER key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] "
         "[ASC | DESC] [STORE key | STOREDIST key]", WRITE | DENYOOM, since="3.2.0", group="geo", keys="RO ACCESS, OW UPDATE",
         complexity="O(N+log(M)) with N the number of members in the cells around the circle and M the number inside of it")
def georadiusbymember(c: Call, key: bytes, *words: bytes):
    """The members in a circle around another one, told or stored under another key. GEOSEARCH does the same and more."""
    return answer_radius(c, around_member(c, key, words, True))


@command("GEORADIUSBYMEMBER_RO key member radius <M | KM | FT | MI> [WITHCOORD] [WITHDIST] [WITHHASH] "
         "[COUNT count [ANY]] [ASC | DESC]", READONLY, since="3.2.10", group="geo", keys="RO ACCESS",
         complexity="O(N+log(M)) with N the number of members in the cells around the circle and M the number inside of it")
def georadiusbymember_ro(c: Call, key: bytes, *words: bytes):
    """GEORADIUSBYMEMBER without its forms that store."""
    return answer_radius(c, around_member(c, key, words, False))
