"""TIME, ROLE, LOLWUT, MONITOR, SHUTDOWN."""
import math
import random
import time

from carnelian.base.errors import ReplyError, SyntaxFault
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import NO_REPLY, OK, Verbatim
from carnelian.keyspace import ADMIN, ALLOW_BUSY, FAST, LOADING, NO_MULTI, NOSCRIPT, READONLY, STALE, command
from carnelian.version import REDIS_VERSION, __version__


@command("TIME", LOADING | STALE | FAST, since="2.6.0", group="server", complexity="O(1)")
def time_(c):
    """Tell the time: seconds since the epoch, and microseconds of the second."""
    microseconds = time.time_ns() // 1000 + c.store.clock_offset * 1000
    return [b"%d" % (microseconds // 1000000), b"%d" % (microseconds % 1000000)]


@command("ROLE", NOSCRIPT | LOADING | STALE | FAST, since="2.8.12", group="server", complexity="O(1)")
def role(c):
    """Tell the part that this server has in replication."""
    return [b"master", 0, []]


@command("MONITOR", ADMIN | NOSCRIPT | LOADING | STALE, since="1.0.0", group="server", complexity="O(1)")
def monitor(c):
    """Show every command that the server runs, from now on."""
    if c.session not in c.engine.monitors:
        c.engine.monitor(c.session)
    return OK


@command("SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY, since="1.0.0",
         group="server", complexity="O(1)")
def shutdown(c, *options: bytes):
    """End the server."""
    chosen = {option.upper() for option in options}
    if not chosen <= {b"NOSAVE", b"SAVE", b"NOW", b"FORCE", b"ABORT"} or {b"NOSAVE", b"SAVE"} <= chosen or (
            b"ABORT" in chosen and len(options) > 1):
        raise SyntaxFault()
    if b"ABORT" in chosen:
        raise ReplyError("ERR No shutdown in progress.")
    if c.engine.server is None:
        raise ReplyError("ERR there is no server to end: the engine is part of a program")
    c.engine.server.request_shutdown(True if b"SAVE" in chosen else False if b"NOSAVE" in chosen else None, b"FORCE" in chosen)
    return NO_REPLY


@command("LOLWUT [VERSION version]", READONLY | FAST, since="5.0.0", group="server", complexity="O(1)", arity=-1)
def lolwut(c, *options: bytes):
    """Draw a stone, another one each time."""
    numbers = options
    if len(options) >= 2 and options[0].upper() == b"VERSION":
        parse_integer(options[1])
        numbers = options[2:]
    elif options and options[0].upper() == b"VERSION":
        numbers = ()
    columns = parse_integer(numbers[0]) if numbers and numbers[0].isdigit() else 58
    return Verbatim((stone(min(max(columns, 10), 160), random.random)
                     + f"\nRedis ver. {REDIS_VERSION}, carnelian {__version__}\n").encode())


def stone(columns: int, chance) -> str:
    """The bands of a cut and polished carnelian, in characters: waves that run around a few centres inside an oval."""
    shades = " .:-=+*#%@"
    rows = columns * 2 // 5
    centres = [(chance() * 2 - 1, chance() * 2 - 1, 4 + chance() * 9) for _ in range(3)]
    lines = []
    for row in range(rows):
        y = (row + 0.5) * 2 / rows - 1
        line = ""
        for column in range(columns):
            x = (column + 0.5) * 2 / columns - 1
            edge = x * x + y * y
            if edge > 1:
                line += " "
                continue
            wave = sum(math.cos(math.hypot(x - left, y - top) * pitch) for left, top, pitch in centres) / 6 + 0.5
            line += shades[1 + int(wave * (1 - edge * edge * 0.6) * (len(shades) - 1.001))]
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"
