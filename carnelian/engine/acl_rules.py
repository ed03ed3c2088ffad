# cython: language_level=3
"""The rules of access control: users, what they may do, and the language that says so.

https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/#acl-rules. Rules are applied from left to
right, to a copy where they are to be all or nothing. Names of users, patterns and channels are bytes; names of commands and
categories are str in lower case.
"""
import hashlib
import hmac
import string

import cython

from carnelian.base.errors import ProtocolError
from carnelian.base.glob import matches
from carnelian.keyspace.categories import CATEGORIES, categories
from carnelian.keyspace.declaration import NO_AUTH, registry
from carnelian.keyspace.key_access import OF_OPTIONS, keys_of
from carnelian.protocol.reader import Reader

READ, WRITE = 1, 2
ANY = READ | WRITE
PREFIXES = {READ: b"%R~", WRITE: b"%W~", ANY: b"~"}
# What a key's flags ask for. A key that is only looked at from outside (EXISTS) needs some pattern, whatever its access.
NEEDS = {"access": READ, "insert": WRITE, "update": WRITE, "delete": WRITE}

# Commands of Redis that are not here: rules that name them are taken (rules move between servers), and allow nothing.
ABSENT = frozenset("""cluster|addslots cluster|addslotsrange cluster|bumpepoch cluster|delslots cluster|delslotsrange cluster|failover
    cluster|flushslots cluster|forget cluster|meet cluster|replicate cluster|reset cluster|saveconfig cluster|set-config-epoch
    cluster|setslot psync replconf sync""".split())

SUBSCRIBE = {"subscribe": 0, "psubscribe": 0, "ssubscribe": 0, "publish": 1, "spublish": 1}
PATTERN_WORDS = frozenset(["psubscribe"])

UNKNOWN = "Unknown command or category name in ACL"
SYNTAX = "Syntax error"
AFTER_ALL_KEYS = ("Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. "
                  "Try 'resetkeys' to start with an empty list of patterns")
AFTER_ALL_CHANNELS = ("Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any "
                      "effect. Try 'resetchannels' to start with an empty list of channels")
BAD_HASH = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
NO_SUCH_PASSWORD = "The password you are trying to remove from the user does not exist"
FIRST_ARGUMENT_OF_SUBCOMMAND = "Allowing first-arg of a subcommand is not supported"

HEXADECIMAL = frozenset(string.hexdigits.lower().encode())
SPACES = frozenset(b" \t\n\v\f\r\0")


class RuleError(Exception):
    """A rule that cannot be applied; the text is Redis's reason. `is_unknown`: it names what is not there."""

    @property
    def is_unknown(self) -> bool:
        return str(self) == UNKNOWN


def has_spaces(text: bytes) -> bool:
    return not SPACES.isdisjoint(text)


def hashed(password: bytes) -> bytes:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(password).hexdigest().encode()


def checked_hash(text: bytes) -> bytes:
    if len(text) != 64 or not HEXADECIMAL.issuperset(text):
        raise RuleError(BAD_HASH)
    return text


def find(name: str):
    """The declaration of `get` or `config|get`; None if there is none."""
    parent, bar, child = name.partition("|")
    found = registry.get(parent)
    if found is None or not bar:
        return found
    return (found.subcommands or {}).get(child)


def is_command(name: str) -> bool:
    """Whether rules may name it: a word of ours, or one of Redis's that is not here."""
    return find(name) is not None or name in ABSENT


