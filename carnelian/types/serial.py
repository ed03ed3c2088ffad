"""One value as bytes and back: the payload of DUMP and RESTORE.

    type (1) | value | RDB version (2, little endian) | CRC-64 of all before it (8, little endian)

The type and value are as in an RDB file; serial_write and serial_read do them.
"""
import struct

import anycrc

from carnelian.types.serial_read import DamagedValue, Input
from carnelian.types.serial_types import EXPIRING_HASH, EXPIRING_LISTPACK, EXPIRING_VERSION, NEWEST_VERSION, VERSION
from carnelian.types.serial_write import Output, type_of

FOOTER = 10                                 # bytes

checksum = anycrc.Model("CRC64-REDIS").calc


class WrongFooter(ValueError):
    """The version is too new, or the checksum another."""


def version_of(type: int) -> int:
    """The version of the format that a reader of this type (as `type_of` gives it) must know."""
    return EXPIRING_VERSION if type in (EXPIRING_HASH, EXPIRING_LISTPACK) else VERSION


def dump(value) -> bytes:
    """The payload of a value (bytes or a structure)."""
    output = Output()
    type = type_of(value)
    version = version_of(type)
    output.put_byte(type)
    output.put_value(value)
    output.put_byte(version & 255)
    output.put_byte(version >> 8)
    data = output.take()
    return data + struct.pack("<Q", checksum(data))


def restore(payload: bytes):
    """The value of a payload: WrongFooter; DamagedValue. What may follow the value is ignored, as Redis does."""
    if len(payload) < FOOTER:
        raise WrongFooter("the payload is too short")
    version, = struct.unpack_from("<H", payload, len(payload) - FOOTER)
    expected, = struct.unpack_from("<Q", payload, len(payload) - 8)
    if version > NEWEST_VERSION:
        raise WrongFooter(f"version {version} of the format is not known")
    if checksum(memoryview(payload)[:-8]) != expected:
        raise WrongFooter("the checksum is another")
    source = Input(payload, 0, len(payload) - FOOTER)
    return source.value(source.byte())


__all__ = ["DamagedValue", "Input", "Output", "WrongFooter", "checksum", "dump", "restore", "type_of", "version_of"]
