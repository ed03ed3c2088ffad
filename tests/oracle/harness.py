r"""The oracle harness: the same script to redis-server 7.0.15 and to carnelian, and the replies compared.

    def test_lpush(both):
        both('''
            LPUSH l a "two words" "\\x00\\xff"
            LRANGE l 0 -1
        ''')

A test that takes the fixture `both` runs twice, in RESP2 and in RESP3. It begins with empty databases, fresh
connections and the settings that the servers were started with. Each line of the script is one request; the replies
must be the same to the type (status and bulk string, null and null array, RESP3's map, set, double and push) and to the
text of errors. Words are split at blanks; "double quotes" know \xHH \n \r \t \a \b \\ \", 'single quotes' only \'. The
bare word # begins a comment up to the end of the line (write "#" for the word itself).

Marks before the words, in any order:

    ~       compare numbers as numbers: strings that are both numbers may be written differently, also in nested replies.
            (RESP3 doubles are always compared so. Redis 7.0 writes 0.1 as 0.10000000000000001 in a few replies, 7.2 as 0.1.)
    %       the order of the elements (of a map: of the pairs) of the reply does not matter; %% at every depth
    ?       compare only the shape: types, lengths of arrays, keys of maps, codes of errors; ?? only the type of the whole
    2:      client number 2 sends (default: client 1), and its reply is compared
    2>      client number 2 sends and nothing is read yet: a word that blocks, or that answers nothing. The script goes on
            when the server has taken it (it blocks, or has answered)
    2<      read the next reply or push of client 2 and compare it (no words). So a SUBSCRIBE of two channels is followed
            by `1<`, and the messages are read so too. A closed connection reads as "connection closed" on both
    2-      nothing has arrived for client 2 (no words)
    = WORDS -> LITERAL
            Redis 7.2 differs from 7.0.15: only carnelian is asked, and must answer this. A Python or JSON literal: a string
            is a bulk string, None is null (of either kind), a float a double or its RESP2 string, a dict a map, a Python
            set a set; or +STATUS, or -ERROR TEXT up to the end of the line. Redis does not run the line, so its data stay
            as they were: `= ` is for words that change nothing, or that both will have run afterwards. With ? and LITERAL
            a type alone is compared
    @2 @3   the line runs in this protocol only
    !       the words, joined with nothing between them, are sent as raw bytes: `! "PING\r\n"`
    $id:    keep the reply under this name; a later unquoted word $id stands for it, with each server's own value. The
            reply is compared by shape

`both(script)` returns carnelian's replies, one per line that read one. Time passes with `DEBUG SLEEP 0.01`.

`sequence(both, commands, modes)` sends a list of commands (lists of bytes) made by hypothesis in one pipeline to both and
compares all replies. The fixture `both_with` starts a fresh pair of servers with further arguments.

With CARNELIAN_ORACLE_ONLY=1 in the environment, carnelian is not needed: the script runs on redis-server alone, and
`pytest -s` shows what it answers. CARNELIAN_ORACLE_ONLY=2 prints what both answer, beside the comparison.
"""
import ast
import json
import math
import os
import re
import textwrap
import time

from .resp import (CLOSED, NO_REPLY, NULL, NULL_ARRAY, Client, Double, Error, Map, Push, Set, Status, Verbatim,
                   request)

ORACLE_ONLY = os.environ.get("CARNELIAN_ORACLE_ONLY") == "1"
SHOW = os.environ.get("CARNELIAN_ORACLE_ONLY") in ("1", "2")

# ---- the script's lines

_ESCAPES = {"n": 10, "r": 13, "t": 9, "a": 7, "b": 8}
_MARK = re.compile(r"[~%?]+|=|!|@[23]|\d+[:<>-]|\$\w+:")


class Word(bytes):
    """A word that stood without quotes."""


def split(line):
    """The words of a line; an unquoted one is a `Word`. ValueError when a quote is open."""
    words, at, end = [], 0, len(line)
    while at < end:
        if line[at].isspace():
            at += 1
            continue
        word, quoted = bytearray(), False
        while at < end and not line[at].isspace():
            quote = line[at]
            at += 1
            if quote not in "\"'":
                word += quote.encode()
                continue
            quoted = True
            while True:
                if at >= end:
                    raise ValueError(f"an open quote: {line}")
                char = line[at]
                at += 1
                if char == quote:
                    break
                if char == "\\" and at < end and (quote == '"' or line[at] == "'"):
                    char = line[at]
                    at += 1
                    if quote == '"' and char == "x":
                        word.append(int(line[at:at + 2], 16))
                        at += 2
                    elif quote == '"' and char in _ESCAPES:
                        word.append(_ESCAPES[char])
                    else:
                        word += char.encode()
                else:
                    word += char.encode()
        if not quoted and word == b"#":
            break
        words.append(bytes(word) if quoted else Word(word))
    return words


