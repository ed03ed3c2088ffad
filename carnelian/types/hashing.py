# cython: language_level=3
"""Hashing and chance.

Hash: SipHash-1-3 (https://www.aumasson.jp/siphash/siphash.pdf), keyed at random for each process, so that nobody can
choose keys that collide. Chance: xoroshiro128++ (https://prng.di.unimi.it/xoroshiro128plusplus.c), fast and fair, not for
secrets.
"""
import os

import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import uint8_t, uint32_t, uint64_t
from cython.cimports.libc.string import memcpy

key_low = cython.declare(uint64_t)
key_high = cython.declare(uint64_t)
random_low = cython.declare(uint64_t)
random_high = cython.declare(uint64_t)


def set_seed(seed):
    global key_low, key_high
    if len(seed) != 16:
        raise ValueError("the seed must have 16 bytes")
    key_low = int.from_bytes(seed[:8], "little")
    key_high = int.from_bytes(seed[8:], "little")
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _rotate(x: uint64_t, bits: cython.int) -> uint64_t:
    return (x << bits) | (x >> (64 - bits))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _round(v: cython.pointer(uint64_t)) -> cython.void:
    v[0] += v[1]
    v[2] += v[3]
    v[1] = _rotate(v[1], 13) ^ v[0]
    v[3] = _rotate(v[3], 16) ^ v[2]
    v[0] = _rotate(v[0], 32)
    v[2] += v[1]
    v[0] += v[3]
    v[1] = _rotate(v[1], 17) ^ v[2]
    v[3] = _rotate(v[3], 21) ^ v[0]
    v[2] = _rotate(v[2], 32)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _siphash(p: cython.p_const_char, n: cython.size_t) -> uint64_t:
    v: uint64_t[4]
    m: uint64_t
    i: cython.size_t = 0
    left: cython.int = n & 7
    v[0] = key_low ^ SIP0
    v[1] = key_high ^ SIP1
    v[2] = key_low ^ SIP2
    v[3] = key_high ^ SIP3
    while i + 8 <= n:
        memcpy(cython.address(m), p + i, 8)
        m = little_endian(m)
        v[3] ^= m
        _round(v)
        v[0] ^= m
        i += 8
    m = 0
    if left:
        if n >= 8:                      # the last eight bytes in one load, what has been read shifted out
            memcpy(cython.address(m), p + n - 8, 8)
            m = little_endian(m)
            m >>= 64 - 8 * left
        else:
            while left:
                left -= 1
                m = (m << 8) | cython.cast(uint8_t, p[i + left])
    m |= cython.cast(uint64_t, n) << 56
    v[3] ^= m
    _round(v)
    v[0] ^= m
    v[2] ^= 0xFF
    _round(v)
    _round(v)
    _round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def hash_bytes(p, n):
    return cython.cast(uint32_t, _siphash(p, n))


def hash_of(data: bytes) -> int:
    """The hash that the table uses for a key: 32 bits."""
    return hash_bytes(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


def random_bits():
    global random_low, random_high
    low: uint64_t = random_low
    high: uint64_t = random_high
    result: uint64_t = _rotate(low + high, 17) + low
    high ^= low
    random_low = _rotate(low, 49) ^ high ^ (high << 21)
    random_high = _rotate(high, 28)
    return result


def random_below(n):
    return random_bits() % n


set_seed(os.urandom(16))
random_low = int.from_bytes(os.urandom(8), "little") | 1
random_high = int.from_bytes(os.urandom(8), "little")
