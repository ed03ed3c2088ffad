# cython: language_level=3
"""Ordered lists of pending entries, with a range walk by ID."""
import cython
from cython.cimports.libc.string import memcpy, memmove
from cython.cimports.carnelian.base.memory import allocate, block_size, release, resize
from cython.cimports.carnelian.types.stream_id import id_less


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def chunk_of(list: cython.pointer(Pending), ms: uint64_t, seq: uint64_t) -> cython.Py_ssize_t:
    """The last chunk whose first ID is not above this one; the first chunk if there is none."""
    low: cython.Py_ssize_t = 0
    high: cython.Py_ssize_t = list.count - 1
    middle: cython.Py_ssize_t
    while low < high:
        middle = (low + high + 1) >> 1
        if id_less(ms, seq, list.chunks[middle].ms, list.chunks[middle].seq):
            high = middle - 1
        else:
            low = middle
    return low


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def index_in(chunk: cython.pointer(PendingChunk), ms: uint64_t, seq: uint64_t) -> cython.int:
    """How many of its entries are below this ID."""
    low: cython.int = 0
    high: cython.int = chunk.count
    middle: cython.int
    nack: cython.pointer(Nack)
    while low < high:
        middle = (low + high) >> 1
        nack = chunk.items[middle]
        if id_less(nack.ms, nack.seq, ms, seq):
            low = middle + 1
        else:
            high = middle
    return low


@cython.cfunc
@cython.exceptval(-1)
def new_chunk(list: cython.pointer(Pending), at: cython.Py_ssize_t, capacity: cython.int) -> cython.int:
    """An empty chunk at this place of the directory."""
    size: cython.size_t = cython.sizeof(PendingChunk)
    wanted: cython.Py_ssize_t
    chunk: cython.pointer(PendingChunk)
    items: cython.pointer(cython.pointer(Nack)) = cython.cast(
        cython.pointer(cython.pointer(Nack)), allocate(capacity * cython.sizeof(cython.p_void)))
    if list.count == list.capacity:
        wanted = list.capacity + (list.capacity >> 1) + 1
        try:
            list.chunks = cython.cast(cython.pointer(PendingChunk),
                                      resize(list.chunks, list.capacity * size, wanted * size))
        except MemoryError:
            release(items, capacity * cython.sizeof(cython.p_void))
            raise
        list.capacity = wanted
    chunk = list.chunks + at
    memmove(chunk + 1, chunk, (list.count - at) * size)
    chunk.items = items
    chunk.count = 0
    chunk.capacity = capacity
    list.count += 1
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def drop_chunk(list: cython.pointer(Pending), at: cython.Py_ssize_t) -> cython.void:
    size: cython.size_t = cython.sizeof(PendingChunk)
    chunk: cython.pointer(PendingChunk) = list.chunks + at
    release(chunk.items, chunk.capacity * cython.sizeof(cython.p_void))
    list.count -= 1
    memmove(chunk, chunk + 1, (list.count - at) * size)
    if list.count == 0:
        release(list.chunks, list.capacity * size)
        list.chunks = cython.NULL
        list.capacity = 0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def name_chunk(chunk: cython.pointer(PendingChunk)) -> cython.void:
    chunk.ms = chunk.items[0].ms
    chunk.seq = chunk.items[0].seq


