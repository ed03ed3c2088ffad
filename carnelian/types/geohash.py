# cython: language_level=3, cdivision=True
"""Geohashes: points on the earth as integers that lie close together where the points do.

G. Niemeyer's geohash (2008), the bits of longitude and latitude interleaved, as Redis keeps it in scores:
https://redis.io/docs/latest/commands/geoadd/. Distances are those of a sphere (R. W. Sinnott, "Virtues of the Haversine",
1984). A shape is searched in the cell of its centre and the eight around it, at the step where these surely cover it.
"""
import cython
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.math import M_PI, asin, cos, fabs, sin, sqrt

EARTH_RADIUS = cython.declare(cython.double, 6372797.560856)            # metres; Redis's
# Half the width of the world in Mercator's projection, metres: what a radius is doubled up to when its step is sought.
MERCATOR_MAX = cython.declare(cython.double, 20037726.37)
LONGITUDE_MAX = cython.declare(cython.double, 180.0)
LATITUDE_MAX = cython.declare(cython.double, 85.05112878)               # where Mercator's projection is cut to a square
DEGREE = cython.declare(cython.double, M_PI / 180.0)
ALPHABET = cython.declare(bytes, b"0123456789bcdefghjkmnpqrstuvwxyz")
# Every second bit, two, four, eight, sixteen bits of twice as many. Typed here: as literals they would be Python integers.
BITS1 = cython.declare(uint64_t, 0x5555555555555555)
BITS2 = cython.declare(uint64_t, 0x3333333333333333)
BITS4 = cython.declare(uint64_t, 0x0F0F0F0F0F0F0F0F)
BITS8 = cython.declare(uint64_t, 0x00FF00FF00FF00FF)
BITS16 = cython.declare(uint64_t, 0x0000FFFF0000FFFF)
# The eight cells around one, in the order in which they are searched: steps to the east, steps to the north.
AROUND_X = cython.declare(cython.int[8], [0, 0, 1, -1, 1, -1, 1, -1])
AROUND_Y = cython.declare(cython.int[8], [1, -1, 0, 0, 1, 1, -1, -1])


# --- bits ------------------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def spread(number: uint32_t) -> uint64_t:
    """The bits at the even places."""
    v: uint64_t = number
    v = (v | (v << 16)) & BITS16
    v = (v | (v << 8)) & BITS8
    v = (v | (v << 4)) & BITS4
    v = (v | (v << 2)) & BITS2
    return (v | (v << 1)) & BITS1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def gather(v: uint64_t) -> uint32_t:
    """The bits at the even places, side by side."""
    v = v & BITS1
    v = (v | (v >> 1)) & BITS2
    v = (v | (v >> 2)) & BITS4
    v = (v | (v >> 4)) & BITS8
    v = (v | (v >> 8)) & BITS16
    return cython.cast(uint32_t, v | (v >> 16))


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def cell_bits(cell: cython.pointer(Cell)) -> uint64_t:
    return spread(cell.y) | (spread(cell.x) << 1)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def place_in(value: cython.double, low: cython.double, high: cython.double, step: cython.int) -> uint32_t:
    """Which of the 2^step parts of [low, high) the value is in; the high end itself is in the part after the last."""
    share: cython.double = (value - low) / (high - low)
    return cython.cast(uint32_t, share * cython.cast(cython.double, cython.cast(uint64_t, 1) << step))


@cython.cfunc
@cython.exceptval(check=False)
def cell_of(longitude: cython.double, latitude: cython.double, step: cython.int) -> Cell:
    cell: Cell
    cell.x = place_in(longitude, -LONGITUDE_MAX, LONGITUDE_MAX, step)
    cell.y = place_in(latitude, -LATITUDE_MAX, LATITUDE_MAX, step)
    cell.step = step
    return cell


@cython.cfunc
@cython.exceptval(check=False)
def area_of(cell: cython.pointer(Cell)) -> Area:
    area: Area
    parts: cython.double = cython.cast(cython.double, cython.cast(uint64_t, 1) << cell.step)
    width: cython.double = 2 * LONGITUDE_MAX
    height: cython.double = 2 * LATITUDE_MAX
    area.west = -LONGITUDE_MAX + (cell.x / parts) * width
    area.east = -LONGITUDE_MAX + ((cell.x + 1.0) / parts) * width
    area.south = -LATITUDE_MAX + (cell.y / parts) * height
    area.north = -LATITUDE_MAX + ((cell.y + 1.0) / parts) * height
    return area