class Line:
    """One line of a script, taken apart."""

    def __init__(self, number, text):
        self.number = number
        self.text = text
        self.mode = ""                  # of the comparison: any of ~ % %% ? ??
        self.client = 1
        self.verb = ":"                 # : ask, > send only, < read only, - nothing there
        self.expected = None            # the text after ->
        self.only_carnelian = self.raw = False
        self.resp = None
        self.name = None
        rest = text.strip()
        while True:
            head = rest.split(None, 1)[0] if rest else ""
            if not _MARK.fullmatch(head):
                break
            rest = rest[len(head):].lstrip()
            if head[0].isdigit():
                self.client, self.verb = int(head[:-1]), head[-1]
            elif head[0] == "@":
                self.resp = int(head[1])
            elif head[0] == "$":
                self.name = head[1:-1]
                self.mode += "?"
            elif head == "=":
                self.only_carnelian = True
            elif head == "!":
                self.raw = True
            else:
                self.mode += head
        if self.only_carnelian:
            rest, arrow, self.expected = rest.rpartition("->")
            if not arrow:
                raise ValueError(f"line {number}: `=` without `->`: {text}")
            self.expected = self.expected.strip()
        self.words = split(rest)
        if bool(self.words) != (self.verb in ":>"):
            raise ValueError(f"line {number}: {text}")


def lines(script):
    for number, text in enumerate(textwrap.dedent(script).splitlines(), 1):
        if text.strip() and not text.lstrip().startswith("# "):
            yield Line(number, text.strip())


# ---- comparison

