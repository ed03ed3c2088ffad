# cython: language_level=3
"""Access control: the users of an engine, who is who, and what is refused to whom.

https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/. The language of the rules is acl_rules.py's.

A session whose user may do everything bears no mark, and is not asked again. One whose user may not is RESTRICTED: the engine
then runs no compiled twin for it, and calls `check` before each word.
"""
from cython.cimports.carnelian.keyspace.session import CLOSE_AFTER_REPLY, CLOSE_NOW, RESTRICTED, SIGNED_IN, UNAUTHENTICATED, Session

from carnelian.commands.client_list import client_line
from carnelian.engine.acl_log import DenialLog
from carnelian.engine.acl_rules import CHANNEL, COMMAND, KEY, RuleError, User, gathered, has_spaces

REASONS = {COMMAND: "command", KEY: "key", CHANNEL: "channel"}
COUNTERS = {"auth": "auth", "command": "cmd", "key": "key", "channel": "channel"}
AT_EXEC = {
    COMMAND: "no permission to execute the command or subcommand", KEY: "no permission to touch the specified keys",
    CHANNEL: "no permission to access one of the channels used as arguments",
}


def text_of(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def denial_text(user: User, declared, words, denial, verbose: bool = False) -> str:
    """What a client is told, without the code; `verbose` names the key or channel."""
    kind, at = denial
    if kind == COMMAND:
        return f"User {text_of(user.name)} has no permissions to run the '{declared.name}' command"
    what = "key" if kind == KEY else "channel"
    if verbose:
        return f"User {text_of(user.name)} has no permissions to access the '{text_of(words[at])}' {what}"
    return f"No permissions to access a {what}"


class AccessControl:
    """The users of an engine. `default` is the one that every session is until it signs in; it is always there."""

    def __init__(self, engine):
        self.engine = engine
        self.every_channel = False          # acl-pubsub-default
        self.default = new_default()
        self.users = {b"default": self.default}     # name -> User
        self.log = DenialLog()
        self.reset_statistics()
        self.path = ""                      # aclfile

    # --- sessions ----------------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether a new client is the default user without a password."""
        return self.default.nopass and self.default.enabled

    def attach(self, session: Session) -> None:
        """A session inside the process begins as the default user, signed in."""
        session.flags |= SIGNED_IN
        self.become(session, self.default)

    def welcome(self, session: Session) -> None:
        """A connection begins (RESET: again) as the default user, and has to sign in unless that is open."""
        session.flags &= ~SIGNED_IN
        if self.is_open:
            session.flags |= SIGNED_IN
        self.become(session, self.default)

    def become(self, session: Session, user: User) -> None:
        session.rights = user
        session.user = user.name
        self.mark(session)

    def mark(self, session: Session) -> None:
        """Puts the session's flags in accordance with the rules."""
        session.flags &= ~(RESTRICTED | UNAUTHENTICATED)
        if session.rights is not None and not session.rights.is_unlimited:
            session.flags |= RESTRICTED
        if not session.flags & SIGNED_IN and not self.is_open:
            session.flags |= UNAUTHENTICATED
        session.reader.authenticated = not session.flags & UNAUTHENTICATED

    def sign_in(self, session: Session, name: bytes, password: bytes) -> bool:
        """Makes the session that user; False, and nothing else, where name and password do not fit."""
        user = self.users.get(name)
        if user is None or not user.accepts(password):
            return False
        session.flags |= SIGNED_IN
        self.become(session, user)
        return True

    def drop(self, session: Session, own) -> None:
        """Ends a connection whose user is gone or may not listen any more; `own` is the session whose word that is the effect of."""
        session.flags &= ~SIGNED_IN
        self.become(session, self.default)
        if session is own:
            session.flags |= CLOSE_AFTER_REPLY
        else:
            self.engine.detach(session)
            session.flags |= CLOSE_NOW
            self.engine.store.deliver(session)

    # --- what is allowed ---------------------------------------------------------------------------------------------

    def denial(self, session: Session, command, words):
        """(COMMAND, KEY or CHANNEL, position) of what the session's user may not do with this request; None if all is allowed.

        `command` is the engine's BoundCommand, `words` the whole request (bytes, name included). Nothing is logged.
        """
        if not session.flags & RESTRICTED:
            return None
        return session.rights.denial(command.declaration, words)

    def check(self, session: Session, command, words, context: str = "toplevel"):
        """The error text with which a request is refused, after it was logged and counted; None if it is allowed.

        `context`: "toplevel", "multi" (while words are queued), "exec" (when they are run) or "lua" (by a script).
        """
        found = self.denial(session, command, words)
        if found is None:
            return None
        kind, at = found
        thing = command.name.encode() if kind == COMMAND else words[at]
        self.note_denial(session, REASONS[kind], thing, session.user, "multi" if context == "exec" else context)
        if context == "exec":
            return ("NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This "
                    f"command is no longer allowed for the following reason: {AT_EXEC[kind]}")
        text = denial_text(session.rights, command.declaration, words, found)
        return f"ERR ACL failure in script: {text}" if context == "lua" else f"NOPERM {text}"

    def reads_every_key(self, session: Session, command, words) -> bool:
        """Whether the user may read keys that the request does not name (SORT with BY or GET)."""
        return not session.flags & RESTRICTED or session.rights.reads_every_key(command.declaration, words)

    def note_denial(self, session: Session, reason: str, thing: bytes, user: bytes, context: str) -> None:
        """Counts a refusal, and puts it into the log. `reason`: "auth", "command", "key" or "channel"."""
        self.denied[COUNTERS[reason]] += 1
        line = client_line(self.engine.call, session).encode("utf-8", "surrogateescape")
        self.log.add(reason, context, thing, user, line, self.engine.store.now)

    def reset_statistics(self) -> None:
        self.denied = dict.fromkeys(COUNTERS.values(), 0)

    # --- users -------------------------------------------------------------------------------------------------------

    def in_order(self) -> list:
        return [self.users[name] for name in sorted(self.users)]

    def set_user(self, name: bytes, rules, own=None) -> None:
        """ACL SETUSER: makes or changes a user, by all rules or none. RuleError; ValueError with the text of the whole error."""
        if has_spaces(name):
            raise ValueError("Usernames can't contain spaces or null characters")
        try:
            rules = gathered(rules)
        except RuleError as error:
            raise ValueError(f"Unmatched parenthesis in acl selector starting at '{error}'.") from None
        user = self.users.get(name)
        changed = User(name, self.every_channel) if user is None else user.copy()
        for rule in rules:
            try:
                changed.apply(rule, self.every_channel)
            except RuleError as error:
                shown = text_of(rule.partition(b"\0")[0]).replace("\r", " ").replace("\n", " ")
                raise ValueError(f"Error in ACL SETUSER modifier '{shown}': {error}") from None
        if user is None:
            self.users[name] = changed
        else:
            self.replace(user, changed, own)

    def replace(self, user: User, changed: User, own=None) -> None:
        """Gives a user other rules. Connections lose those subscriptions that they would not get any more by being closed."""
        narrowed = self.is_narrower(changed, user)
        user.become(changed)
        for session in list(self.engine.sessions.values()):
            if session.rights is user and narrowed and not self.may_listen(session, user):
                self.drop(session, own)
        self.mark_all()

    def mark_all(self) -> None:
        for session in self.engine.sessions.values():
            self.mark(session)

    def is_narrower(self, changed: User, user: User) -> bool:
        """Whether rules for channels are missing that were there: else nobody needs to be looked at."""
        if any(selector.every_channel for selector in changed.selectors):
            return False
        if any(selector.every_channel for selector in user.selectors):
            return True
        now = {pattern for selector in changed.selectors for pattern in selector.channels}
        return any(pattern not in now for selector in user.selectors for pattern in selector.channels)

    def may_listen(self, session: Session, user: User) -> bool:
        return all([user.allows_channel(pattern, True) for pattern in session.patterns]) and all(
            [user.allows_channel(channel, False) for channel in [*session.channels, *session.shard_channels]])

    def delete_user(self, name: bytes, own=None) -> bool:
        """False if there is no such user. Its connections are closed."""
        user = self.users.pop(name, None)
        if user is None:
            return False
        for session in list(self.engine.sessions.values()):
            if session.rights is user:
                self.drop(session, own)
        return True

    def install(self, users: dict, own=None) -> None:
        """ACL LOAD: these users and no others. Connections of those that are gone are closed."""
        before = self.users
        self.users = {b"default": self.default}
        fresh = users.get(b"default") or new_default()
        for name, user in users.items():
            if name != b"default" and name in before:
                known = before[name]
                self.replace(known, user, own)
                self.users[name] = known
            elif name != b"default":
                self.users[name] = user
        self.replace(self.default, fresh, own)
        for name, user in before.items():
            if name not in self.users:
                self.users[name] = user
                self.delete_user(name, own)

    def set_password(self, password) -> None:
        """requirepass (bytes or None): the one password of the default user."""
        changed = self.default.copy()
        changed.apply(b"nopass" if password is None else b"resetpass")
        if password is not None:
            changed.apply(b">" + password)
        self.replace(self.default, changed)


def new_default() -> User:
    """The default user as it is without a configuration."""
    user = User(b"default")
    for rule in (b"on", b"nopass", b"+@all", b"~*", b"&*"):
        user.apply(rule)
    return user
