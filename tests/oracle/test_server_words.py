"""INFO, SLOWLOG, LATENCY, MEMORY, TIME, ROLE, MONITOR and their like against the oracle."""
import re


def fields(reply):
    """{section: [field, ...]} of an INFO reply."""
    text, sections, section = bytes(reply).removeprefix(b"txt:").decode(), {}, None
    for line in text.split("\r\n"):
        if line.startswith("# "):
            section = sections.setdefault(line[2:], [])
        elif line:
            assert re.fullmatch(r"[\w|-]+:.*", line), line
            section.append(line.partition(":")[0])
    return sections


def ask_both(both, *words):
    """The replies of both to one request, unequal as they may be."""
    return [side.client(1)(*words) for side in both.sides]


# Fields of jemalloc, of forks and the like, that have nothing to tell here.
ABSENT = {"atomicvar_api"}


def test_info_has_the_fields(both):
    both("SET k v EX 100\nGET k\nGET nothing\nLPUSH k x")
    replies = ask_both(both, "INFO", "everything")
    theirs, ours = fields(replies[0]), fields(replies[-1])
    assert list(ours) == list(theirs)
    for section in theirs:
        if section not in ("Commandstats", "Latencystats"):
            assert set(theirs[section]) - ABSENT <= set(ours[section]), section
    assert {"cmdstat_set", "cmdstat_get", "cmdstat_lpush"} <= set(ours["Commandstats"])


def test_sections_of_info(both):
    for words in ([], ["default"], ["all"], ["everything"], ["server"], ["SERVER", "nothing", "keyspace"], ["nothing"], ["modules"],
                  ["commandstats", "default"], ["keyspace", "server"]):
        replies = ask_both(both, "INFO", *words)
        assert list(fields(replies[0])) == list(fields(replies[-1])), words


def test_figures_of_info(both):
    both("""
        CONFIG RESETSTAT
        SET k v
        SET volatile v EX 100
        GET k
        GET nothing
        LPUSH k x
        SELECT 3
        SET k v
    """)
    for section, pattern in (("keyspace", rb"db\d+:keys=\d+,expires=\d+"), ("stats", rb"keyspace_(?:hits|misses):\d+"),
                             ("errorstats", rb"errorstat_\w+:count=\d+"), ("stats", rb"total_error_replies:\d+"),
                             ("commandstats", rb"cmdstat_(?:set|lpush|get):calls=\d+|rejected_calls=\d+,failed_calls=\d+")):
        replies = [sorted(re.findall(pattern, bytes(reply))) for reply in ask_both(both, "INFO", section)]
        if section != "commandstats":
            assert replies[0] == replies[-1], section


def test_slowlog(both):
    both("""
        CONFIG SET slowlog-log-slower-than 10000
        SLOWLOG RESET
        SLOWLOG LEN
        SLOWLOG GET
        DEBUG SLEEP 0.02
        SLOWLOG LEN
        ? SLOWLOG GET
        CONFIG SET slowlog-log-slower-than -1
        DEBUG SLEEP 0.02
        SLOWLOG LEN
        ? SLOWLOG GET 1
        ? SLOWLOG GET -1
        SLOWLOG GET 0
        SLOWLOG GET -2
        SLOWLOG GET x
        SLOWLOG GET 1 2
        SLOWLOG LEN x
        SLOWLOG NOTHING
        SLOWLOG
        SLOWLOG RESET
        SLOWLOG GET
        ?? SLOWLOG HELP
    """)


def test_what_the_slowlog_shows(both):
    """Long words are cut, and so are many of them."""
    both(f"""
        CLIENT SETNAME me
        CONFIG SET slowlog-log-slower-than 0
        SLOWLOG RESET
        SET k {"x" * 200}
        DEL {" ".join(f"k{n}" for n in range(40))}
        CONFIG SET slowlog-log-slower-than -1
    """)
    replies = ask_both(both, "SLOWLOG", "GET", "10")
    shown = [[[entry[3], entry[5]] for entry in reply if entry[3][0] in (b"SET", b"DEL")] for reply in replies]
    assert shown[0] == shown[-1] and len(shown[0]) == 2