@cython.cfunc
@cython.exceptval(check=False)
def beside(cell: cython.pointer(Cell), x: cython.int, y: cython.int) -> Cell:
    """The cell so many to the east and to the north; past the edge of the world it is at the other edge."""
    other: Cell = cell[0]
    last: uint32_t = (cython.cast(uint32_t, 1) << cell.step) - 1
    if x:
        other.x = (cell.x + cython.cast(uint32_t, x)) & last
    if y:
        other.y = (cell.y + cython.cast(uint32_t, y)) & last
    return other


# --- points ----------------------------------------------------------------------------------------------------------

def on_earth(longitude, latitude):
    return -LONGITUDE_MAX <= longitude <= LONGITUDE_MAX and -LATITUDE_MAX <= latitude <= LATITUDE_MAX


def encode(longitude, latitude):
    cell: Cell = cell_of(longitude, latitude, STEPS)
    return cell_bits(cython.address(cell))


def decode(score, place):
    bits: uint64_t = cython.cast(uint64_t, score)
    cell: Cell
    area: Area
    cell.x = gather(bits >> 1)
    cell.y = gather(bits)
    cell.step = STEPS
    area = area_of(cython.address(cell))
    place.longitude = min(max((area.west + area.east) / 2, -LONGITUDE_MAX), LONGITUDE_MAX)
    place.latitude = min(max((area.south + area.north) / 2, -LATITUDE_MAX), LATITUDE_MAX)
    place.distance = 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def meridian_distance(latitude1: cython.double, latitude2: cython.double) -> cython.double:
    """Metres between two points of the same longitude."""
    return EARTH_RADIUS * fabs(latitude2 * DEGREE - latitude1 * DEGREE)


def haversine(longitude1, latitude1, longitude2, latitude2):
    u: cython.double
    v: cython.double = sin((longitude2 * DEGREE - longitude1 * DEGREE) / 2)
    radians1: cython.double = latitude1 * DEGREE
    radians2: cython.double = latitude2 * DEGREE
    if v == 0:
        return meridian_distance(latitude1, latitude2)
    u = sin((radians2 - radians1) / 2)
    return 2.0 * EARTH_RADIUS * asin(sqrt(u * u + cos(radians1) * cos(radians2) * v * v))


def geohash_text(longitude, latitude):
    """The usual geohash, whose latitudes reach from pole to pole. Of the 55 bits of 11 characters 52 are known: the last
    character is always 0."""
    text: cython.char[11]
    i: cython.int
    bits: uint64_t = spread(place_in(latitude, -90, 90, STEPS)) | (spread(place_in(longitude, -180, 180, STEPS)) << 1)
    letters: cython.p_const_char = ALPHABET
    for i in range(10):
        text[i] = letters[(bits >> (47 - 5 * i)) & 31]
    text[10] = b'0'
    return PyBytes_FromStringAndSize(text, 11)


# --- shapes ----------------------------------------------------------------------------------------------------------

