"""The usage line of a command, taken apart: name, arity, argument tree, key positions.

    Usage("SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]")

A usage line is written as Redis's documentation writes it. Words in capitals (and signs such as `*` or `$`) are literal
tokens, the others name what the caller gives. `[a]` is optional, `[a | b]` an optional choice, `<a | b>` a choice, and
`a [a ...]` is one or more (`[a [a ...]]` none or more). The last is recognised by the repetition of the very words.

The shapes are those of COMMAND INFO and COMMAND DOCS:
https://redis.io/docs/latest/commands/command-docs/, https://redis.io/docs/latest/develop/reference/key-specs/

Arity is found when a Usage is made (all commands are declared at start), the tree and the keys when first asked for.
"""
import re
from functools import cached_property

# Commands that only have subcommands (COMMAND answers by itself too). `XGROUP CREATE ...` is their part "xgroup|create".
CONTAINERS = frozenset("XGROUP XINFO CLIENT CONFIG COMMAND OBJECT PUBSUB MEMORY SLOWLOG LATENCY MODULE SCRIPT FUNCTION ACL "
                       "CLUSTER COMMANDLOG JSON.DEBUG".split())

_LEXEME = re.compile(r'"[^"]*"|[\[\]<>|]|[^\s\[\]<>|"]+')
_LITERAL = re.compile(r'[^a-z]*[A-Z][^a-z]*|[*$=~+]|""')

KEY_NAMES = frozenset("key source destination destkey sourcekey newkey src dst key1 key2".split())
CHANNEL_KEY_NAMES = frozenset(["shardchannel"])         # routed as keys in a cluster, but no keys

_TYPES = {
    "integer": "bit bits count client-id config-epoch cursor db decrement destination-db end end-slot entries-added "
               "entries-read frequency increment index index1 index2 len limit milliseconds ms num-matches numkeys numlocal "
               "numreplicas offset port protover rank seconds slot start start-slot stop ttl version weight idle-time "
               "min-match-len entriesread cluster-bus-port",
    "double": "height latitude longitude max min radius score timeout width",
    "unix-time": "unix-time-seconds unix-time-milliseconds",
    "pattern": "pattern",
}
_TYPES = {name: type for type, names in _TYPES.items() for name in names.split()}

# Where the same name means another thing: a command's own types.
_TYPES_OF = {
    "bitfield": {"value": "integer"}, "bitfield_ro": {"value": "integer"}, "setbit": {"value": "integer"},
    "client|pause": {"timeout": "integer"}, "migrate": {"timeout": "integer"}, "wait": {"timeout": "integer"},
    "waitaof": {"timeout": "integer"},
    "hincrbyfloat": {"increment": "double"}, "incrbyfloat": {"increment": "double"},
    "xpending": {"start": "string", "end": "string", "min-idle-time": "integer"},
    "xrange": {"start": "string", "end": "string"}, "xrevrange": {"start": "string", "end": "string"},
    "xautoclaim": {"start": "string"},
    "zrange": {"start": "string", "stop": "string"}, "zrangestore": {"min": "string", "max": "string"},
    "cluster|keyslot": {"key": "string"},
} | {name: {"min": "string", "max": "string"} for name in ("zrangebylex", "zrevrangebylex", "zlexcount", "zremrangebylex")}

# Names of choices that say more than the join of what is in them.
_CHOICE_NAMES = {
    frozenset(tokens.split()): name for name, tokens in {
        "condition": "NX XX", "comparison": "GT LT", "order": "ASC DESC", "where": "LEFT RIGHT", "strategy": "MAXLEN MINID",
        "operator": "= ~", "sortby": "BYSCORE BYLEX", "flush-type": "ASYNC SYNC", "unit": "M KM FT MI",
        "restore-policy": "FLUSH APPEND REPLACE", "enabled": "ON OFF", "position": "BEFORE AFTER",
    }.items()
} | {frozenset("NX XX GT LT".split()): "condition"}
_SIGN_NAMES = {"*": "auto-id", "$": "new-id", "=": "equal", "~": "approximately", "+": "last", "": "empty-string"}


