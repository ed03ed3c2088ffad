# cython: language_level=3, cdivision=True
"""HyperLogLog: the number of distinct elements of a set, with a standard error of 0.81 %, in at most 12 KiB.

Byte for byte the strings that Redis stores, so that they can be copied either way:

    "HYLL"  1 byte: form (0 dense, 1 sparse)  3 bytes: 0  8 bytes: cardinality, little-endian  registers

The highest bit of the cardinality says that it is out of date. An element's hash selects one of 16384 registers, which
holds the highest rank seen (the position of the first 1 in the other 50 bits of the hash; 0: none). The dense form has 6
bits for each register, from the least significant bit of each byte on. The sparse form is a sequence of runs of equal
registers:

    00nnnnnn            n + 1 registers that are 0
    01nnnnnn nnnnnnnn   n + 1 registers that are 0
    1vvvvvnn            n + 1 registers that are v + 1

It becomes dense when it grows over the limit hll_sparse_max_bytes, or a rank is over 32.

Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog: the analysis of a near-optimal cardinality estimation algorithm" (2007);
Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), https://arxiv.org/abs/1702.01284
"""
import cython
from cython.cimports.carnelian.types import limits
from cython.cimports.carnelian.types.hashing import little_endian
from cython.cimports.cpython.bytearray import PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.math import INFINITY, llround, sqrt
from cython.cimports.libc.string import memcmp, memcpy, memmove

from carnelian.base.errors import ReplyError

SEED = cython.declare(uint64_t, 0xADC83B19)
INDEX_BITS = cython.declare(cython.int, 14)
RANK_BITS = cython.declare(cython.int, 50)
LARGEST_SPARSE_RANK = cython.declare(cython.int, 32)
FORM = cython.declare(cython.int, 4)                    # offsets in the header
CARDINALITY = cython.declare(cython.int, 8)
OUT_OF_DATE = cython.declare(cython.int, 0x80)          # in the last byte of the cardinality

EMPTY = b"HYLL\x01" + bytes(11) + b"\x7f\xff"           # sparse: one run of 16384 zeros


class Corrupted(ReplyError):
    text = "INVALIDOBJ Corrupted HLL object detected"


# --- hashing -------------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.exceptval(check=False)
def murmur(p: cython.pointer(cython.const[uint8_t]), n: cython.size_t) -> uint64_t:
    """MurmurHash64A (Austin Appleby, https://github.com/aappleby/smhasher), with the seed that Redis uses."""
    hash: uint64_t = SEED ^ n * MURMUR
    word: uint64_t
    rest: cython.size_t = n & 7
    stop: cython.pointer(cython.const[uint8_t]) = p + (n - rest)
    while p != stop:
        memcpy(cython.address(word), p, 8)
        word = little_endian(word) * MURMUR
        word ^= word >> 47
        hash = (hash ^ word * MURMUR) * MURMUR
        p += 8
    if rest:
        word = 0
        while rest:
            rest -= 1
            word = word << 8 | p[rest]
        hash = (hash ^ word) * MURMUR
    hash ^= hash >> 47
    hash *= MURMUR
    return hash ^ hash >> 47


def place_of(element, n):
    place: Place
    hash: uint64_t = murmur(cython.cast(cython.pointer(cython.const[uint8_t]), element), n)
    place.index = hash & (Size.REGISTERS - 1)
    hash >>= INDEX_BITS
    place.rank = 1
    while not hash & 1 and place.rank <= RANK_BITS:
        hash >>= 1
        place.rank += 1
    return place


# --- reading -------------------------------------------------------------------------------------------------------

def is_hyperloglog(p, n):
    return n >= Size.HEADER and memcmp(p, cython.cast(cython.p_char, b"HYLL"), 4) == 0 and p[FORM] <= 1 \
        and (p[FORM] == 1 or n == Size.DENSE)


def is_dense(p):
    return p[FORM] == 0


def cached(p):
    number: uint64_t
    if p[CARDINALITY + 7] & OUT_OF_DATE:
        return -1
    memcpy(cython.address(number), p + CARDINALITY, 8)
    return little_endian(number)


