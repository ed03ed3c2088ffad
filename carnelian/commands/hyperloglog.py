# cython: language_level=3
"""HyperLogLogs: how many distinct elements. https://redis.io/docs/latest/commands/?group=hyperloglog"""
import cython
from cython.cimports.carnelian.keyspace.call import Call
from cython.cimports.carnelian.types.hyperloglog import (
    HyperLogLog, Place, Size, cached, estimate, estimate_registers, is_dense, is_hyperloglog, merge, place_of, register_at)
from cython.cimports.carnelian.types.table import INLINE, Entry, entry_kind, entry_value
from cython.cimports.cpython.bytearray import PyByteArray_AS_STRING
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t, uint8_t

from carnelian.base.errors import ReplyError, WrongType
from carnelian.base.replies import OK, Status
from carnelian.keyspace import ADMIN, DENYOOM, FAST, MAY_REPLICATE, READONLY, WRITE, command


@cython.cfunc
@cython.exceptval(check=False)
def bytes_of(e: cython.pointer(Entry)) -> cython.pointer(uint8_t):
    return cython.cast(cython.pointer(uint8_t), entry_value(e))


@cython.cfunc
def hyperloglog_entry(c: Call, key: bytes) -> cython.pointer(Entry):
    """The entry of a HyperLogLog (valid until the next change), NULL if it is missing; WrongType, also for other strings."""
    slot: cython.pointer(cython.pointer(Entry)) = c.find(key)
    if slot == cython.NULL:
        return cython.NULL
    if entry_kind(slot[0]) != INLINE:
        raise WrongType()
    if not is_hyperloglog(bytes_of(slot[0]), slot[0].value_length):
        raise ReplyError("WRONGTYPE Key is not a valid HyperLogLog string value.")
    return slot[0]


@cython.cfunc
def copy_of(e: cython.pointer(Entry)) -> HyperLogLog:
    return HyperLogLog(entry_value(e)[:e.value_length])


@cython.cfunc
@cython.exceptval(check=False)
def has_counted(e: cython.pointer(Entry), elements: tuple) -> cython.bint:
    """Whether a dense one would not change. That is the rule for one that has seen much, and spares copying it."""
    place: Place
    element: bytes
    if not is_dense(bytes_of(e)):
        return False
    for element in elements:
        place = place_of(PyBytes_AS_STRING(element), PyBytes_GET_SIZE(element))
        if register_at(bytes_of(e), place.index) < place.rank:
            return False
    return True


@command("PFADD key [element [element ...]]", WRITE | DENYOOM | FAST, since="2.8.9", group="hyperloglog", keys="RW INSERT",
         complexity="O(1) for each element")
def pfadd(c: Call, key: bytes, *elements: bytes):
    """Count elements in a HyperLogLog, which is made if it is missing; gives whether the estimate may have changed."""
    e: cython.pointer(Entry) = hyperloglog_entry(c, key)
    if e != cython.NULL and has_counted(e, elements):
        return 0
    changes: int64_t = 1 if e == cython.NULL else 0
    sketch: HyperLogLog = HyperLogLog() if e == cython.NULL else copy_of(e)
    for element in elements:
        changes += sketch.add(element)
    if not changes:
        return 0
    sketch.outdate()
    c.rewrite(key, bytes(sketch))
    c.changed(key, "pfadd", changes)
    return 1


@command("PFCOUNT key [key ...]", READONLY | MAY_REPLICATE, since="2.8.9", group="hyperloglog", keys="RW ACCESS",
         complexity="O(1) for one key, O(N) for N keys")
def pfcount(c: Call, *keys: bytes):
    """Estimate the distinct elements of a HyperLogLog, or of the union of several."""
    e: cython.pointer(Entry)
    number: int64_t
    if len(keys) > 1:
        registers = bytearray(cython.cast(object, Size.REGISTERS))
        merge_keys(c, keys, registers)
        return estimate_registers(cython.cast(cython.pointer(uint8_t), PyByteArray_AS_STRING(registers)))
    e = hyperloglog_entry(c, keys[0])
    if e == cython.NULL:
        return 0
    number = cached(bytes_of(e))
    if number < 0:
        number = estimate(bytes_of(e), e.value_length)
        c.overwrite(keys[0], 8, cython.cast(object, number).to_bytes(8, "little"))
        c.changed(keys[0], None)
    return number