class Argument:
    """One node of the tree. `type` is key, string, integer, double, pattern, unix-time, pure-token, oneof or block."""

    __slots__ = ("name", "type", "token", "optional", "multiple", "multiple_token", "children", "key_spec_index")

    def __init__(self, name, type, token=None, children=()):
        self.name = name
        self.type = type
        self.token = token
        self.optional = self.multiple = self.multiple_token = False
        self.children = list(children)
        self.key_spec_index = None

    @property
    def flags(self):
        return [flag for flag in ("optional", "multiple", "multiple_token") if getattr(self, flag)]

    def length(self):
        """How many words it takes at least, and whether it may take more."""
        if self.type == "oneof":
            lengths = [child.length() for child in self.children]
            least = min(n for n, _ in lengths)
            varies = any(more or n != least for n, more in lengths)
        elif self.type == "block":
            lengths = [child.length() for child in self.children]
            least, varies = sum(n for n, _ in lengths), any(more for _, more in lengths)
        else:
            least, varies = int(self.type != "pure-token"), False
        least += self.token is not None
        return (0, True) if self.optional else (least, varies or self.multiple)

    def __repr__(self):
        return f"Argument({self.name!r}, {self.type!r}, token={self.token!r}, flags={self.flags}, {self.children})"


class KeySpec:
    """Where keys are. `begin`: ("index", at), ("keyword", word, start) or ("unknown",); `find`: ("range", last, step, limit),
    ("keynum", index, first, step) or ("unknown",), as COMMAND INFO describes them; `flags`: such as ["RO", "access"]."""

    __slots__ = ("begin", "find", "flags")

    def __init__(self, begin, find, flags=()):
        self.begin = begin
        self.find = find
        self.flags = list(flags)

    @property
    def trivial(self):
        return self.begin[0] == "index" and self.find[0] == "range"

    def positions(self, words):
        """The indexes of the keys among the words of a request. ValueError when they are not where they should be."""
        count = len(words)
        if self.begin[0] == "index":
            first = self.begin[1]
        elif self.begin[0] == "keyword":
            _, keyword, start = self.begin
            keyword = keyword.encode()
            candidates = range(start, count - 1) if start > 0 else range(count + start, 0, -1)
            first = next((at + 1 for at in candidates if words[at].upper() == keyword), None)
            if first is None:
                return []
        else:
            return []
        if self.find[0] == "range":
            _, last, step, limit = self.find
            if last >= 0:
                last += first
            elif limit <= 1:
                last += count
            else:
                last = first + (count - first) // limit + last
        else:
            _, index, offset, step = self.find
            if first + index >= count:
                raise ValueError("no number of keys")
            number = int(words[first + index])
            if number < 0:
                raise ValueError("a negative number of keys")
            first += offset
            last = first + (number - 1) * step
        if last >= count or first >= count and last >= first:
            raise ValueError("a key is missing")
        return list(range(first, last + 1, step))


def _nested(lexemes, at=0, closing=None):
    """Brackets made lists: words as str, `[...]` as ("[", items), `<...>` as ("<", items). Gives the items and where it ended."""
    items = []
    while at < len(lexemes):
        lexeme = lexemes[at]
        at += 1
        if lexeme in "[<":
            inner, at = _nested(lexemes, at, "]" if lexeme == "[" else ">")
            items.append((lexeme, inner))
        elif lexeme == closing:
            return items, at
        elif lexeme in "]>":
            raise ValueError(f"a stray {lexeme!r}")
        else:
            items.append(lexeme.strip('"') if len(lexeme) > 2 else lexeme)
    if closing:
        raise ValueError(f"no {closing!r}")
    return items, at


def _repeats(items):
    """`a [a ...]` made ("+", [a])."""
    result = []
    for item in items:
        if item[0] == "[" and item[1][-1:] == ["..."]:
            body = item[1][:-1]
            if result[-len(body):] == body:
                result[-len(body):] = [("+", body)]
                continue
            if not body:
                raise ValueError("nothing before ...")
            item = ("[", [("+", body)])
        result.append(item)
    return result


def _is_literal(item):
    return isinstance(item, str) and _LITERAL.fullmatch(item) is not None