def test_latency(both):
    both("""
        LATENCY RESET
        LATENCY LATEST
        LATENCY HISTORY command
        LATENCY GRAPH command
        ?? LATENCY DOCTOR
        CONFIG SET latency-monitor-threshold 10
        DEBUG SLEEP 0.02
        ? LATENCY LATEST
        ? LATENCY HISTORY command
        ?? LATENCY GRAPH command
        ?? LATENCY DOCTOR
        LATENCY RESET nothing
        LATENCY RESET command nothing
        LATENCY LATEST
        LATENCY HISTORY
        LATENCY GRAPH
        LATENCY LATEST x
        LATENCY NOTHING
        LATENCY
        ?? LATENCY HELP
    """)


def test_latency_histogram(both):
    both("""
        CONFIG RESETSTAT
        SET k v
        SET k v
        GET k
        LATENCY HISTOGRAM nothing
    """)
    for names in (["set"], ["SET", "get", "nothing"], ["config"], ["config|resetstat"]):
        replies = ask_both(both, "LATENCY", "HISTOGRAM", *names)
        calls = [histogram_calls(reply) for reply in replies]
        assert calls[0] == calls[-1], names


def histogram_calls(reply):
    """{command: calls}"""
    pairs = reply if reply and isinstance(reply[0], tuple) else list(zip(reply[::2], reply[1::2]))
    found = {}
    for name, value in pairs:
        value = value if isinstance(value[0], tuple) else list(zip(value[::2], value[1::2]))
        found[name] = dict(value)[b"calls"]
    return found


def test_memory(both):
    both("""
        SET k v
        RPUSH l a b c
        ? MEMORY USAGE k
        ? MEMORY USAGE l SAMPLES 0
        MEMORY USAGE nothing
        MEMORY USAGE k SAMPLES -1
        MEMORY USAGE k SAMPLES x
        MEMORY USAGE k SAMPLES
        MEMORY USAGE k NOTHING 5
        MEMORY USAGE
        ?? MEMORY DOCTOR
        ?? MEMORY MALLOC-STATS
        MEMORY PURGE
        ?? MEMORY HELP
        MEMORY NOTHING
        MEMORY
        MEMORY STATS x
    """)


def test_memory_stats(both):
    both("SET k v\nSELECT 2\nSET k v")
    names = []
    for reply in ask_both(both, "MEMORY", "STATS"):
        pairs = reply if isinstance(reply[0], tuple) else list(zip(reply[::2], reply[1::2]))
        names.append([(name, type(value)) for name, value in pairs])
    assert [name for name, _ in names[0]] == [name for name, _ in names[-1]]
    assert names[0] == names[-1]


def test_small_words(both):
    both("""
        ROLE
        ROLE x
        ? TIME
        TIME x
        ?? LOLWUT
        ?? LOLWUT VERSION 5
        ?? LOLWUT VERSION 5 20 10 3
        LOLWUT VERSION x
        = MODULE LIST -> [{"name": "ReJSON", "ver": 20813, "path": "", "args": []}]
        ?? MODULE HELP
        MODULE LOAD /x.so
        MODULE LOADEX /x.so
        MODULE UNLOAD x
        MODULE UNLOAD
        MODULE NOTHING
        MODULE
        MONITOR x
        SHUTDOWN NOTHING
        SHUTDOWN SAVE NOSAVE
        SHUTDOWN ABORT NOW
        SHUTDOWN ABORT
        MULTI
        SHUTDOWN
        EXEC
    """)


def test_monitor(both):
    both("""
        2: MONITOR
        1: PING
        ?? 2<
    """)
    words = ["SET", b"a b", b"\x00\r\n\t\"\\\xff", "EX", "7"]
    lines = []
    for side in both.sides:
        side.client(1)(*words)
        side.client(1)("CONFIG", "GET", "port")         # words for administrators are not shown
        side.client(1)("SELECT", "3")
        side.client(1)("GET", "k")
        lines.append([re.sub(rb"^\d+\.\d{6} \[(\d+) 127.0.0.1:\d+\]", rb"\1", side.client(2).read()) for _ in range(3)])
    assert lines[0] == lines[-1]


def test_shutdown(both_with):
    both = both_with()
    both("""
        2: PING
        SHUTDOWN NOSAVE
        2<
    """)
