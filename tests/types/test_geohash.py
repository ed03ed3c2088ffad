"""Geohashes against plain Python: bisection, the haversine, and a search that looks at every point."""
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.types.geohash import Shape, distance_between, point_of, score_of, text_of

LATITUDE_MAX = 85.05112878
EARTH_RADIUS = 6372797.560856

longitudes = st.floats(-180, 179.999999)
latitudes = st.floats(-LATITUDE_MAX, LATITUDE_MAX - 1e-6)


def bisect(longitude, latitude, bits, most):
    """The geohash by its definition: halves of the longitudes and the latitudes in turn."""
    ranges, values, number = [[-180.0, 180.0], [-most, most]], [longitude, latitude], 0
    for i in range(bits):
        low, high = ranges[i % 2]
        middle = (low + high) / 2
        upper = values[i % 2] >= middle
        ranges[i % 2] = [middle, high] if upper else [low, middle]
        number = 2 * number + upper
    return number, ranges


def near(a, b):
    """Numbers of one cell and a neighbour differ where rounding decides on an edge."""
    return point_of(a) == pytest.approx(point_of(b), abs=1e-5)


@given(longitudes, latitudes)
def test_encoding(longitude, latitude):
    score = score_of(longitude, latitude)
    assert near(score, bisect(longitude, latitude, 52, LATITUDE_MAX)[0])
    there = point_of(score)
    assert there == pytest.approx((longitude, latitude), abs=360 / 2**26)
    assert score_of(*there) == score


def test_known_geohashes():
    assert text_of(-5.6, 42.6) == b"ezs42e44yx0"                # the first five letters are Wikipedia's example
    assert text_of(0, 0) == b"s0000000000"
    assert score_of(13.361389, 38.115556) == 3479099956230698   # of GEOADD's documentation
    for longitude, latitude in ((180.1, 0), (-181, 0), (0, 85.1), (0, -86), (math.nan, 0)):
        with pytest.raises(ValueError):
            score_of(longitude, latitude)


@given(st.floats(-179, 179), st.floats(-85, 85))
def test_text(longitude, latitude):
    number, (west_east, south_north) = bisect(longitude, latitude, 50, 90)
    if min(abs(longitude - west_east[0]), abs(west_east[1] - longitude)) < 1e-9 \
            or min(abs(latitude - south_north[0]), abs(south_north[1] - latitude)) < 1e-9:
        return
    letters = "0123456789bcdefghjkmnpqrstuvwxyz"
    expected = "".join(letters[(number >> (45 - 5 * i)) & 31] for i in range(10)) + "0"
    assert text_of(longitude, latitude).decode() == expected


def by_vectors(a, b):
    """The distance on the sphere by the angle between two vectors: another formula than the one under test."""
    def vector(longitude, latitude):
        x, y = math.radians(longitude), math.radians(latitude)
        return math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)
    u, v = vector(*a), vector(*b)
    cross = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    return EARTH_RADIUS * math.atan2(math.hypot(*cross), sum(p * q for p, q in zip(u, v)))


@given(longitudes, latitudes, longitudes, latitudes)
def test_distance(longitude1, latitude1, longitude2, latitude2):
    expected = by_vectors((longitude1, latitude1), (longitude2, latitude2))
    got = distance_between(longitude1, latitude1, longitude2, latitude2)
    # The haversine loses digits near the antipodes.
    assert got == pytest.approx(expected, rel=1e-6, abs=1e-3 if expected < 1.9e7 else 2)


@given(longitude=st.floats(-170, 170), latitude=st.floats(-75, 75), size=st.floats(0.1, 500_000),
       aspect=st.floats(0.2, 5), box=st.booleans(),
       offsets=st.lists(st.tuples(st.floats(-1.3, 1.3), st.floats(-1.3, 1.3)), min_size=1, max_size=80))
def test_ranges_cover_the_shape(longitude, latitude, size, aspect, box, offsets):
    """Every point within the shape is in one of its ranges, which don't overlap. (Far from the poles and from the date line,
    where Redis, too, misses points of large shapes.)"""
    shape = Shape(longitude, latitude, width=size, height=size * aspect) if box else Shape(longitude, latitude, size)
    ranges = shape.ranges()
    assert 1 <= len(ranges) <= 9
    in_order = sorted(ranges)
    assert all(low < high for low, high in ranges)
    assert all(a[1] <= b[0] for a, b in zip(in_order, in_order[1:]))
    degrees = math.degrees(size * max(aspect, 1) / EARTH_RADIUS)
    for x, y in offsets:
        place = (max(-180, min(180, longitude + x * degrees / math.cos(math.radians(latitude)))),
                 max(-85, min(85, latitude + y * degrees)))
        score = score_of(*place)
        there = point_of(score)
        distance = shape.distance(score)
        if box:
            dx = distance_between(longitude, there[1], *there) - size / 2
            dy = abs(there[1] - latitude) * math.radians(1) * EARTH_RADIUS - size * aspect / 2
            outside = max(dx, dy)
        else:
            outside = distance_between(longitude, latitude, *there) - size
        if abs(outside) > 1e-6:                     # else rounding decides
            assert (distance is None) == (outside > 0)
        if distance is not None:
            assert distance == pytest.approx(by_vectors((longitude, latitude), there), rel=1e-6, abs=1e-3)
            assert any(low <= score < high for low, high in ranges)


def test_edges():
    assert Shape(0, 0, 0.0).ranges() and Shape(0, 0, math.inf).ranges() and Shape(0, 0, width=0.0, height=0.0).ranges()
    for longitude in (-180, 180):
        for latitude in (-LATITUDE_MAX, LATITUDE_MAX):
            score = score_of(longitude, latitude)
            assert point_of(score) == pytest.approx((longitude, latitude), abs=1e-5)
            for radius in (0.0, 10.0, 1e4, 1e7):
                shape = Shape(*point_of(score), radius)
                assert shape.distance(score) == 0
