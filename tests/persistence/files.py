"""Files of data for the tests of the tools."""
import random

from carnelian.persistence import convert, format
from carnelian.server.words.digest import database_digest
from carnelian.types import serial
from carnelian.types.hash import Hash
from carnelian.types.json_document import JsonDocument, parse
from tests.damage import values
from tests.payloads import BODIES

FUTURE = 1 << 42            # milliseconds since the epoch


def document(text):
    return JsonDocument.of(parse(text), len(text))


def everything(fields_expire=True, documents=True):
    """[(database, key, value, expiry), ...]: values of all types and encodings."""
    chance = random.Random(4)
    found = [value for value in values() if fields_expire or not isinstance(value, Hash) or value.next_expiry is None]
    if documents:
        found += [document(text) for text in (b"5", b'{"a":[1,2.5,"\xc3\xa4\\n",null],"base64":"eA=="}',
                                              b"[" + b"1e300,-0.1," * 500 + b"0]")]
    entries = [(chance.choice((0, 0, 3)), b"key:%d" % i, value, chance.choice((None, None, FUTURE + i))) for i, value in enumerate(found)]
    return [*entries, (15, b"\xff\x00binary", b"\xfe", 1), (15, b"{\"json\"}", b"\r\n*1", None), (0, b"", b"", None)]


def write_rdb(path, entries, version=12, functions=()):
    """An RDB file without a checksum."""
    output = convert.Output()
    for db, key, value, expiry in entries:
        output.put_byte(format.DATABASE)
        output.put_length(db)
        convert.put_entry(output, key, value, expiry)
    path.write_bytes(convert.rdb_header(version, functions, {}) + output.take() + b"\xff" + bytes(8))
    return str(path)


def write_bodies(path, bodies=BODIES):
    """An RDB file of values in old types."""
    output = convert.Output()
    path.write_bytes(b"REDIS0012" + b"".join(body[:1] + key_bytes(output, name) + body[1:] for name, body in bodies.items())
                     + b"\xff" + bytes(8))
    return str(path)


def key_bytes(output, name):
    output.put_bytes(name.encode())
    return output.take()


def digest(path):
    """DEBUG DIGEST of what is in a source."""
    return database_digest(convert.load(str(path)).engine.store.databases)


def dumps(path):
    """{(database, key): (dump, expiry)}: all that is in a source, to the last byte."""
    return {(db, key): (serial.dump(value), expiry) for db, key, value, expiry in convert.load(str(path)).items()}
