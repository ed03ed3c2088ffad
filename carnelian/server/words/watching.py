"""SLOWLOG, COMMANDLOG and LATENCY: https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/"""
from carnelian.base.errors import ReplyError
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import OK, Verbatim
from carnelian.keyspace import ADMIN, LOADING, NOSCRIPT, STALE, command
from carnelian.server.words.common import help_text, text_of

SLOWLOG_FLAGS = ADMIN | LOADING | STALE
LATENCY_FLAGS = ADMIN | NOSCRIPT | LOADING | STALE


# --- the slow log --------------------------------------------------------------------------------------------------

@command("SLOWLOG GET [count]", SLOWLOG_FLAGS, since="2.2.12", group="server", complexity="O(N), N entries", arity=-2)
def slowlog_get(c, *arguments: bytes):
    """Show the newest entries of the slow log."""
    count = 10
    if len(arguments) > 1:
        raise ReplyError("ERR unknown subcommand or wrong number of arguments for "
                         f"'{text_of(c.words[1])}'. Try SLOWLOG HELP.")
    if arguments:
        count = parse_count(arguments[0])
    entries = list(c.engine.slowlog)
    return entries if count == -1 else entries[:count]


def parse_count(word: bytes) -> int:
    try:
        count = parse_integer(word)
    except ReplyError:
        count = -2
    if not -1 <= count < 2**63:
        raise ReplyError("ERR count should be greater than or equal to -1")
    return count


@command("SLOWLOG LEN", SLOWLOG_FLAGS, since="2.2.12", group="server", complexity="O(1)")
def slowlog_len(c):
    """Count the entries of the slow log."""
    return len(c.engine.slowlog)


@command("SLOWLOG RESET", SLOWLOG_FLAGS, since="2.2.12", group="server", complexity="O(N), N entries")
def slowlog_reset(c):
    """Empty the slow log."""
    c.engine.slowlog.clear()
    return OK


@command("SLOWLOG HELP", LOADING | STALE, since="6.2.0", group="server", complexity="O(1)")
def slowlog_help(c):
    """Explain the subcommands of SLOWLOG."""
    return help_text("SLOWLOG", """
GET [<count>]
    Show the newest entries (10, or <count>; -1: all): number, time,
    microseconds, words, address and name of the client.
LEN
    Count the entries.
RESET
    Forget all entries.
""")


# --- the logs of commands that took long, or were large -------------------------------------------------------------

def log_of(engine, kind: bytes):
    """The deque of a log, newest first. https://valkey.io/commands/commandlog-get/"""
    logs = {b"slow": engine.slowlog, b"large-request": engine.large_requests, b"large-reply": engine.large_replies}
    found = logs.get(kind.lower())
    if found is None:
        raise ReplyError("ERR type should be one of the following: slow, large-request, large-reply")
    return found


@command("COMMANDLOG GET count type", SLOWLOG_FLAGS, since="8.1.0", group="server", complexity="O(N), N entries")
def commandlog_get(c, count: bytes, kind: bytes):
    """Show the newest entries of a log: slow, large-request or large-reply."""
    number = parse_count(count)
    entries = list(log_of(c.engine, kind))
    return entries if number == -1 else entries[:number]


@command("COMMANDLOG LEN type", SLOWLOG_FLAGS, since="8.1.0", group="server", complexity="O(1)")
def commandlog_len(c, kind: bytes):
    """Count the entries of a log."""
    return len(log_of(c.engine, kind))


@command("COMMANDLOG RESET type", SLOWLOG_FLAGS, since="8.1.0", group="server", complexity="O(N), N entries")
def commandlog_reset(c, kind: bytes):
    """Empty a log."""
    log_of(c.engine, kind).clear()
    return OK


@command("COMMANDLOG HELP", LOADING | STALE, since="8.1.0", group="server", complexity="O(1)")
def commandlog_help(c):
    """Explain the subcommands of COMMANDLOG."""
    return help_text("COMMANDLOG", """
GET <count> <type>
    Show the newest entries of a log (-1: all): number, time, microseconds
    or bytes, words, address and name of the client.
LEN <type>
    Count the entries of a log.
RESET <type>
    Forget the entries of a log.
Types: slow (commandlog-execution-slower-than microseconds), large-request
and large-reply (commandlog-request-larger-than bytes, and so on).
""")


# --- latency -------------------------------------------------------------------------------------------------------

@command("LATENCY LATEST", LATENCY_FLAGS, since="2.8.13", group="server", complexity="O(1)")
def latency_latest(c):
    """Show the latest delay of each event."""
    return [[event.encode(), history[-1][0], history[-1][1], max(sample[1] for sample in history)]
            for event, history in c.engine.latency_events.items()]


@command("LATENCY HISTORY event", LATENCY_FLAGS, since="2.8.13", group="server", complexity="O(1)")
def latency_history(c, event: bytes):
    """Show the delays of an event, with their times."""
    return [list(sample) for sample in c.engine.latency_events.get(text_of(event), ())]


