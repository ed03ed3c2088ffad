# cython: language_level=3
"""ACL: https://redis.io/docs/latest/commands/acl-setuser/ tells the rules."""
import secrets

from cython.cimports.carnelian.keyspace.call import Call

from carnelian.base.errors import NotInteger, ReplyError
from carnelian.base.numbers import parse_integer
from carnelian.base.replies import Members, OK, Status
from carnelian.engine import acl_file
from carnelian.engine.acl import denial_text, text_of
from carnelian.keyspace.categories import CATEGORIES, categories
from carnelian.keyspace.declaration import ADMIN, LOADING, NOSCRIPT, STALE, command, registry

OPEN = NOSCRIPT | LOADING | STALE
CLOSED = ADMIN | OPEN
MOST_BITS = 4096


def wrong_number(c: Call) -> ReplyError:
    return ReplyError(f"ERR unknown subcommand or wrong number of arguments for '{text_of(c.words[1][:128])}'. Try ACL HELP.")


# --- users ------------------------------------------------------------------------------------------------------------


@command("ACL SETUSER username [rule [rule ...]]", CLOSED, since="6.0.0", group="server",
         complexity="O(N), N being the number of rules")
def acl_setuser(c: Call, name: bytes, *rules):
    """Make a user, or change one: by all of the rules, or by none if one of them is wrong."""
    try:
        c.engine.acl.set_user(name, rules, c.session)
    except ValueError as error:
        raise ReplyError(f"ERR {error}") from None
    return OK


@command("ACL DELUSER username [username ...]", CLOSED, since="6.0.0", group="server", complexity="O(1) for each user")
def acl_deluser(c: Call, *names):
    """Delete users, and close their connections; how many there were."""
    if b"default" in names:
        raise ReplyError("ERR The 'default' user cannot be removed")
    return sum([c.engine.acl.delete_user(name, c.session) for name in names])


@command("ACL GETUSER username", CLOSED, since="6.0.0", group="server", complexity="O(N), N being the number of the user's rules")
def acl_getuser(c: Call, name: bytes):
    """Show the rules of a user."""
    user = c.engine.acl.users.get(name)
    if user is None:
        return None
    root = user.selectors[0]
    return {"flags": Members(user.flags()), "passwords": list(user.passwords), **parts_of(root),
            "selectors": [parts_of(selector) for selector in user.selectors[1:]]}


def parts_of(selector) -> dict:
    return {"commands": selector.command_rules(), "keys": selector.key_rules(), "channels": selector.channel_rules()}


@command("ACL LIST", CLOSED, since="6.0.0", group="server", complexity="O(N), N being the number of users")
def acl_list(c: Call):
    """Show all users with their rules, as a file has them."""
    return [acl_file.line_of(user, False) for user in c.engine.acl.in_order()]


@command("ACL USERS", CLOSED, since="6.0.0", group="server", complexity="O(N), N being the number of users")
def acl_users(c: Call):
    """Return the names of all users."""
    return [user.name for user in c.engine.acl.in_order()]


@command("ACL WHOAMI", OPEN, since="6.0.0", group="server", complexity="O(1)")
def acl_whoami(c: Call):
    """Return the name of the user that this connection is."""
    return c.session.user


# --- what there is to be allowed --------------------------------------------------------------------------------------


@command("ACL CAT [category]", OPEN, since="6.0.0", group="server", complexity="O(N), N being the number of commands")
def acl_cat(c: Call, *category):
    """Return the categories, or the commands of one."""
    if not category:
        return list(CATEGORIES)
    if len(category) > 1:
        raise wrong_number(c)
    wanted = text_of(category[0]).lower()
    if wanted not in CATEGORIES:
        raise ReplyError(f"ERR Unknown category '{text_of(category[0])}'")
    return [declared.name for word in registry.values() for declared in (word, *(word.subcommands or {}).values())
            if wanted in categories(declared)]