class _Tree:
    def __init__(self, command):
        self.types = _TYPES_OF.get(command, {})

    def word(self, name):
        if name in KEY_NAMES or name in CHANNEL_KEY_NAMES:
            type = "key" if name in KEY_NAMES else "string"
        else:
            type = "string"
        return Argument(name, self.types.get(name) or _TYPES.get(name.replace("_", "-"), type))

    def token(self, text):
        text = "" if text == '""' else text
        return Argument(_SIGN_NAMES.get(text) or text.lower(), "pure-token", text)

    def scope(self, items):
        """What stands in one pair of brackets: alternatives, or a sequence. One argument."""
        items = _repeats(items)
        if "|" in items:
            alternatives, part = [], []
            for item in [*items, "|"]:
                if item == "|":
                    alternatives.append(self.block(self.sequence(part)))
                    part = []
                else:
                    part.append(item)
            tokens = frozenset(a.token for a in alternatives)
            name = _CHOICE_NAMES.get(tokens) if all(a.type == "pure-token" for a in alternatives) else None
            if name is None and "PXAT" in tokens:
                name = "expiration"
            return Argument(name or "-or-".join(a.name for a in alternatives), "oneof", children=alternatives)
        return self.block(self.sequence(items))

    def block(self, arguments):
        if len(arguments) == 1:
            return arguments[0]
        return Argument("-".join(a.name for a in arguments), "block", children=arguments)

    def sequence(self, items):
        arguments = []
        items = _repeats(items)
        at = 0
        while at < len(items):
            item = items[at]
            at += 1
            if _is_literal(item):
                arguments.append(self.token(item))
                run = at
                while run < len(items) and self.belongs(items[run]):
                    run += 1
                following = items[run:run + 1]
                if run > at:                                    # TOKEN name, TOKEN name name
                    argument = self.block([self.single(items[i]) for i in range(at, run)])
                    at = run
                elif following and following[0][0] == "<":      # TOKEN <a | b>
                    argument = self.single(following[0])
                    at = run + 1
                else:
                    continue
                argument.token = item
                if argument.type in ("block", "oneof"):
                    argument.name = item.lower()
                arguments[-1] = argument
            else:
                arguments.append(self.single(item))
        return arguments

    @staticmethod
    def belongs(item):
        """A name, or names repeated, go with the token before them."""
        if isinstance(item, str):
            return not _is_literal(item)
        return item[0] == "+" and not any(_is_literal(word) for word in item[1])

    def single(self, item):
        if isinstance(item, str):
            return self.token(item) if _is_literal(item) else self.word(item)
        kind, inner = item
        argument = self.scope(inner)
        if kind == "[":
            argument.optional = True
        elif kind == "+":
            argument.multiple = True
            argument.multiple_token = argument.token is not None and argument.type != "pure-token"
        return argument


def _least(items):
    """How many words the items take at least, and whether they may take more: as Argument.length, without a tree."""
    least = 0
    varies = False
    for item in items:
        if isinstance(item, str):
            least += 1
        elif item[0] == "[":
            varies = True
        else:
            lengths, part = [], []
            for inner in [*item[1], "|"]:
                if inner == "|":
                    lengths.append(_least(part))
                    part = []
                else:
                    part.append(inner)
            shortest = min(n for n, _ in lengths)
            varies = varies or any(more or n != shortest for n, more in lengths)
            least += shortest
    return least, varies