@cython.cfunc
@cython.exceptval(-1)
def merge_keys(c: Call, keys: tuple, registers: bytearray) -> cython.int:
    """The registers of the union; gives whether one of the HyperLogLogs is dense."""
    e: cython.pointer(Entry)
    dense: cython.bint = False
    for key in keys:
        e = hyperloglog_entry(c, key)
        if e != cython.NULL:
            merge(cython.cast(cython.pointer(uint8_t), PyByteArray_AS_STRING(registers)), bytes_of(e), e.value_length)
            dense = dense or is_dense(bytes_of(e))
    return dense


@command("PFMERGE destkey [sourcekey [sourcekey ...]]", WRITE | DENYOOM, since="2.8.9", group="hyperloglog",
         keys="RW ACCESS INSERT, RO ACCESS", complexity="O(N) for N keys")
def pfmerge(c: Call, destkey: bytes, *sourcekeys: bytes):
    """Merge HyperLogLogs into the first one, which is made if it is missing."""
    registers = bytearray(cython.cast(object, Size.REGISTERS))
    c.reading = True
    dense: cython.bint = merge_keys(c, (destkey, *sourcekeys), registers)
    c.reading = False
    e: cython.pointer(Entry) = hyperloglog_entry(c, destkey)
    sketch: HyperLogLog = HyperLogLog() if e == cython.NULL else copy_of(e)
    if dense:
        sketch.to_dense()
    sketch.merge_registers(bytes(registers))
    sketch.outdate()
    c.rewrite(destkey, bytes(sketch))
    c.changed(destkey, "pfadd")
    return OK


# --- for those who debug -------------------------------------------------------------------------------------------

def run_text(rank: int, length: int, size: int) -> str:
    """A run of the sparse form as DECODE shows it."""
    if rank:
        return f"v:{rank},{length}"
    return f"Z:{length}" if size == 2 else f"z:{length}"


@command("PFDEBUG subcommand key", WRITE | DENYOOM | ADMIN, since="2.8.9", group="hyperloglog", keys="RW ACCESS",
         complexity="N/A")
def pfdebug(c: Call, subcommand: bytes, key: bytes):
    """Show the inside of a HyperLogLog: GETREG, DECODE, ENCODING; or make it dense: TODENSE."""
    action = subcommand.upper()
    c.reading = True
    e: cython.pointer(Entry) = hyperloglog_entry(c, key)
    c.reading = False
    if e == cython.NULL:
        raise ReplyError("ERR The specified key does not exist")
    sketch: HyperLogLog = copy_of(e)
    if action == b"ENCODING":
        return Status(b"dense" if sketch.dense else b"sparse")
    if action == b"DECODE":
        if sketch.dense:
            raise ReplyError("ERR HLL encoding is not sparse")
        return " ".join([run_text(*run) for run in sketch.runs()]).encode()
    if action != b"GETREG" and action != b"TODENSE":
        raise ReplyError(f"ERR Unknown PFDEBUG subcommand '{subcommand.decode('utf-8', 'surrogateescape')}'")
    made_dense = sketch.to_dense()
    if made_dense:
        c.rewrite(key, bytes(sketch))
        c.changed(key, None)
    return list(sketch.registers()) if action == b"GETREG" else int(made_dense)


@command("PFSELFTEST", ADMIN, since="2.8.9", group="hyperloglog", complexity="N/A")
def pfselftest(c: Call):
    """Test the HyperLogLogs: that both forms agree, and that the estimates are near enough."""
    sparse = HyperLogLog()
    dense = HyperLogLog()
    dense.to_dense()
    for count in range(1, 10001):
        element = b"%d" % count
        sparse.add(element)
        dense.add(element)
        if count in (1, 10, 100, 1000, 10000):
            if sparse.registers() != dense.registers():
                raise ReplyError(f"TESTFAILED the forms differ after {count} elements")
            if abs(dense.cardinality() - count) > 6 * 0.0081 * count + 1:         # six standard errors
                raise ReplyError(f"TESTFAILED {dense.cardinality()} is the estimate for {count} elements")
    return OK