@command("ACL DRYRUN username command [arg [arg ...]]", CLOSED, since="7.0.0", group="server", complexity="O(1)")
def acl_dryrun(c: Call, name: bytes, *words):
    """Say whether a user may run a command, without running it."""
    user = c.engine.acl.users.get(name)
    if user is None:
        raise ReplyError(f"ERR User '{text_of(name)}' not found")
    bound = c.engine.commands.get(words[0].lower())
    if bound is not None and bound.subcommands is not None and len(words) > 1:
        bound = bound.subcommands.get(words[1].lower())
    if bound is None:
        raise ReplyError(f"ERR Command '{text_of(words[0])}' not found")
    if bound.arity > 0 and bound.arity != len(words) or len(words) < -bound.arity or bound.function is None:
        raise ReplyError(f"ERR wrong number of arguments for '{bound.name}' command")
    denial = user.denial(bound.declaration, words)
    if denial is None:
        return OK
    return denial_text(user, bound.declaration, words, denial, True)


# --- passwords --------------------------------------------------------------------------------------------------------


@command("ACL GENPASS [bits]", OPEN, since="6.0.0", group="server", complexity="O(1)")
def acl_genpass(c: Call, *bits):
    """Make a password that nobody can guess: 256 bits of chance, or so many, as hexadecimal digits."""
    if len(bits) > 1:
        raise wrong_number(c)
    wanted = parse_integer(bits[0]) if bits else 256
    if not 0 < wanted <= MOST_BITS:
        raise ReplyError("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to "
                         f"{MOST_BITS}")
    digits = (wanted + 3) // 4
    return secrets.token_hex((digits + 1) // 2)[:digits]


# --- the log ----------------------------------------------------------------------------------------------------------


@command("ACL LOG [count | RESET]", CLOSED, since="6.0.0", group="server", complexity="O(N), N being the number of entries shown")
def acl_log(c: Call, *option):
    """Show what was refused last (10 entries, or so many), or forget it."""
    log = c.engine.acl.log
    if len(option) > 1:
        raise wrong_number(c)
    if option and option[0].lower() == b"reset":
        log.entries.clear()
        return OK
    count = max(parse_integer(option[0]), 0) if option else 10
    return [entry.reply(c.store.now) for entry in log.entries[:count]]


# --- the file ---------------------------------------------------------------------------------------------------------


def file_of(c: Call) -> str:
    if not c.engine.acl.path:
        raise ReplyError("ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL "
                         "SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in "
                         "order to store users in the Redis configuration.")
    return c.engine.acl.path


@command("ACL LOAD", CLOSED, since="6.0.0", group="server", complexity="O(N), N being the number of users")
def acl_load(c: Call):
    """Take the users from the file, all or, if there is an error in it, none."""
    path = file_of(c)
    try:
        users = acl_file.read(path, c.engine.acl.every_channel)
    except ValueError as error:
        raise ReplyError(f"ERR {error}") from None
    c.engine.acl.install(users, c.session)
    return OK


@command("ACL SAVE", CLOSED, since="6.0.0", group="server", complexity="O(N), N being the number of users")
def acl_save(c: Call):
    """Write the users into the file."""
    path = file_of(c)
    try:
        acl_file.write(path, c.engine.acl.in_order())
    except OSError as error:
        acl_file.log.warning("Writing the users to %s failed: %s", path, error.strerror or error)
        raise ReplyError("ERR There was an error trying to save the ACLs. Please check the server logs for more information") \
            from None
    return OK


HELP = """\
ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CAT [<category>]
    List the categories of commands, or the commands of one.
DELUSER <username> [<username> ...]
    Delete users and close their connections.
DRYRUN <username> <command> [<arg> ...]
    Say whether the user may run that command, which is not run.
GENPASS [<bits>]
    Make up a password of 256 bits, or of so many.
GETUSER <username>
    Show the rules of one user.
LIST
    Show the rules of all users, as a file has them.
LOAD
    Take the users from the file that aclfile names.
LOG [<count> | RESET]
    Show what was refused last, or forget it.
SAVE
    Write the users into the file that aclfile names.
SETUSER <username> [<rule> ...]
    Make a user or change one.
USERS
    List the names of the users.
WHOAMI
    Give the name of the user that this connection is.
HELP
    Show this text."""


@command("ACL HELP", LOADING | STALE, since="6.0.0", group="server", complexity="O(1)")
def acl_help(c: Call):
    """Explain the subcommands of ACL."""
    return [Status(line.encode()) for line in HELP.split("\n")]
