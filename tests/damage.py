"""Payloads of RESTORE that are damaged at random, and what is done with the values that come out all the same."""
import random

from carnelian.base.memory import used_memory
from carnelian.types import serial
from carnelian.types.hash import Hash
from carnelian.types.list import List
from carnelian.types.set import Set
from carnelian.types.sorted_set import SortedSet
from carnelian.types.stream import Stream
from carnelian.types.stream_group import Group
from tests.payloads import BODIES, NEWER_BODIES, payload


def plain(value):
    """What a value holds, as Python objects; the value is checked."""
    if isinstance(value, bytes):
        return value
    value._check()
    if isinstance(value, List):
        return value.range(0, -1)
    if isinstance(value, Set):
        return set(value.members())
    if isinstance(value, Hash):
        if value.next_expiry is not None:
            return {field: (content, time) for field, content, time in value.times()}
        pairs = value.pairs()
        return dict(zip(pairs[::2], pairs[1::2]))
    if isinstance(value, SortedSet):
        return value.items()
    return (value.range(), value.last_id, value.first_id, value.max_deleted_id, value.entries_added,
            {name: (group.last_id, group.entries_read, group.pending_entries(),
                    {consumer.name: (consumer.seen_time, consumer.pending_ids()) for consumer in group.consumers.values()})
             for name, group in (value.groups or {}).items()})


def stream(entries):
    value = Stream()
    for i in range(entries):
        value.add((1000 + i // 3, i % 3 + 1), [b"name", b"%d" % i] if i % 5 else [b"other", b"x" * i, b"name", b"1"])
    for i in range(0, entries, 7):
        value.delete((1000 + i // 3, i % 3 + 1))
    for name in (b"g", b"empty", b"\x00\xff"):
        group = Group((1000 + entries // 6, 1))
        value.add_group(name, group)
        if name != b"empty":
            one, two = group.add_consumer(b"one", 1700000000000), group.add_consumer(b"two", 1700000000001)
            group.add_consumer(b"7", 1)
            for i in range(entries // 2):
                group.add_pending((1000 + i // 3, i % 3 + 1), two if i % 3 else one, 1700000000000 + i, i)
    return value


def values():
    yield from (b"", b"text", b"12", b"-129", b"32768", b"2147483648", b"007", b"x" * 20000, bytes(range(256)))
    for n, width in ((1, 1), (5, 3), (130, 2), (700, 30), (3, 9000)):
        members = [(b"%d" % i) * width for i in range(1, n + 1)]
        numbers, hash, words, scores, elements = Set(), Hash(), Set(), SortedSet(), List()
        for i, member in enumerate(members):
            numbers.insert(b"%d" % (i * i * width * width - 5))
            words.insert(b"m" + member)
            hash.set(b"f" + member, member)
            scores.put(b"m" + member, (float("inf"), -0.1, i, 1e300)[i % 4])
            elements.push_right(member)
        expiring = hash.copy()
        for i, member in enumerate(members):
            if i % 3:
                expiring.schedule(b"f" + member, (1700000000000, 1, 2**46 - 1, 1600000000000 + i)[i % 4])
        yield from (numbers, hash, words, scores, elements, expiring)
    yield from (Stream(), stream(1), stream(30), stream(700))


def mutate(chance, body):
    body = bytearray(body)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(body)) if body else 0
        kind = chance.randrange(6)
        if kind < 2 and body:
            body[at] ^= 1 << chance.randrange(8)
        elif kind == 2 and body:
            body[at] = chance.choice((0, 1, 2, 0x3F, 0x7F, 0x80, 0x81, 0xBF, 0xC0, 0xC3, 0xE0, 0xF0, 0xF4, 0xFE, 0xFF))
        elif kind == 3:
            del body[at:at + chance.choice((1, 1, 4, 50))]
        elif kind == 4:
            body[at:at] = chance.randbytes(chance.choice((1, 1, 2, 8)))
        elif body:
            other = chance.randrange(len(body))
            body[at:at + 4] = body[other:other + 4]
    return bytes(body)


def work(value):
    """Some changes that go through all of a value."""
    if isinstance(value, bytes):
        return
    if isinstance(value, List):
        value.insert(value.index(-1), b"new", True)
        value.set(0, b"x" * 100)
        value.push_left(b"1")
        value.trim(0, len(value) // 2)
        value.remove(0, b"1")
    elif isinstance(value, Set):
        value.insert(b"new member")
        for member in value.members()[::2]:
            assert value.discard(member)
    elif isinstance(value, Hash):
        value.set(b"new field", b"x" * 100)
        value.schedule(b"new field", 5)
        value.hide_until(3)
        value.pop_expired(4, 1)
        value.hide_until(2**50)
        for field in value.sample(10):
            value.schedule(field, 10)
        value.hide_until(0)
        for field in value.keys()[::2]:
            assert value.delete(field)
    elif isinstance(value, SortedSet):
        for member in value.members()[::2]:
            value.put(member, 7.5)
        value.remove_interval(0, len(value) // 2)
    else:
        for group in (value.groups or {}).values():
            consumer = group.add_consumer(b"new", 1)
            if consumer is not None:
                group.deliver(value, consumer, 3, 5, False)
                for id, *_ in group.pending_entries():
                    group.claim(value, consumer, id, 0, 6, 6)
            group.lag(value)
        for id, _ in value.range()[1::2]:
            ms, seq = id.split(b"-")
            assert value.delete((int(ms), int(seq)))
        value.trim_length(1)
        if value.last_id < (2**64 - 1, 0):
            value.add((2**64 - 1, 1), [b"f", b"v"])
    value._check()


def torture(rounds, seed):
    """Restores so many damaged payloads: each is refused, or gives a sound value; nothing is left behind. How many were sound."""
    chance = random.Random(seed)
    bodies = [*BODIES.values(), *NEWER_BODIES.values()]
    bodies += [serial.dump(value)[:-10] for value in values() if isinstance(value, bytes) or len(serial.dump(value)) < 20000]
    before, sound = used_memory(), 0
    for _ in range(rounds):
        body = mutate(chance, chance.choice(bodies))
        try:
            value = serial.restore(payload(body))
        except serial.DamagedValue:
            assert used_memory() == before, body
            continue
        content = plain(value)
        assert plain(serial.restore(serial.dump(value))) == content, body
        work(value)
        sound += 1
        del value
        assert used_memory() == before, body
    return sound