class Selector:
    """What may be done: a set of commands, and of keys and channels for them.

    `base` says of every command that no rule names whether it is allowed; `rules` are (allowed, "get", "config|get",
    "select|0" or "@read") in order.
    """

    def __init__(self, every_channel: bool = False):
        self.base = False
        self.rules = []
        self.every_key = False
        self.keys = {}                      # pattern -> READ, WRITE or ANY
        self.every_channel = every_channel
        self.channels = {}                  # an ordered set of patterns
        self.verdicts = {}                  # name of a command -> True, False, or the first arguments allowed

    def copy(self):
        other = Selector()
        other.base, other.every_key, other.every_channel = self.base, self.every_key, self.every_channel
        other.rules, other.keys, other.channels = list(self.rules), dict(self.keys), dict(self.channels)
        return other

    @property
    def is_unlimited(self) -> bool:
        return self.base and not self.rules and self.every_key and self.every_channel

    # --- rules -------------------------------------------------------------------------------------------------------

    def apply(self, rule: bytes) -> None:
        """One rule about commands, keys or channels. RuleError."""
        word = rule.lower()
        first = rule[:1]
        if word in (b"allkeys", b"~*"):
            self.every_key = True
            self.keys = {}
        elif word == b"resetkeys":
            self.every_key = False
            self.keys = {}
        elif word in (b"allchannels", b"&*"):
            self.every_channel = True
            self.channels = {}
        elif word == b"resetchannels":
            self.every_channel = False
            self.channels = {}
        elif word in (b"allcommands", b"+@all", b"nocommands", b"-@all"):
            self.base = word in (b"allcommands", b"+@all")
            self.rules = []
            self.verdicts = {}
        elif first in (b"~", b"%"):
            self.add_keys(rule)
        elif first == b"&":
            if self.every_channel:
                raise RuleError(AFTER_ALL_CHANNELS)
            if has_spaces(rule):
                raise RuleError(SYNTAX)
            self.channels[rule[1:]] = None
        elif first in (b"+", b"-"):
            if b"\0" in rule:
                raise RuleError(UNKNOWN)
            self.change(first == b"+", word[1:].decode("latin-1"))
        else:
            raise RuleError(SYNTAX)

    def add_keys(self, rule: bytes) -> None:
        """`~pattern`, `%R~pattern`, `%W~pattern`, `%RW~pattern`."""
        if self.every_key:
            raise RuleError(AFTER_ALL_KEYS)
        access = ANY
        pattern = rule[1:]
        if rule[:1] == b"%":
            letters, _, pattern = pattern.partition(b"~")
            letters = letters.upper()
            access = (READ if b"R" in letters else 0) | (WRITE if b"W" in letters else 0)
            if letters not in (b"R", b"W", b"RW", b"WR"):
                raise RuleError(SYNTAX)
        if has_spaces(pattern):
            raise RuleError(SYNTAX)
        self.keys[pattern] = self.keys.get(pattern, 0) | access

    def change(self, allow: bool, name: str) -> None:
        """`+name` or `-name`, without the sign: a command, a subcommand, a category, or a command with its first argument."""
        if name.startswith("@"):
            if name[1:] not in CATEGORIES:
                raise RuleError(UNKNOWN)
        elif allow and "|" in name:
            parent, _, argument = name.rpartition("|")
            if not is_command(parent):
                raise RuleError(UNKNOWN)
            if "|" in parent:
                raise RuleError(FIRST_ARGUMENT_OF_SUBCOMMAND)
            if not argument:
                raise RuleError(SYNTAX)
            declared = find(parent)
            if declared is not None and declared.subcommands is not None and not is_command(name):
                raise RuleError(UNKNOWN)
        elif not is_command(name):
            raise RuleError(UNKNOWN)
        # A later rule takes the place of an earlier one about the same, and about parts of it.
        self.rules = [rule for rule in self.rules if rule[1] != name and not rule[1].startswith(name + "|")]
        self.rules.append((allow, name))
        self.verdicts = {}

    # --- what it says ------------------------------------------------------------------------------------------------

    def command_rules(self) -> bytes:
        words = ["+@all" if self.base else "-@all"] + [("+" if allow else "-") + name for allow, name in self.rules]
        return " ".join(words).encode("latin-1")

    def key_rules(self, exact: bool = False) -> bytes:
        if self.every_key:
            return b"~*"
        return b" ".join([(b"%RW~" if exact and pattern == b"*" and access == ANY else PREFIXES[access]) + pattern
                          for pattern, access in self.keys.items()])

    def channel_rules(self) -> bytes:
        return b"&*" if self.every_channel else b" ".join([b"&" + pattern for pattern in self.channels])

    def rule_line(self, exact: bool = False) -> bytes:
        """All rules, as ACL LIST shows them. `exact`: so that they can be read again, whatever patterns there are.

        (Redis shows the pattern `%RW~*` as `~*`, which lets no other stand beside it.)
        """
        channels = self.channel_rules()
        if not self.every_channel:
            channels = b"resetchannels " + channels if channels else b"resetchannels"
        return b" ".join([part for part in (self.key_rules(exact), channels, self.command_rules()) if part])

    # --- what it allows ----------------------------------------------------------------------------------------------

    def verdict(self, name: str):
        """Whether the command (its full name) is allowed: True, False, or the set of first arguments with which it is."""
        verdict = self.verdicts.get(name)
        if verdict is None:
            verdict = self.verdicts[name] = self.judge(name)
        return verdict

    def judge(self, name: str):
        parent = name.partition("|")[0]
        own = categories(find(name)) if find(name) is not None else []
        if parent != name:
            own = [*own, *categories(find(parent))]     # a category with a container in it has all of it
        allowed = self.base
        arguments = set()
        for allow, rule in self.rules:
            if rule == name or rule == parent or rule[0] == "@" and rule[1:] in own:
                allowed = allow
                arguments = set()
            elif rule.startswith(name + "|"):
                arguments.add(rule[len(name) + 1:].encode("latin-1"))
        declared = find(name)
        if allowed or not arguments or declared is None or declared.subcommands is not None:
            return allowed
        return frozenset(arguments)

    def allows_command(self, declared, words) -> bool:
        verdict = True if declared.flags & NO_AUTH else self.verdict(declared.name)
        if verdict is True or verdict is False:
            return verdict
        return len(words) > 1 and words[1].lower() in verdict

    def allows_key(self, key: bytes, needs: int) -> bool:
        for pattern, access in self.keys.items():
            if access & needs == needs and matches(pattern, key):
                return True
        return False

    def allows_channel(self, channel: bytes, is_pattern: bool) -> bool:
        """A pattern of PSUBSCRIBE must be among the rules as it stands."""
        if self.every_channel or is_pattern:
            return self.every_channel or channel in self.channels
        for pattern in self.channels:
            if matches(pattern, channel):
                return True
        return False

    def denial(self, declared, words, keys):
        """(kind, position in the words) of what is not allowed; None if all is.

        `keys` is a list of what touched() has found, empty as long as nobody has asked: several selectors share it.
        """
        if not (self.base and not self.rules) and not self.allows_command(declared, words):
            return COMMAND, 0
        if not self.every_key:
            if not keys:
                keys.append(touched(declared, words))
            for at, needs in keys[0]:
                if not self.allows_key(words[at], needs):
                    return KEY, at
        if not self.every_channel and declared.name in SUBSCRIBE:
            first = 1
            last = 2 if SUBSCRIBE[declared.name] else len(words)
            for at in range(first, min(last, len(words))):
                if not self.allows_channel(words[at], declared.name in PATTERN_WORDS):
                    return CHANNEL, at
        return None