class Usage:
    """A usage line, taken apart.

    `name` is the full name in lower case (`"xgroup|create"`), `arity` counts the words with all names as Redis does:
    negative when there may be more. `keys` in the constructor is the access of the keys, as `"RW INSERT"`; where a command has
    several specs, theirs in order with commas between (`"RW ACCESS DELETE, OW UPDATE"`; the last goes for all that
    follow). ValueError for a line that can't be read.
    """

    def __init__(self, line, keys="", arity=None):
        self.line = line
        self.access = keys
        lexemes = _LEXEME.findall(line)
        words = 2 if lexemes[0] in CONTAINERS and len(lexemes) > 1 else 1
        self.name = "|".join(lexemes[:words]).lower()
        self.container = lexemes[0].lower() if words == 2 else None
        self.names = words
        self._items = _nested(lexemes[words:])[0]
        if arity is None:
            if words == 1 and lexemes[0] in CONTAINERS:
                arity = -1 if lexemes[0] == "COMMAND" else -2
            else:
                least, varies = _least(self._items)
                arity = -(least + words) if varies else least + words
        self.arity = arity

    @cached_property
    def arguments(self):
        """The argument tree, a list of Argument."""
        arguments = _Tree(self.name).sequence(self._items)
        self._specs = self._find_keys(arguments)
        return arguments

    @cached_property
    def key_specs(self):
        """A list of KeySpec, in the order of the line."""
        self.arguments
        return self._specs

    @property
    def movable(self):
        """Whether the keys stand at places that first, last and step can't tell."""
        return not all(spec.trivial for spec in self.key_specs)

    @cached_property
    def legacy(self):
        """(first, last, step): the older description of the keys; (0, 0, 0) without. Several specs are one range as long as
        they follow each other without a gap."""
        trivial = [spec for spec in self.key_specs if spec.trivial]
        if len(self.key_specs) == 1 and trivial:
            (_, first), (_, last, step, _) = trivial[0].begin, trivial[0].find
            return first, first + last if last >= 0 else last, step
        first = last = previous = None
        for spec in trivial:
            (_, begin), (_, end, step, _) = spec.begin, spec.find
            if step != 1 or (previous is not None and previous != begin - 1):
                continue
            end = begin + end if end >= 0 else end
            first = begin if first is None else min(first, begin)
            last = end if last is None or end < 0 or 0 <= last < end else last
            previous = end
        return (0, 0, 0) if first is None else (first, last, 1)

    def key_positions(self, words):
        """(position, KeySpec) of each key among the words of a request (bytes), in the order of the specs. ValueError when the
        words don't have the form of the command."""
        found = [(at, spec) for spec in self.key_specs for at in spec.positions(words)]
        if self.name == "sort":
            found += [(at, self.key_specs[-1]) for at in _sort_destination(words)]
        return found

    def keys(self, words):
        """The positions alone."""
        return [at for at, _ in self.key_positions(words)]

    def _find_keys(self, arguments):
        specs = []
        access = [part.split() for part in self.access.split(",")] if self.access else [[]]

        def add(begin, find, *further):
            flags = access[min(len(specs), len(access) - 1)]
            flags = [flag if flag in ("RO", "RW", "OW", "RM") else flag.lower() for flag in flags] + list(further)
            specs.append(KeySpec(begin, find, flags))
            return len(specs) - 1

        at = self.names                         # position of the argument, None after one of no fixed length
        least = self.names
        for index, argument in enumerate(arguments):
            channel = argument.name in CHANNEL_KEY_NAMES and self.container is None
            is_key = argument.type == "key" or channel
            further = ["not_key"] if channel else []
            after = [a.length() for a in arguments[index + 1:]]
            rest = sum(n for n, _ in after) if not any(more for _, more in after) else None
            previous = arguments[index - 1] if index else None
            length, varies = argument.length()
            if is_key and argument.token is None and at is not None:
                if previous is not None and previous.name == "numkeys":
                    spec = add(("index", at - 1), ("keynum", 0, 1, 1))
                elif argument.multiple:
                    spec = add(("index", at), ("range", -1 - (rest or 0), 1, 0), *further)
                elif argument.name == "key2":                   # one range with key1
                    spec = len(specs) - 1
                    specs[spec].find = ("range", 1, 1, 0)
                else:
                    spec = add(("index", at), ("range", 0, 1, 0), *further)
                argument.key_spec_index = None if channel else spec
            elif argument.type == "oneof" and argument.children[0].type == "key" and at is not None:
                argument.children[0].key_spec_index = add(("index", at), ("range", 0, 1, 0))
            elif argument.type == "oneof" and any(a.type == "key" and a.token for a in argument.children):
                for child in argument.children:                 # [STORE key | STOREDIST key]
                    child.key_spec_index = add(("keyword", child.token, least), ("range", 0, 1, 0))
            elif argument.type == "block" and argument.multiple and not argument.token and at is not None:
                if argument.children[0].type == "key" and previous is not None and previous.name == "numkeys":
                    argument.children[0].key_spec_index = add(("index", at - 1), ("keynum", 0, 1, len(argument.children)))
                elif argument.children[0].type == "key":
                    argument.children[0].key_spec_index = add(("index", at), ("range", -1, len(argument.children), 0))
            elif argument.token is not None and not is_key and argument.type == "block":
                for child in argument.children:                 # STREAMS key [key ...] id [id ...]
                    if child.type == "key":
                        child.key_spec_index = add(("keyword", argument.token, least), ("range", -1, 1, len(argument.children)))
            elif argument.token is not None and argument.type == "key":
                if specs and specs[-1].begin[0] == "unknown":
                    argument.key_spec_index = add(("unknown",), ("unknown",))
                else:
                    # Keys up to the end of the line are searched from the end (of MIGRATE): their word may also be a key.
                    begin, last = (-2, -1) if argument.multiple else (least, 0)
                    argument.key_spec_index = add(("keyword", argument.token, begin), ("range", last, 1, 0))
            elif argument.type == "pattern" and argument.token in ("BY", "GET"):
                # The keys are made of the pattern and the elements sorted: nobody can tell them from the words.
                if not specs or specs[-1].begin[0] != "unknown":
                    add(("unknown",), ("unknown",))
                argument.key_spec_index = len(specs) - 1
            least += length
            at = None if at is None or varies else at + length
        return specs


def _sort_destination(words):
    """SORT's STORE: among the options, and not the value of another; the last one counts."""
    found = []
    at = 2
    while at < len(words):
        word = words[at].upper()
        if word == b"STORE" and at + 1 < len(words):
            found = [at + 1]
            at += 1
        else:
            at += {b"LIMIT": 2, b"GET": 1, b"BY": 1}.get(word, 0)
        at += 1
    return found
