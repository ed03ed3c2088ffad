# Points on the earth as geohashes of 52 bits, which a sorted set keeps as scores, and the shapes that are searched for them.
#
# A cell of step s halves the longitudes and the latitudes s times each; x and y count the cells from the west and the south.
# Its bits are x and y interleaved, y first. A point is a cell of step 26: 52 bits, which a double holds exactly.

cimport cython
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    STEPS = 26

ctypedef struct Cell:
    uint32_t x
    uint32_t y
    int step                    # 0: no cell

ctypedef struct Area:           # degrees
    double west
    double south
    double east
    double north

ctypedef struct Place:          # what a score stands for, seen from the centre of a shape
    double longitude
    double latitude
    double distance             # metres

cdef bint on_earth(double longitude, double latitude) noexcept          # within what can be encoded
cdef uint64_t encode(double longitude, double latitude) noexcept        # the score of a point that is on_earth
cdef void decode(double score, Place *place) noexcept                   # the centre of its cell; no distance
cdef double haversine(double longitude1, double latitude1, double longitude2, double latitude2) noexcept    # metres
cdef bytes geohash_text(double longitude, double latitude)              # 11 characters

@cython.final
cdef class Shape:
    cdef double longitude, latitude     # the centre
    cdef bint box
    cdef double radius                  # of a circle; metres
    cdef double width, height           # of a box; metres

    cdef bint holds(self, double score, Place *place) noexcept
    cdef Area bounds(self) noexcept
    cdef int cells(self, Cell *cells) noexcept              # room for 9; how many cells cover the shape