@command("LATENCY RESET [event [event ...]]", LATENCY_FLAGS, since="2.8.13", group="server", complexity="O(1)", arity=-2)
def latency_reset(c, *events: bytes):
    """Forget the delays of some events, or of all."""
    histories = c.engine.latency_events
    return sum(histories.pop(event, None) is not None for event in (list(map(text_of, events)) or list(histories)))


@command("LATENCY GRAPH event", LATENCY_FLAGS, since="2.8.13", group="server", complexity="O(1)")
def latency_graph(c, event: bytes):
    """Draw the delays of an event."""
    history = c.engine.latency_events.get(text_of(event))
    if not history:
        raise ReplyError(f"ERR No samples available for event '{text_of(event)}'")
    return Verbatim(graph(text_of(event), list(history), c.now // 1000).encode("utf-8", "surrogateescape"))


def graph(event: str, samples: list, now: int, rows: int = 4) -> str:
    """Columns of characters, one for each sample, with its age below."""
    delays = [delay for _, delay in samples]
    low, high = min(delays), max(delays)
    heights = [max(1, round((delay - low) * rows / (high - low))) if high > low else 1 for delay in delays]
    lines = [f"{event} - high {high} ms, low {low} ms (all time high {high} ms)", "-" * 80]
    for level in range(rows, 0, -1):
        line = "".join("#" if height > level else "_" if height == level and level == 1 else "o" if height == level else " "
                       for height in heights)
        lines.append(line.rstrip())
    ages = [age_text(now - second) for second, _ in samples]
    lines.append("")
    for place in range(max(map(len, ages))):
        lines.append("".join(age[place] if place < len(age) else " " for age in ages).rstrip())
    return "\n".join(lines) + "\n"


def age_text(seconds: int) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{max(seconds, 0)}s"


@command("LATENCY DOCTOR", LATENCY_FLAGS, since="2.8.13", group="server", complexity="O(1)")
def latency_doctor(c):
    """Say in words what the delays look like."""
    engine = c.engine
    if not engine.latency_threshold:
        text = ("Latency monitoring is off in this instance, so there is nothing to look at. CONFIG SET latency-monitor-threshold "
                "<milliseconds> turns it on.")
    elif not engine.latency_events:
        text = f"No event has taken {engine.latency_threshold} ms or longer so far."
    else:
        lines = ["These events have taken long:", ""]
        for event, history in engine.latency_events.items():
            delays = [delay for _, delay in history]
            average = sum(delays) / len(delays)
            deviation = sum(abs(delay - average) for delay in delays) / len(delays)
            span = (history[-1][0] - history[0][0]) / len(delays)
            lines.append(f"{event}: {len(delays)} delays of {average:.0f} ms on average (mean deviation {deviation:.0f} ms, longest "
                         f"{max(delays)} ms, one in {span:.0f} seconds).")
        lines += ["", "What can help:"]
        if {"command", "fast-command"} & set(engine.latency_events):
            lines.append("- SLOWLOG GET shows the commands that took long; those that go over everything (KEYS, large ranges, "
                         "unions of large sets) can be split: SCAN and its relatives, LIMIT, COUNT.")
        lines.append("- Other programs on the same processors, swapping and an overloaded host delay every event alike.")
        text = "\n".join(lines)
    return Verbatim(text.encode() + b"\n")


@command("LATENCY HISTOGRAM [command [command ...]]", LATENCY_FLAGS, since="7.0.0", group="server", arity=-2,
         complexity="O(N), N commands")
def latency_histogram(c, *names: bytes):
    """Show how long commands have taken, as cumulative counts by powers of two of microseconds."""
    reply = {}
    for bound in chosen_commands(c.engine, names):
        if bound.calls:
            # Of the quickest words a sample is timed: the counts are scaled to the calls.
            histogram = bound.histogram()
            total, seen, cumulative = sum(histogram.values()), 0, {}
            for microseconds, count in histogram.items():
                seen += count
                cumulative[microseconds] = bound.calls * seen // total
            reply[bound.name.encode()] = {b"calls": bound.calls, b"histogram_usec": cumulative}
    return reply


def chosen_commands(engine, names):
    """The commands of these names, in any case; a container stands for its subcommands. All if there are no names."""
    if not names:
        yield from all_commands(engine)
    for name in names:
        container, bar, child = name.lower().partition(b"|")
        bound = engine.commands.get(container)
        if bound is not None and bar:
            bound = (bound.subcommands or {}).get(child)
        if bound is not None:
            yield bound
            yield from (bound.subcommands or {}).values()


def all_commands(engine):
    for bound in engine.commands.values():
        yield bound
        yield from (bound.subcommands or {}).values()


@command("LATENCY HELP", LOADING | STALE, since="2.8.13", group="server", complexity="O(1)")
def latency_help(c):
    """Explain the subcommands of LATENCY."""
    return help_text("LATENCY", """
DOCTOR
    Say in words what the delays look like.
GRAPH <event>
    Draw the delays of an event.
HISTOGRAM [<command> ...]
    Show how long commands have taken.
HISTORY <event>
    Show the delays of an event, with their times.
LATEST
    Show the latest delay of each event.
RESET [<event> ...]
    Forget the delays of some events, or of all.
""")