def register_at(p, index):
    byte: cython.int = index * 6 >> 3
    shift: cython.int = index * 6 & 7
    p += Size.HEADER + byte
    if shift <= 2:                                      # within one byte
        return p[0] >> shift & 63
    return (p[0] >> shift | p[1] << (8 - shift)) & 63


@cython.cfunc
@cython.exceptval(check=False)
def run_at(p: cython.pointer(cython.const[uint8_t]), left: cython.size_t, rank: cython.p_int,
           length: cython.p_int) -> cython.int:
    """The run at p, `left` bytes before the end: its rank and registers; gives its bytes, 0 if the second is missing."""
    if p[0] & 0x80:
        rank[0] = (p[0] >> 2 & 31) + 1
        length[0] = (p[0] & 3) + 1
        return 1
    rank[0] = 0
    if not p[0] & 0x40:
        length[0] = (p[0] & 63) + 1
        return 1
    if left < 2:
        return 0
    length[0] = ((p[0] & 63) << 8 | p[1]) + 1
    return 2


def rank_at(p, n, index):
    at: cython.size_t = Size.HEADER
    rank: cython.int = 0
    length: cython.int = 0
    size: cython.int
    if is_dense(p):
        return register_at(p, index)
    while at < n:
        size = run_at(p + at, n - at, cython.address(rank), cython.address(length))
        if size == 0:
            return -1
        if index < length:
            return rank
        index -= length
        at += size
    return -1


@cython.cfunc
@cython.exceptval(check=False)
def put_run(p: cython.pointer(uint8_t), rank: cython.int, length: cython.int) -> cython.int:
    """Writes a run in its shortest form, or none if it has no registers; how many bytes."""
    if length == 0:
        return 0
    if rank:
        p[0] = 0x80 | (rank - 1) << 2 | length - 1
        return 1
    if length <= 64:
        p[0] = length - 1
        return 1
    p[0] = 0x40 | length - 1 >> 8
    p[1] = length - 1 & 0xFF
    return 2


def empty():
    return cython.cast(cython.pointer(cython.const[uint8_t]), PyBytes_AS_STRING(EMPTY))


def merge(registers, p, n):
    at: cython.size_t = Size.HEADER
    index: cython.int = 0
    rank: cython.int
    length: cython.int
    size: cython.int
    if is_dense(p):
        for index in range(Size.REGISTERS):
            registers[index] = max(cython.cast(cython.int, registers[index]), register_at(p, index))
        return 0
    while at < n:
        size = run_at(p + at, n - at, cython.address(rank), cython.address(length))
        if size == 0 or index + length > Size.REGISTERS:
            raise Corrupted()
        at += size
        if rank == 0:
            index += length
            continue
        while length:
            registers[index] = max(cython.cast(cython.int, registers[index]), rank)
            index += 1
            length -= 1
    if index != Size.REGISTERS:
        raise Corrupted()
    return 0


# --- estimating ----------------------------------------------------------------------------------------------------

@cython.cfunc
@cython.exceptval(check=False)
def sigma(x: cython.double) -> cython.double:
    """The sum of x and all x^(2^k) * 2^(k-1): the correction for registers that are 0 (Ertl, section 2.3)."""
    factor: cython.double = 1
    total: cython.double = x
    before: cython.double = -1
    if x == 1:
        return INFINITY
    while total != before:
        x *= x
        before = total
        total += x * factor
        factor += factor
    return total


@cython.cfunc
@cython.exceptval(check=False)
def tau(x: cython.double) -> cython.double:
    """(1 - x - the sum of all (1 - x^(2^-k))^2 * 2^-k) / 3: the correction for registers that are full (Ertl, 2.3)."""
    factor: cython.double = 1
    total: cython.double = 1 - x
    before: cython.double = -1
    if x == 0 or x == 1:
        return 0
    while total != before:
        x = sqrt(x)
        before = total
        factor *= 0.5
        total -= (1 - x) * (1 - x) * factor
    return total / 3