def pending_add(list, nack):
    word: cython.size_t = cython.sizeof(cython.p_void)
    at: cython.Py_ssize_t
    index: cython.int
    half: cython.int
    wanted: cython.int
    chunk: cython.pointer(PendingChunk)
    if list.count == 0:
        new_chunk(list, 0, 2)
    at = chunk_of(list, nack.ms, nack.seq)
    chunk = list.chunks + at
    index = index_in(chunk, nack.ms, nack.seq)
    if chunk.count == CHUNK:
        if index == CHUNK and at == list.count - 1:     # at the end, where most come: the full chunk stays full
            new_chunk(list, at + 1, CHUNK // 4)
            at += 1
            index = 0
        else:
            new_chunk(list, at + 1, CHUNK)
            half = CHUNK // 2
            chunk = list.chunks + at
            memcpy(list.chunks[at + 1].items, chunk.items + half, half * word)
            chunk.count = half
            list.chunks[at + 1].count = half
            name_chunk(list.chunks + at + 1)
            if index > half:
                at += 1
                index -= half
        chunk = list.chunks + at
    if chunk.count == chunk.capacity:
        wanted = 2 * chunk.capacity
        chunk.items = cython.cast(cython.pointer(cython.pointer(Nack)),
                                  resize(chunk.items, chunk.capacity * word, wanted * word))
        chunk.capacity = wanted
    memmove(chunk.items + index + 1, chunk.items + index, (chunk.count - index) * word)
    chunk.items[index] = nack
    chunk.count += 1
    if index == 0:
        name_chunk(chunk)
    list.size += 1
    return 0


def pending_find(list, ms, seq):
    index: cython.int
    nack: cython.pointer(Nack)
    chunk: cython.pointer(PendingChunk)
    if list.count == 0:
        return cython.NULL
    chunk = list.chunks + chunk_of(list, ms, seq)
    index = index_in(chunk, ms, seq)
    if index == chunk.count:
        return cython.NULL
    nack = chunk.items[index]
    return nack if nack.ms == ms and nack.seq == seq else cython.NULL


def pending_take(list, ms, seq):
    word: cython.size_t = cython.sizeof(cython.p_void)
    at: cython.Py_ssize_t
    index: cython.int
    nack: cython.pointer(Nack)
    chunk: cython.pointer(PendingChunk)
    following: cython.pointer(PendingChunk)
    if list.count == 0:
        return cython.NULL
    at = chunk_of(list, ms, seq)
    chunk = list.chunks + at
    index = index_in(chunk, ms, seq)
    if index == chunk.count:
        return cython.NULL
    nack = chunk.items[index]
    if nack.ms != ms or nack.seq != seq:
        return cython.NULL
    chunk.count -= 1
    list.size -= 1
    if chunk.count == 0:
        drop_chunk(list, at)
        return nack
    memmove(chunk.items + index, chunk.items + index + 1, (chunk.count - index) * word)
    if index == 0:
        name_chunk(chunk)
    if at + 1 < list.count:
        following = chunk + 1
        if chunk.count + following.count <= CHUNK // 4 and chunk.count + following.count <= chunk.capacity:
            memcpy(chunk.items + chunk.count, following.items, following.count * word)
            chunk.count += following.count
            drop_chunk(list, at + 1)
    return nack


def pending_seek(list, ms, seq, place):
    chunk: cython.pointer(PendingChunk)
    if list.count == 0:
        return cython.NULL
    place.chunk = chunk_of(list, ms, seq)
    chunk = list.chunks + place.chunk
    place.index = index_in(chunk, ms, seq)
    if place.index < chunk.count:
        return chunk.items[place.index]
    place.index -= 1
    return pending_next(list, place)


def pending_next(list, place):
    chunk: cython.pointer(PendingChunk) = list.chunks + place.chunk
    place.index += 1
    if place.index == chunk.count:
        place.chunk += 1
        place.index = 0
        if place.chunk == list.count:
            return cython.NULL
        chunk += 1
    return chunk.items[place.index]


def pending_last(list):
    chunk: cython.pointer(PendingChunk)
    if list.count == 0:
        return cython.NULL
    chunk = list.chunks + (list.count - 1)
    return chunk.items[chunk.count - 1]


def pending_clear(list):
    k: cython.Py_ssize_t
    for k in range(list.count):
        release(list.chunks[k].items, list.chunks[k].capacity * cython.sizeof(cython.p_void))
    release(list.chunks, list.capacity * cython.sizeof(PendingChunk))
    list.chunks = cython.NULL
    list.count = list.capacity = 0
    list.size = 0


def pending_memory(list):
    k: cython.Py_ssize_t
    total: cython.size_t = block_size(list.capacity * cython.sizeof(PendingChunk))
    for k in range(list.count):
        total += block_size(list.chunks[k].capacity * cython.sizeof(cython.p_void))
    return total


def pending_check(list):
    k: cython.Py_ssize_t
    i: cython.int
    size: cython.size_t = 0
    chunk: cython.pointer(PendingChunk)
    nack: cython.pointer(Nack)
    last: cython.pointer(Nack) = cython.NULL
    assert list.count <= list.capacity
    for k in range(list.count):
        chunk = list.chunks + k
        assert 0 < chunk.count <= chunk.capacity <= CHUNK
        assert chunk.ms == chunk.items[0].ms and chunk.seq == chunk.items[0].seq
        for i in range(chunk.count):
            nack = chunk.items[i]
            assert last == cython.NULL or id_less(last.ms, last.seq, nack.ms, nack.seq)
            last = nack
        size += chunk.count
    assert size == list.size
    return 0
