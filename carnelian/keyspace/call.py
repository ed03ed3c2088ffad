# cython: language_level=3, cdivision=True
"""What a command's body works with: keys, effects, waiting. docs/architecture.md has the table of its methods."""
import cython
from cython.cimports.carnelian.base.numbers import text_to_double
from cython.cimports.carnelian.types.hash import Hash, expires
from cython.cimports.carnelian.types.table import (
    EXPIRES, HASH, INLINE, LIST, MODULE, RAW, SET, SORTED_SET, STREAM, entry_expiry, entry_kind, entry_object, entry_value)
from cython.cimports.carnelian.keyspace.session import NO_TOUCH
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cython.cimports.libc.math import ceil
from cython.cimports.libc.string import memcpy, memset

from carnelian.base.errors import NotJson, ReplyError, StringTooLong, WrongType
from carnelian.base.replies import NULL_ARRAY, WAIT
from carnelian.keyspace.database import KIND_NAMES
from carnelian.keyspace.store import CLASSES
from carnelian.types.json_document import JsonDocument
from carnelian.types.list import List
from carnelian.types.set import Set
from carnelian.types.sorted_set import SortedSet
from carnelian.types.stream import Stream

KINDS = {List: LIST, Set: SET, SortedSet: SORTED_SET, Hash: HASH, Stream: STREAM, JsonDocument: MODULE}
MAKERS = cython.declare(tuple, (None, List, Set, SortedSet, Hash, None, Stream))
MISSED = cython.declare(cython.int, CLASSES["m"])
APPEARED = cython.declare(cython.int, CLASSES["n"])


