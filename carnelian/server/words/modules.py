"""MODULE: what Redis has from modules and is built in here, and that others can't be loaded.
https://redis.io/docs/latest/commands/module-list/"""
from carnelian.base.errors import ReplyError
from carnelian.keyspace import ADMIN, LOADING, NO_ASYNC_LOADING, NOSCRIPT, STALE, command
from carnelian.server.words.common import help_text, is_allowed, text_of

# Name and version, as clients look for them: JSON of Redis Stack 7.2, in two digits each.
MODULES = {"ReJSON": 20813}

DENIED = ('ERR MODULE command not allowed. If the enable-module-command option is set to "local", you can run it from a local '
          "connection, otherwise you need to set this option in the configuration file, and then restart the server.")
NOT_LOADED = "ERR Error loading the extension: modules as shared objects can't be loaded here."


def refuse_loading(c) -> None:
    raise ReplyError(NOT_LOADED if is_allowed(c, "enable-module-command") else DENIED)


@command("MODULE LIST", ADMIN | NOSCRIPT, since="4.0.0", group="server", complexity="O(N), N modules")
def module_list(c):
    """List the modules; they are built in."""
    return [{"name": name, "ver": version, "path": "", "args": []} for name, version in MODULES.items()]


@command("MODULE LOAD path [arg [arg ...]]", ADMIN | NOSCRIPT | NO_ASYNC_LOADING, since="4.0.0", group="server", complexity="O(1)")
def module_load(c, path: bytes, *arguments: bytes):
    """Refuse to load a shared object."""
    refuse_loading(c)


@command("MODULE LOADEX path [CONFIG name value [CONFIG name value ...]] [ARGS args [args ...]]", ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
         since="7.0.0", group="server", complexity="O(1)")
def module_loadex(c, path: bytes, *arguments: bytes):
    """Refuse to load a shared object with settings."""
    refuse_loading(c)


@command("MODULE UNLOAD name", ADMIN | NOSCRIPT | NO_ASYNC_LOADING, since="4.0.0", group="server", complexity="O(1)")
def module_unload(c, name: bytes):
    """Refuse to take a module away."""
    if not is_allowed(c, "enable-module-command"):
        raise ReplyError(DENIED)
    if text_of(name) in MODULES:
        raise ReplyError("ERR Error unloading module: the module exports one or more module-side data types, can't unload")
    raise ReplyError("ERR Error unloading module: no such module with that name")


@command("MODULE HELP", LOADING | STALE, since="5.0.0", group="server", complexity="O(1)")
def module_help(c):
    """Explain the subcommands of MODULE."""
    return help_text("MODULE", """
LIST
    List the modules, all of which are built in.
LOAD <path> [<arg> ...]
    Refused: shared objects can't be loaded.
LOADEX <path> [[CONFIG NAME VALUE]...] [ARGS ...]
    Refused, too.
UNLOAD <name>
    Refused: what is built in stays.
""")