# Kinds of denial; of several selectors' the greatest is told.
COMMAND, KEY, CHANNEL = 1, 2, 3


def touched(declared, words) -> list:
    """[(position, READ and WRITE as needed)] of the keys of a request; none where the words are not what they should be, for
    then the command will refuse them."""
    ranges: list = RANGES.get(declared.name, UNSEEN)
    if ranges is UNSEEN:
        ranges = RANGES[declared.name] = ranges_of(declared)
    count: cython.Py_ssize_t = len(words)
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    step: cython.Py_ssize_t
    places: list = []
    if ranges is not None:
        for first, last, step, needs in ranges:
            last += first if last >= 0 else count
            if last >= count:
                return []
            while first <= last:
                places.append((first, needs))
                first += step
        return places
    try:
        found = keys_of(declared, words)
    except ValueError:
        return []
    return [(at, needed(spec)) for at, spec in found]


UNSEEN: list = []
RANGES: dict = {}                           # name of a command -> what ranges_of() gives


def ranges_of(declared):
    """[(first, last, step, needs)] of a command whose keys stand at fixed places (a negative last counts from the end), else
    None. It spares most requests a look at the key specs."""
    specs = declared.usage.key_specs
    if declared.name in OF_OPTIONS or not all(spec.trivial and spec.find[3] == 0 for spec in specs):
        return None
    return [(spec.begin[1], spec.find[1], spec.find[2], needed(spec)) for spec in specs if "not_key" not in spec.flags]


def needed(spec) -> int:
    access = 0
    for flag in spec.flags:
        access |= NEEDS.get(flag, 0)
    return access