class Shape:
    """A circle or a box (its sides along the meridians and the parallels) around a point.

    Degrees and metres: `Shape(longitude, latitude, radius)` or `Shape(longitude, latitude, width=..., height=...)`.
    """

    def __init__(self, longitude: float, latitude: float, radius: float = -1.0, width: float = 0.0, height: float = 0.0):
        self.longitude = longitude
        self.latitude = latitude
        self.box = radius < 0
        self.radius = sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2)) if self.box else radius
        self.width = width
        self.height = height

    def holds(self, score, place):
        """Whether the point of that score is in the shape, and where it is."""
        decode(score, place)
        # Parallels tell most of what is outside, without a sine. No rounding puts a point of a circle beyond this margin.
        if meridian_distance(place.latitude, self.latitude) > (self.height / 2 if self.box else self.radius * 1.000001 + 0.001):
            return False
        if self.box:
            if haversine(place.longitude, place.latitude, self.longitude, place.latitude) > self.width / 2:
                return False
        place.distance = haversine(self.longitude, self.latitude, place.longitude, place.latitude)
        return self.box or not place.distance > self.radius

    def bounds(self):
        """What the shape lies in; the meridians are closest at the side that is nearer to a pole."""
        area: Area
        half_height: cython.double = self.height / 2 if self.box else self.radius
        half_width: cython.double = self.width / 2 if self.box else self.radius
        up: cython.double = half_height / EARTH_RADIUS / DEGREE
        side: cython.double
        if self.latitude < 0:
            side = half_width / EARTH_RADIUS / cos((self.latitude - up) * DEGREE) / DEGREE
        else:
            side = half_width / EARTH_RADIUS / cos((self.latitude + up) * DEGREE) / DEGREE
        area.west = self.longitude - side
        area.east = self.longitude + side
        area.south = self.latitude - up
        area.north = self.latitude + up
        return area

    def cells(self, cells):
        center: Cell
        cell: Cell
        area: Area
        there: Area
        bounds: Area = self.bounds()
        step: cython.int = step_for(self.radius, self.latitude)
        coarser: cython.bint = False
        i: cython.int
        count: cython.int = 1
        center = cell_of(self.longitude, self.latitude, step)
        if step > 1:
            # The neighbours may end within the shape where its centre is close to an edge of its cell.
            cell = beside(cython.address(center), 0, 1)
            there = area_of(cython.address(cell))
            coarser = there.north < bounds.north
            cell = beside(cython.address(center), 0, -1)
            there = area_of(cython.address(cell))
            coarser = coarser or there.south > bounds.south
            cell = beside(cython.address(center), 1, 0)
            there = area_of(cython.address(cell))
            coarser = coarser or there.east < bounds.east
            cell = beside(cython.address(center), -1, 0)
            there = area_of(cython.address(cell))
            coarser = coarser or there.west > bounds.west
            if coarser:
                step -= 1
                center = cell_of(self.longitude, self.latitude, step)
        area = area_of(cython.address(center))
        cells[0] = center
        for i in range(8):
            # Where a side of the middle cell is outside of the shape, so are the cells beyond. Of step 1 there are only four.
            if step >= 2 and ((AROUND_Y[i] < 0 and area.south < bounds.south) or (AROUND_Y[i] > 0 and area.north > bounds.north)
                              or (AROUND_X[i] < 0 and area.west < bounds.west)
                              or (AROUND_X[i] > 0 and area.east > bounds.east)):
                continue
            cell = beside(cython.address(center), AROUND_X[i], AROUND_Y[i])
            # A large shape meets the same cell from two sides.
            if cell.x == cells[count - 1].x and cell.y == cells[count - 1].y:
                continue
            cells[count] = cell
            count += 1
        return count

    def ranges(self) -> list:
        """The half-open ranges of scores `[(low, high), ...]` that cover the shape, in the order in which they are searched."""
        cells: Cell[9]
        i: cython.int
        found: list = []
        for i in range(self.cells(cells)):
            low: uint64_t = cell_bits(cython.address(cells[i]))
            rest: cython.int = 2 * (STEPS - cells[i].step)
            found.append((low << rest, (low + 1) << rest))
        return found

    def distance(self, score: float):
        """Metres from the centre to the point of that score; None if it is outside of the shape."""
        place: Place
        return place.distance if self.holds(score, cython.address(place)) else None


@cython.cfunc
@cython.exceptval(check=False)
def step_for(radius: cython.double, latitude: cython.double) -> cython.int:
    """The finest step whose cells are as wide as a radius (metres), within a factor of two."""
    step: cython.int = 1
    if radius == 0:
        return STEPS
    while radius < MERCATOR_MAX:
        radius *= 2
        step += 1
    step -= 2                           # the radius is covered in the worst case, too
    if fabs(latitude) > 66:             # towards the poles cells are narrower
        step -= 1
        if fabs(latitude) > 80:
            step -= 1
    return min(max(step, 1), STEPS)


# --- for Python ------------------------------------------------------------------------------------------------------

def score_of(longitude: float, latitude: float) -> int:
    """The geohash of 52 bits. ValueError for a point that has none (latitudes end at 85.05112878 degrees)."""
    if not on_earth(longitude, latitude):
        raise ValueError("not a point that can be encoded")
    return encode(longitude, latitude)


def point_of(score: float) -> tuple:
    """`(longitude, latitude)` of the centre of the cell."""
    place: Place
    decode(score, cython.address(place))
    return place.longitude, place.latitude


def distance_between(longitude1: float, latitude1: float, longitude2: float, latitude2: float) -> float:
    """Metres on the sphere."""
    return haversine(longitude1, latitude1, longitude2, latitude2)


def text_of(longitude: float, latitude: float) -> bytes:
    """The geohash of 11 characters."""
    return geohash_text(longitude, latitude)