@cython.cfunc
@cython.exceptval(check=False)
def from_histogram(counts: cython.p_int) -> int64_t:
    """The cardinality, from the number of registers of each rank."""
    m: cython.double = cython.cast(cython.int, Size.REGISTERS)
    z: cython.double = m * tau((m - counts[RANK_BITS + 1]) / m)
    rank: cython.int
    for rank in range(RANK_BITS, 0, -1):
        z += counts[rank]
        z *= 0.5
    z += m * sigma(counts[0] / m)
    return llround(0.721347520444481703680 * m * m / z)         # 1 / (2 ln 2), as Redis writes it


def estimate(p, n):
    counts: cython.int[64]
    at: cython.size_t = Size.HEADER
    index: cython.int
    rank: cython.int
    length: cython.int
    size: cython.int
    for index in range(64):
        counts[index] = 0
    if is_dense(p):
        for index in range(Size.REGISTERS):
            counts[register_at(p, index)] += 1
        return from_histogram(counts)
    index = 0
    while at < n:
        size = run_at(p + at, n - at, cython.address(rank), cython.address(length))
        if size == 0 or index + length > Size.REGISTERS:
            raise Corrupted()
        counts[rank] += length
        index += length
        at += size
    if index != Size.REGISTERS:
        raise Corrupted()
    return from_histogram(counts)


def estimate_registers(registers):
    counts: cython.int[64]
    index: cython.int
    for index in range(64):
        counts[index] = 0
    for index in range(Size.REGISTERS):
        counts[registers[index] & 63] += 1
    return from_histogram(counts)


# --- changing ------------------------------------------------------------------------------------------------------

def raise_rank(p, index, rank):
    shift: cython.int = index * 6 & 7
    if register_at(p, index) >= rank:
        return False
    p += Size.HEADER + (index * 6 >> 3)
    p[0] = p[0] & ~(63 << shift) | (rank << shift & 0xFF)
    if shift > 2:                                       # the rest lies in the next byte
        p[1] = p[1] & ~(63 >> (8 - shift)) | rank >> (8 - shift)
    return True


def raise_sparse(p, n, index, rank):
    at: cython.size_t = Size.HEADER
    before: cython.size_t = Size.HEADER                 # the run before the one that is sought
    first: cython.int = 0                               # its first register
    old: cython.int = 0
    length: cython.int = 0
    size: cython.int
    new: cython.int
    runs: uint8_t[8]
    if rank > LARGEST_SPARSE_RANK:
        return SPARSE_FULL
    while True:
        size = run_at(p + at, n[0] - at, cython.address(old), cython.address(length)) if at < n[0] else 0
        if size == 0:
            return SPARSE_CORRUPTED
        if index < first + length:
            break
        before = at
        at += size
        first += length
    if old >= rank:
        return 0
    new = put_run(runs, old, index - first)
    new += put_run(runs + new, rank, 1)
    new += put_run(runs + new, old, first + length - 1 - index)
    if new > size and cython.cast(int64_t, n[0]) + new - size > limits.hll_sparse_max_bytes:
        return SPARSE_FULL
    memmove(p + at + new, p + at + size, n[0] - at - size)
    memcpy(p + at, runs, new)
    n[0] += new - size
    join(p, n, before)
    return 1


@cython.cfunc
@cython.exceptval(check=False)
def join(p: cython.pointer(uint8_t), n: cython.pointer(cython.size_t), at: cython.size_t) -> cython.void:
    """Makes one of neighbouring runs of the same rank, among the five from `at` on."""
    left: cython.int = 5
    while left and at < n[0]:
        left -= 1
        if not p[at] & 0x80:
            at += 2 if p[at] & 0x40 else 1
        elif at + 1 < n[0] and p[at] & 0xFC == p[at + 1] & 0xFC and (p[at] & 3) + (p[at + 1] & 3) + 2 <= 4:
            p[at + 1] = p[at] & 0xFC | (p[at] & 3) + (p[at + 1] & 3) + 1
            n[0] -= 1
            memmove(p + at, p + at + 1, n[0] - at)      # and on with the joined run and the one after it
        else:
            at += 1


def set_outdated(p):
    p[CARDINALITY + 7] |= OUT_OF_DATE