class User:
    """A user: how to sign in, and what is allowed then. `selectors`: the first holds the rules outside of parentheses."""

    def __init__(self, name: bytes, every_channel: bool = False):
        self.name = name
        self.enabled = False
        self.nopass = False
        self.sanitizes = True
        self.passwords = {}                 # an ordered set of hashes
        self.selectors = [Selector(every_channel)]

    def copy(self):
        other = User(self.name)
        other.become(self)
        return other

    def become(self, other) -> None:
        """Takes over everything of another user but the name."""
        self.enabled, self.nopass, self.sanitizes = other.enabled, other.nopass, other.sanitizes
        self.passwords = dict(other.passwords)
        self.selectors = [selector.copy() for selector in other.selectors]

    @property
    def is_unlimited(self) -> bool:
        return any(selector.is_unlimited for selector in self.selectors)

    # --- rules -------------------------------------------------------------------------------------------------------

    def apply(self, rule: bytes, every_channel: bool = False) -> None:
        """One rule. `every_channel`: what acl-pubsub-default gives to new selectors. RuleError."""
        word = rule.lower()
        first = rule[:1]
        if not rule:
            return
        if word in (b"on", b"off"):
            self.enabled = word == b"on"
        elif word == b"nopass":
            self.nopass = True
            self.passwords = {}
        elif word == b"resetpass":
            self.nopass = False
            self.passwords = {}
        elif word in (b"sanitize-payload", b"skip-sanitize-payload"):
            self.sanitizes = word == b"sanitize-payload"
        elif first in (b">", b"#"):
            self.passwords[hashed(rule[1:]) if first == b">" else checked_hash(rule[1:])] = None
            self.nopass = False
        elif first in (b"<", b"!"):
            password = hashed(rule[1:]) if first == b"<" else checked_hash(rule[1:])
            if password not in self.passwords:
                raise RuleError(NO_SUCH_PASSWORD)
            del self.passwords[password]
        elif first == b"(" and rule[-1:] == b")":
            self.selectors.append(selector_of(rule, every_channel))
        elif word == b"clearselectors":
            del self.selectors[1:]
        elif word == b"reset":
            self.become(User(self.name, every_channel))
        else:
            self.selectors[0].apply(rule)

    # --- what it says ------------------------------------------------------------------------------------------------

    def flags(self) -> list:
        return [b"on" if self.enabled else b"off", *([b"nopass"] if self.nopass else []),
                b"sanitize-payload" if self.sanitizes else b"skip-sanitize-payload"]

    def rule_line(self, exact: bool = False) -> bytes:
        """All rules in one line, without `user` and the name: as ACL LIST shows them, or exactly, for a file."""
        parts = self.flags() + [b"#" + password for password in self.passwords]
        parts.append(self.selectors[0].rule_line(exact))
        for selector in self.selectors[1:]:
            line = selector.rule_line(exact)
            if exact:
                line = b" ".join([in_quotes(word) if word[:1] in (b"~", b"%", b"&") else word for word in line.split(b" ")])
            parts.append(b"(" + line + b")")
        return b" ".join(parts)

    # --- what it allows ----------------------------------------------------------------------------------------------

    def accepts(self, password: bytes) -> bool:
        """Whether one may sign in with that password."""
        if not self.enabled:
            return False
        if self.nopass:
            return True
        given = hashed(password)
        accepted = False
        for known in self.passwords:
            accepted |= hmac.compare_digest(known, given)
        return accepted

    def denial(self, declared, words):
        """(COMMAND, KEY or CHANNEL, position in the words) of what is not allowed, None if all is.

        If no selector allows the command, that is told; else the last key or channel that one of them stumbled over.
        """
        worst = (COMMAND, 0)
        keys = []
        for selector in self.selectors:
            found = selector.denial(declared, words, keys)
            if found is None:
                return None
            worst = max(worst, found)
        return worst

    def reads_every_key(self, declared, words) -> bool:
        """Whether one of the selectors that allow the command allows reading of any key."""
        return any((selector.every_key or selector.keys.get(b"*", 0) & READ) and selector.denial(declared, words, []) is None
                   for selector in self.selectors)

    def allows_channel(self, channel: bytes, is_pattern: bool) -> bool:
        return any(selector.allows_channel(channel, is_pattern) for selector in self.selectors)


def in_quotes(word: bytes) -> bytes:
    """The word as arguments_of() reads it, where quotes or a parenthesis in it could be taken for the line's."""
    if b'"' not in word and b"'" not in word and not word.endswith(b")"):
        return word
    return b'"' + word.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def arguments_of(line: bytes) -> list:
    """The words of a line, quotes undone. ValueError when one is open."""
    reader = Reader()
    try:
        reader.feed(b"user " + line.replace(b"\n", b" ") + b"\n")     # no line may begin as a request of RESP does
        return list(reader.take())[1:]
    except ProtocolError:
        raise ValueError("unbalanced quotes") from None


def selector_of(rule: bytes, every_channel: bool) -> Selector:
    """`(rule rule ...)`."""
    selector = Selector(every_channel)
    try:
        words = arguments_of(rule[1:-1])
    except ValueError:
        raise RuleError(SYNTAX) from None
    for word in words:
        selector.apply(word)
    return selector


def gathered(words) -> list:
    """Rules in which a selector's parentheses may be spread over several words, each selector made one word.

    RuleError with the word that opens a selector which is not closed.
    """
    rules = []
    opened = None
    for word in words:
        if word[:1] == b"(" and word[-1:] != b")":
            opened = [word]                 # as in Redis, one that was open is forgotten
        elif opened is not None:
            opened.append(word)
            if word[-1:] == b")":
                rules.append(b" ".join(opened))
                opened = None
        else:
            rules.append(word)
    if opened is not None:
        raise RuleError(opened[0].decode("utf-8", "surrogateescape"))
    return rules
