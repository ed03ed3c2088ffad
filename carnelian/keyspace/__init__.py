"""Databases, expiry, watchers and waiters, and how words are declared."""

from carnelian.keyspace.call import Call
from carnelian.keyspace.declaration import (
    ADMIN, ALLOW_BUSY, ASKING, BLOCKING, Command, DANGEROUS, DENYOOM, FAST, LOADING, MAY_REPLICATE, MODULE, MOVABLE_KEYS,
    NO_ASYNC_LOADING, NO_AUTH, NO_MANDATORY_KEYS, NO_MULTI, NOSCRIPT, PROTECTED, PUBSUB, READONLY, SKIP_MONITOR, SKIP_SLOWLOG,
    SORT_FOR_SCRIPT, STALE, WRITE, command)
from carnelian.keyspace.database import Database
from carnelian.keyspace.session import Session
from carnelian.keyspace.store import Store