@cython.final
@cython.cclass
class Call:
    """One execution of one word for one client."""

    def __init__(self, store: Store, engine=None):
        self.store = store
        self.engine = engine

    def begin(self, session, command, words):
        self.session = session
        self.db = session.db
        self.words = words
        self.command = command
        self.modified = False
        self.created = None
        self.effects = None
        self.last_key = None
        self.last_structure = None
        self.parked = None
        return 0

    def finish(self):
        """After the body: what was made and left empty vanishes, and no reference to a structure is kept."""
        slot: cython.pointer(cython.pointer(Entry))
        self.last_key = None
        self.last_structure = None
        if self.created is not None:
            for key in self.created:
                slot = self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
                if slot != cython.NULL and entry_kind(slot[0]) != INLINE \
                        and len(cython.cast(object, entry_object(slot[0]))) == 0:
                    self.db.remove(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
            self.created = None
        return 0

    @property
    def now(self):
        """Milliseconds since the epoch: the time of this batch."""
        return self.store.now

    # --- finding -----------------------------------------------------------------------------------------------------

    def find(self, key):
        slot: cython.pointer(cython.pointer(Entry))
        if self.session.flags & NO_TOUCH:
            slot = self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        else:
            slot = self.db.lookup(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if self.reading:
            self.count(key, slot != cython.NULL)
        return slot

    def count(self, key, found):
        if found:
            self.store.hits += 1
            return 0
        self.store.misses += 1
        if self.store.notify_flags & MISSED:
            self.store.notify(self.db.index, key, "keymiss", "generic")
        return 0

    def structure_at(self, key, kind, create):
        structure: object = None
        slot: cython.pointer(cython.pointer(Entry)) = self.find(key)
        if slot != cython.NULL:
            if entry_kind(slot[0]) != kind:
                raise WrongType()
            structure = cython.cast(object, entry_object(slot[0]))
            if kind == HASH and expires(cython.cast(Hash, structure)) and not self.db.freshen(slot):
                structure = None
        if structure is None and create:
            structure = MAKERS[kind]()
            self.db.put_object(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key), kind, structure, False)
            if self.created is None:
                self.created = []
            self.created.append(key)
        elif structure is None:
            return None
        self.last_key = key
        self.last_structure = structure
        return structure

    def string_at(self, key):
        """The string, None if the key is missing; WrongType."""
        slot: cython.pointer(cython.pointer(Entry)) = self.find(key)
        if slot == cython.NULL:
            return None
        if entry_kind(slot[0]) != INLINE:
            raise WrongType()
        return PyBytes_FromStringAndSize(entry_value(slot[0]), slot[0].value_length)

    def list_at(self, key, create=False):
        return self.structure_at(key, LIST, create)

    def hash_at(self, key, create=False):
        return self.structure_at(key, HASH, create)

    def set_at(self, key, create=False):
        return self.structure_at(key, SET, create)

    def sorted_set_at(self, key, create=False):
        return self.structure_at(key, SORTED_SET, create)

    def stream_at(self, key, create=False):
        return self.structure_at(key, STREAM, create)

    def json_at(self, key):
        """The JsonDocument, None if the key is missing; NotJson."""
        slot: cython.pointer(cython.pointer(Entry)) = self.find(key)
        if slot == cython.NULL:
            return None
        if entry_kind(slot[0]) != MODULE:
            raise NotJson()
        self.last_key = key
        self.last_structure = cython.cast(object, entry_object(slot[0]))
        return self.last_structure

    def value_at(self, key):
        """Whatever is there: bytes, a structure, or None. Counts as an access."""
        slot: cython.pointer(cython.pointer(Entry)) = self.find(key)
        if slot == cython.NULL:
            return None
        if entry_kind(slot[0]) == INLINE:
            return PyBytes_FromStringAndSize(entry_value(slot[0]), slot[0].value_length)
        structure = cython.cast(object, entry_object(slot[0]))
        if entry_kind(slot[0]) == HASH and expires(cython.cast(Hash, structure)) and not self.db.freshen(slot):
            return None
        return structure

    def exists(self, key):
        return self.find(key) != cython.NULL

    def present(self, key):
        """Like `exists`, for words about a key and not its value (TTL, TYPE): the access clock is not renewed."""
        found: cython.bint = self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)) != cython.NULL
        if self.reading:
            self.count(key, found)
        return found

    def kind(self, key):
        """The type's name as TYPE gives it; not counted as an access."""
        slot: cython.pointer(cython.pointer(Entry)) = self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot == cython.NULL:
            return "none"
        return KIND_NAMES[entry_kind(slot[0])]

    def string_length(self, key):
        """Bytes of the string, 0 if the key is missing; WrongType."""
        slot: cython.pointer(cython.pointer(Entry)) = self.find(key)
        if slot == cython.NULL:
            return 0
        if entry_kind(slot[0]) != INLINE:
            raise WrongType()
        return slot[0].value_length

    def string_slice(self, key, start, stop):
        """Bytes [start, stop) of the string, cut to what is there: nothing else is copied; WrongType."""
        slot: cython.pointer(cython.pointer(Entry)) = self.find(key)
        if slot == cython.NULL:
            return b""
        if entry_kind(slot[0]) != INLINE:
            raise WrongType()
        start = max(start, 0)
        stop = min(stop, cython.cast(cython.longlong, slot[0].value_length))
        if start >= stop:
            return b""
        return PyBytes_FromStringAndSize(entry_value(slot[0]) + start, stop - start)

    # --- changing ----------------------------------------------------------------------------------------------------

    def appeared(self, key):
        """Whether a change of this key makes a key: the "new" notification is sent before the change."""
        if self.store.notify_flags & APPEARED:
            if self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)) == cython.NULL:
                self.store.notify(self.db.index, key, "new", "generic")

    def set_string(self, key, value, keep_expiry=False):
        """SET's effect: whatever was there is replaced."""
        if self.store.notify_flags & APPEARED:
            self.appeared(key)
        self.db.set_string(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key),
                           PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), keep_expiry)
        return 0

    def overwrite(self, key, offset, data):
        """Writes data into the string at offset, which grows as needed (zero bytes fill a gap; a missing key is made).

        The new length; WrongType; StringTooLong over 4 GiB. A length limit such as proto-max-bulk-len is the caller's.
        """
        n: cython.size_t = PyBytes_GET_SIZE(data)
        length: cython.size_t
        old: cython.size_t = 0
        e: cython.pointer(Entry)
        slot: cython.pointer(cython.pointer(Entry)) = self.db.lookup(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if offset + n > 0xFFFFFFFF:
            raise StringTooLong()
        if slot == cython.NULL:
            if self.store.notify_flags & APPEARED:
                self.appeared(key)
            self.db.store_string(cython.NULL, PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key), 0, False)
            e = self.db.reshape(self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)), INLINE, RAW, offset + n)
            memset(entry_value(e), 0, offset)
        else:
            e = slot[0]
            if entry_kind(e) != INLINE:
                raise WrongType()
            old = e.value_length
            length = max(old, offset + n)
            if length != old or not e.meta & RAW:
                e = self.db.reshape(slot, INLINE, (e.meta & 0xF0) | RAW, length)
            if offset > old:
                memset(entry_value(e) + old, 0, offset - old)
        memcpy(entry_value(e) + offset, PyBytes_AS_STRING(data), n)
        return e.value_length

    def rewrite(self, key: bytes, data: bytes) -> None:
        """The string's new content after an edit of the old: its expiry stays (a missing key is made); WrongType."""
        slot: cython.pointer(cython.pointer(Entry)) = self.db.lookup(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot != cython.NULL and entry_kind(slot[0]) == INLINE and slot[0].value_length > PyBytes_GET_SIZE(data):
            self.db.reshape(slot, INLINE, (slot[0].meta & 0xF0) | RAW, PyBytes_GET_SIZE(data))
        self.overwrite(key, 0, data)

    def put(self, key, structure, keep_expiry=False):
        """Stores a List, Hash, Set, SortedSet, Stream or JsonDocument, replacing whatever was there."""
        if self.store.notify_flags & APPEARED:
            self.appeared(key)
        self.db.put_object(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key), KINDS[type(structure)], structure, keep_expiry)
        return 0

    def delete(self, key):
        """Removes a key: True if it was there. A large value is freed in slices later."""
        if self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)) == cython.NULL:
            return False
        return self.db.remove(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))

    def expiry(self, key):
        """Milliseconds since the epoch, None without an expiry or without a key."""
        slot: cython.pointer(cython.pointer(Entry)) = self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot == cython.NULL or not slot[0].meta & EXPIRES:
            return None
        return entry_expiry(slot[0]).at

    def expire(self, key, at):
        """Sets the expiry (milliseconds since the epoch): False if there is no such key."""
        slot: cython.pointer(cython.pointer(Entry)) = self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot == cython.NULL:
            return False
        self.db.set_expiry(slot, at)
        return True

    def persist(self, key):
        """Takes the expiry away: True if there was one."""
        slot: cython.pointer(cython.pointer(Entry)) = self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if slot == cython.NULL:
            return False
        return self.db.clear_expiry(slot)

    # --- effects -----------------------------------------------------------------------------------------------------

    def changed(self, key, event, n=1, db=None):
        """After every change of a key. An emptied structure (streams excepted) is deleted, with its own event.

        The event None: there is no notification.
        """
        slot: cython.pointer(cython.pointer(Entry))
        emptied: cython.bint = False
        if db is None:
            db = self.db
        self.modified = True
        self.store.dirty += n
        if self.created is not None and key in self.created:
            self.created.remove(key)
            if self.store.notify_flags & APPEARED:
                self.store.notify(db.index, key, "new", "generic")
        if key is self.last_key:
            emptied = len(self.last_structure) == 0
            if isinstance(self.last_structure, Hash) and expires(cython.cast(Hash, self.last_structure)):
                slot = db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
                if slot != cython.NULL and entry_kind(slot[0]) == HASH:
                    db.settle(slot[0])
        else:
            slot = db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
            if slot != cython.NULL and entry_kind(slot[0]) != INLINE:
                emptied = len(cython.cast(object, entry_object(slot[0]))) == 0
                if entry_kind(slot[0]) == HASH:
                    db.settle(slot[0])
        if emptied:
            slot = db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
            # Looked at again: the body may have put another value there since.
            emptied = slot != cython.NULL and entry_kind(slot[0]) != INLINE and entry_kind(slot[0]) != STREAM \
                and len(cython.cast(object, entry_object(slot[0]))) == 0
            if emptied:
                db.remove(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
        if self.store.attentive:
            self.store.key_changed(db, key, event, self.group)
            if emptied and self.store.notify_flags:
                self.store.notify(db.index, key, "del", "generic")
        return 0

    def expire_fields(self, key, hash, fields):
        """Those of the fields that have expired, and are still kept because many have at once, are deleted."""
        values: Hash = hash
        slot: cython.pointer(cython.pointer(Entry))
        if values is None or not values.hides():
            return 0
        gone: list = [field for field in dict.fromkeys(fields) if values.is_hidden(field)]
        for field in gone:
            values.delete(field)
        if gone:
            self.store.fields_expired(self.db, key, gone, False)
            slot = self.db.peek(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key))
            if slot != cython.NULL:
                self.db.settle(slot[0])
            if values.length() == 0:        # the key goes if nothing is put into it
                if self.created is None:
                    self.created = []
                self.created.append(key)
        return 0

    def notify(self, event, key):
        """A further notification, without a change."""
        if self.store.notify_flags:
            self.store.notify(self.db.index, key, event, self.group)
        return 0

    def propagate(self, *words):
        """What the AOF and replicas get instead of the received words; without words: nothing, so far."""
        if self.effects is None:
            self.effects = []
        if words:
            self.effects.append((self.db.index, words))

    def flush_effects(self):
        if self.effects is None:
            self.store.propagate(self.session.db.index, self.words)
        else:
            for index, words in self.effects:
                self.store.propagate(index, words)
        return 0

    # --- waiting -----------------------------------------------------------------------------------------------------

    def timeout(self, text: bytes) -> float:
        """A blocking word's timeout in seconds."""
        seconds: cython.double
        if not text_to_double(PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(seconds)):
            raise ReplyError("ERR timeout is not a float or out of range")
        if ceil(seconds * 1000) < 0:
            raise ReplyError("ERR timeout is negative")
        if seconds * 1000 > 9223372036854775807.0 - self.store.now:
            raise ReplyError("ERR timeout is out of range")
        return seconds

    def wait(self, keys, seconds: cython.double, words=None, on_timeout=NULL_ARRAY, on_delete: cython.bint = False,
             again: cython.longlong = 0):
        """Parks the client until one of the keys is changed, then the body runs again; see docs/architecture.md.

        It runs again at the time `again` too (milliseconds since the epoch; 0: there is none).
        """
        if not self.may_wait:
            return on_timeout
        if self.resuming is not None and again:
            self.store.waiters.try_again_at(self.resuming, again)
        if self.resuming is None:
            deadline = self.store.now + int(ceil(seconds * 1000)) if seconds > 0 else 0
            self.parked = Blocked(
                self.session, self.command, self.words if words is None else tuple(words), self.db.index,
                tuple(dict.fromkeys(keys)), deadline, on_timeout, on_delete, KIND_OF_GROUP.get(self.group, "string"))
            self.parked.again = again
        return WAIT


KIND_OF_GROUP = cython.declare(dict, {"list": "list", "sorted-set": "zset", "stream": "stream"})