def number(value):
    """The float that a reply stands for, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, bytes)) or isinstance(value, (Status, Error)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def same_number(a, b):
    return a == b or math.isclose(a, b, rel_tol=1e-12) or (a != a and b != b)


def _key(value):
    """An order over replies of any type, for comparing without order."""
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, sorted(map(_key, value)))
    return (type(value).__name__, repr(value))


def same(a, b, mode=""):
    """Whether two replies are the same; `mode` holds the marks of the script."""
    if mode.count("?") >= 2:
        return type(a) is type(b)
    if isinstance(a, Double) and isinstance(b, Double):
        return "?" in mode or same_number(a, b)
    if "~" in mode and (isinstance(a, bytes) and type(a) is type(b) and number(a) is not None and number(b) is not None):
        return same_number(number(a), number(b))
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return False
        if "?" in mode and isinstance(a, Map):
            b_keys = {repr(key): value for key, value in b}
            return all(repr(key) in b_keys and same(value, b_keys[repr(key)], mode) for key, value in a)
        inner = mode if "%%" in mode else mode.replace("%", "")
        if "%" in mode:
            left = list(b)
            for element in a:               # by matching, so that it goes together with ~
                for at, candidate in enumerate(left):
                    if same(element, candidate, inner):
                        del left[at]
                        break
                else:
                    return False
            return True
        return all(same(x, y, inner) for x, y in zip(a, b))
    if "?" in mode:
        return not isinstance(a, Error) or a.split(b" ")[0] == b.split(b" ")[0]
    return a == b


def literal(text):
    """The value after `->`."""
    if text.startswith("+"):
        return Status(text[1:].encode())
    if text.startswith("-") and not re.fullmatch(r"-(\d|inf)[\d.e+-]*", text):
        return Error(text[1:].encode())
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return json.loads(text)


def answers(reply, expected, resp, mode=""):
    """Whether a reply is what a literal says."""
    if isinstance(expected, (Status, Error)):
        return same(reply, expected, mode)
    if expected is None:
        return reply is NULL or reply is NULL_ARRAY
    if isinstance(expected, bool):
        return reply is expected if resp == 3 else (type(reply) is int and reply == expected)
    if isinstance(expected, int):
        return type(reply) is int and ("?" in mode or reply == expected)
    if isinstance(expected, float):
        return type(reply) is (Double if resp == 3 else bytes) and same_number(number(reply), expected)
    if isinstance(expected, str):
        expected = expected.encode()
    if isinstance(expected, bytes):
        if isinstance(reply, Verbatim):
            reply = bytes(reply[4:])
        return type(reply) is bytes and ("?" in mode or reply == expected or (
            "~" in mode and number(reply) is not None and same_number(number(reply), float(expected))))
    if isinstance(expected, dict):
        pairs = list(expected.items())
        if resp == 3:
            return isinstance(reply, Map) and len(reply) == len(pairs) and all(
                answers(k, ek, resp, mode) and answers(v, ev, resp, mode) for (k, v), (ek, ev) in zip(reply, pairs))
        expected = [word for pair in pairs for word in pair]
    if isinstance(expected, (set, frozenset)):
        if type(reply) is not (Set if resp == 3 else list) or len(reply) != len(expected):
            return False
        left = list(reply)
        for element in expected:
            found = [at for at, candidate in enumerate(left) if answers(candidate, element, resp, mode)]
            if not found:
                return False
            del left[found[0]]
        return True
    if type(reply) not in (list, Push, Set) or len(reply) != len(expected):
        return False
    if "%" in mode:
        left = list(reply)
        for element in expected:
            found = [at for at, candidate in enumerate(left) if answers(candidate, element, resp, mode)]
            if not found:
                return False
            del left[found[0]]
        return True
    return all(answers(x, y, resp, mode) for x, y in zip(reply, expected))


def show(reply, limit=2000):
    text = repr(reply)
    return text if len(text) <= limit else text[:limit] + f" ... ({len(text)} characters)"


# ---- one server under test

class Side:
    """A server with the connections of one test."""

    def __init__(self, server):
        self.server = server
        self.clients = {}
        self.names = {}
        self.resp = 2
        self.admin = None
        self.settings = None
        self.dirty_settings = False

    def ask(self, *words):
        """A question of the harness itself, over a connection of its own."""
        for attempt in range(2):
            if self.admin is None:
                self.admin = Client(self.server.address)
            reply = self.admin(*words)
            if reply is not CLOSED:
                return reply
            self.admin.close()
            self.admin = None
        raise RuntimeError(f"{self.server.name} closes its connections\n{self.server.log()}")

    def reset(self, resp):
        """Empty databases, no connections but the harness's, settings as at the start."""
        self.close_clients()
        self.resp = resp
        self.names = {}
        if not self.server.alive():
            self.admin = self.settings = None
            self.server.start()
        if self.dirty_settings:
            self.restore_settings()
        reply = self.ask("FLUSHALL")
        if reply != Status(b"OK"):
            raise RuntimeError(f"{self.server.name} answers FLUSHALL with {reply!r}")

    def close_clients(self):
        """Closes this side's connections, and waits until the server knows it."""
        ours = set()
        for client in self.clients.values():
            ours.add(client.local_address)
            client.close()
        ours.discard(None)
        self.clients = {}
        deadline = time.monotonic() + 2
        while ours and self.server.alive() and time.monotonic() < deadline:
            listing = self.ask("CLIENT", "LIST")
            if not isinstance(listing, bytes) or ours.isdisjoint(re.findall(rb" addr=(\S+)", listing)):
                break

    def read_settings(self):
        reply = self.ask("CONFIG", "GET", "*")
        return dict(zip(reply[::2], reply[1::2])) if isinstance(reply, list) else {}

    def restore_settings(self):
        self.ask("CLIENT", "UNPAUSE")
        self.ask("DEBUG", "SET-ACTIVE-EXPIRE", "1")
        now = self.read_settings()
        for name, value in self.settings.items():
            if now.get(name) != value:
                self.ask("CONFIG", "SET", name, value)
        self.ask("CONFIG", "RESETSTAT")
        self.ask("SLOWLOG", "RESET")
        self.ask("LATENCY", "RESET")
        self.dirty_settings = False

    def client(self, number):
        if number not in self.clients:
            self.clients[number] = Client(self.server.address, self.resp)
        return self.clients[number]

    def watch_settings(self, words):
        first = words[0].upper() if words else b""
        if first in (b"CONFIG", b"DEBUG") or words[:2] == [b"CLIENT", b"PAUSE"] or first in (b"SLOWLOG", b"LATENCY"):
            if self.settings is None:
                self.settings = self.read_settings()
            self.dirty_settings = True

    def send(self, line):
        words = [self.names.get(word[1:].decode("latin-1"), word) if isinstance(word, Word) and word[:1] == b"$" else word
                 for word in line.words]
        self.watch_settings([bytes(word) if isinstance(word, bytes) else word for word in words])
        client = self.client(line.client)
        client.send_raw(b"".join(words) if line.raw else request(words))
        return client

    def blocked(self):
        reply = self.ask("INFO", "clients")
        found = re.search(rb"blocked_clients:(\d+)", reply) if isinstance(reply, bytes) else None
        return int(found[1]) if found else 0

    def taken(self, client, blocked_before, seconds=0.3):
        """Wait until the server has dealt with what the client sent: it blocks, or there is an answer."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.blocked() > blocked_before or client.readable():
                return

    def run(self, line):
        """The reply to a line, or None where it reads none."""
        if line.verb == "<":
            return self.client(line.client).read()
        if line.verb == "-":
            self.ask("PING")
            return self.client(line.client).read(0.05)
        if line.verb == ">":
            before = self.blocked()
            self.taken(self.send(line), before)
            return None
        reply = self.send(line).read()
        if line.name:
            self.names[line.name] = reply
        return reply


class Both:
    """The pair of servers, called with a script. `resp` is the protocol of the connections.

    `carnelian` and `oracle` are `Side`s: `both.carnelian.server` is the process, `both.carnelian.client(1)` a raw connection.
    """

    def __init__(self, oracle, carnelian, resp):
        self.oracle = oracle
        self.carnelian = carnelian
        self.resp = resp
        self.sides = [side for side in (oracle, carnelian) if side is not None]

    def reset(self):
        for side in self.sides:
            side.reset(self.resp)

    def finish(self):
        for side in self.sides:
            side.close_clients()

    def __call__(self, script):
        __tracebackhide__ = True
        replies = []
        for line in lines(script):
            if line.resp not in (None, self.resp):
                continue
            reply = self._line(line)
            if reply is not None:
                replies.append(reply)
        return replies

    def _line(self, line):
        __tracebackhide__ = True
        if line.only_carnelian:
            if self.carnelian is None:
                return None
            reply = self.carnelian.run(line)
            if not answers(reply, literal(line.expected), self.resp, line.mode):
                self._fail(line.number, line.text, carnelian=reply)
            return reply
        if ORACLE_ONLY or self.carnelian is None:
            reply = self.oracle.run(line)
            if reply is not None:
                print(f"RESP{self.resp} {line.number:3} {line.text}\n         {show(reply)}")
            return reply
        if line.verb == ":":                # both work at the same time, so that DEBUG SLEEP and timeouts are paid once
            clients = [side.send(line) for side in self.sides]
            asked, given = (client.read() for client in clients)
            if line.name:
                self.oracle.names[line.name], self.carnelian.names[line.name] = asked, given
        else:
            asked, given = (side.run(line) for side in self.sides)
        if SHOW and asked is not None:
            print(f"RESP{self.resp} {line.number:3} {line.text}\n   redis {show(asked)}\n         {show(given)}")
        self.compare(line.number, line.text, asked, given, line.mode, silent=line.verb == "-")
        return given

    def compare(self, number, text, asked, given, mode="", silent=False):
        __tracebackhide__ = True
        if asked is NO_REPLY and given is NO_REPLY and not silent:
            self._fail(number, text, redis=asked, carnelian=given)
        if not (asked is given or same(asked, given, mode)):
            self._fail(number, text, redis=asked, carnelian=given)

    def _fail(self, number, text, **replies):
        __tracebackhide__ = True
        message = f"RESP{self.resp}, line {number}: {text}\n" + "\n".join(
            f"{name:>12}: {show(reply)}" for name, reply in replies.items())
        side = self.carnelian
        if side is not None and not side.server.alive():
            message += f"\ncarnelian has ended (code {side.server.process.returncode}):\n{side.server.log()}"
        elif side is not None and replies.get("carnelian") in (CLOSED, NO_REPLY):
            message += f"\ncarnelian's log:\n{side.server.log()}"
        raise AssertionError(message)


def sequence(both, commands, modes=None, reset=True):
    """Send the commands to both servers in one pipeline and compare every reply.

    `commands`: lists of words (bytes, str or numbers), each of which must give exactly one reply (nothing that blocks).
    `modes`: the mode of comparison by the command's first word in upper case, such as `{"SMEMBERS": "%", "ZSCORE": "~"}`, or a
    function of the list of words that gives the mode. Begins with empty databases unless `reset` is false. Returns
    carnelian's replies.
    """
    __tracebackhide__ = True
    commands = [list(words) for words in commands]
    if reset:
        both.reset()
    data = b"".join(map(request, commands))
    for side in both.sides:
        for words in commands:
            side.watch_settings([word if isinstance(word, bytes) else str(word).encode() for word in words])
        side.client(1).send_raw(data)
    replies = []
    for at, words in enumerate(commands):
        first = words[0].decode() if isinstance(words[0], bytes) else str(words[0])
        mode = modes(words) if callable(modes) else (modes or {}).get(first.upper(), "")
        got = [side.client(1).read() for side in both.sides]
        replies.append(got[-1])
        if len(got) == 2:
            text = " ".join(show(word, 200) for word in words)
            if not same(got[0], got[1], mode) or got[0] is NO_REPLY:
                before = "\n".join("    " + " ".join(show(word, 200) for word in w) for w in commands[:at])
                both._fail(at + 1, f"{text}   (mode {mode!r}), after\n{before}", redis=got[0], carnelian=got[1])
    return replies
