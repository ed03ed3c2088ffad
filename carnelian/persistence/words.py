"""SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF: https://redis.io/docs/latest/commands/?group=server"""
from carnelian.base.errors import ReplyError, SyntaxFault
from carnelian.base.replies import OK, Status
from carnelian.keyspace import ADMIN, FAST, LOADING, NO_ASYNC_LOADING, NO_MULTI, NOSCRIPT, STALE, command


def files_of(c):
    """The engine's Persistence; ReplyError where it has none."""
    if c.engine.persistence is None:
        raise ReplyError("ERR this store has no files")
    return c.engine.persistence


@command("SAVE", ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI, since="1.0.0", group="server", complexity="O(N), N keys of all databases")
def save(c):
    """Write a snapshot, and answer when it is on the disk; nobody else is served meanwhile."""
    files_of(c).save()
    return OK


@command("BGSAVE [SCHEDULE]", ADMIN | NOSCRIPT | NO_ASYNC_LOADING, since="1.0.0", group="server", complexity="O(1)", arity=-1)
def bgsave(c, *options: bytes):
    """Write a snapshot beside the work."""
    files = files_of(c)
    scheduled = False
    if options:
        if len(options) > 1 or options[0].upper() != b"SCHEDULE":
            raise SyntaxFault()
        scheduled = True
    if files.is_saving:
        raise ReplyError("ERR Background save already in progress")
    if files.writing is not None or not c.may_wait:
        if scheduled or not c.may_wait:
            files.save_scheduled = True
            return Status(b"Background saving scheduled")
        raise ReplyError("ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to "
                         "schedule a BGSAVE whenever possible.")
    if files.giving_up:
        files.save_scheduled = True
        return Status(b"Background saving scheduled")
    try:
        files.begin_save()
    except OSError as error:
        raise ReplyError(f"ERR {error.strerror or error}") from None
    return Status(b"Background saving started")


@command("LASTSAVE", LOADING | STALE | FAST, since="1.0.0", group="server", complexity="O(1)")
def lastsave(c):
    """Tell when the last snapshot was written: seconds since the epoch."""
    return files_of(c).last_save


@command("BGREWRITEAOF", ADMIN | NOSCRIPT | NO_ASYNC_LOADING, since="1.0.0", group="server", complexity="O(1)")
def bgrewriteaof(c):
    """Write the append-only file anew, as short as what is there now allows, beside the work."""
    files = files_of(c)
    if not c.may_wait:
        files.rewrite_scheduled = True
        return Status(b"Background append only file rewriting scheduled")
    try:
        began = files.request_rewrite()
    except OSError as error:
        raise ReplyError(f"ERR {error.strerror or error}") from None
    return Status(b"Background append only file rewriting started" if began
                  else b"Background append only file rewriting scheduled")