@cython.final
@cython.cclass
class HyperLogLog:
    """A HyperLogLog that is being changed: `HyperLogLog()` is empty, `HyperLogLog(data)` what such bytes say.

    `data` are its bytes, a bytearray. ValueError if the bytes are none.
    """

    def __init__(self, data=EMPTY):
        self.data = bytearray(data)
        if not is_hyperloglog(self.start(), PyByteArray_GET_SIZE(self.data)):
            raise ValueError("not a HyperLogLog")

    def start(self):
        return cython.cast(cython.pointer(uint8_t), PyByteArray_AS_STRING(self.data))

    @property
    def dense(self) -> bool:
        return is_dense(self.start())

    def __bytes__(self):
        return bytes(self.data)

    def add(self, element: bytes) -> bool:
        """Counts an element: True if a register has changed. Corrupted."""
        place: Place = place_of(PyBytes_AS_STRING(element), PyBytes_GET_SIZE(element))
        return self.raise_register(place.index, place.rank)

    def merge_registers(self, registers: bytes) -> None:
        """Raises each register to the rank given for it, one a byte."""
        index: cython.int
        rank: cython.int
        if len(registers) != Size.REGISTERS:
            raise ValueError("as many ranks as registers")
        for index in range(Size.REGISTERS):
            rank = cython.cast(cython.uchar, PyBytes_AS_STRING(registers)[index])
            if rank:
                self.raise_register(index, rank)

    def cardinality(self) -> int:
        """The estimate. Corrupted."""
        return estimate(self.start(), PyByteArray_GET_SIZE(self.data))

    def registers(self) -> bytes:
        """The rank of each register, one a byte. Corrupted."""
        found: bytearray = bytearray(cython.cast(object, Size.REGISTERS))
        merge(cython.cast(cython.pointer(uint8_t), PyByteArray_AS_STRING(found)), self.start(),
              PyByteArray_GET_SIZE(self.data))
        return bytes(found)

    def runs(self) -> list:
        """The runs of a sparse one: (rank, registers, bytes it takes). Corrupted."""
        at: cython.size_t = Size.HEADER
        n: cython.size_t = PyByteArray_GET_SIZE(self.data)
        rank: cython.int
        length: cython.int
        size: cython.int
        found = []
        while at < n:
            size = run_at(self.start() + at, n - at, cython.address(rank), cython.address(length))
            if size == 0:
                raise Corrupted()
            found.append((rank, length, size))
            at += size
        return found

    def outdate(self) -> None:
        """The cardinality in the header is no longer that of the registers."""
        set_outdated(self.start())

    def raise_register(self, index, rank):
        """Whether the register was lower: it has this rank now. Corrupted."""
        if is_dense(self.start()):
            return raise_rank(self.start(), index, rank)
        n: cython.size_t = PyByteArray_GET_SIZE(self.data)
        PyByteArray_Resize(self.data, n + GROWTH)
        result: cython.int = raise_sparse(self.start(), cython.address(n), index, rank)
        PyByteArray_Resize(self.data, n)
        if result == SPARSE_CORRUPTED:
            raise Corrupted()
        if result == SPARSE_FULL:
            self.to_dense()
            return raise_rank(self.start(), index, rank)
        return result

    def to_dense(self):
        """Makes a sparse one dense: True if it was sparse. Corrupted."""
        index: cython.int
        if is_dense(self.start()):
            return False
        ranks: bytes = self.registers()
        dense: bytearray = self.data[:Size.HEADER] + bytearray(cython.cast(object, Size.DENSE - Size.HEADER))
        dense[FORM] = 0
        self.data = dense
        for index in range(Size.REGISTERS):
            if PyBytes_AS_STRING(ranks)[index]:
                raise_rank(self.start(), index, PyBytes_AS_STRING(ranks)[index])
        return True

    def _check(self) -> None:
        """The runs of a sparse one cover all registers; a dense one has a rank in each."""
        if self.dense:
            assert len(self.data) == Size.DENSE
            assert max(self.registers()) <= RANK_BITS + 1
        else:
            assert sum(length for _, length, _ in self.runs()) == Size.REGISTERS
