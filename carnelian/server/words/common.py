"""What several of these words need."""
import ipaddress

from carnelian.base.errors import ReplyError
from carnelian.base.replies import Status


def is_local(session) -> bool:
    """Whether a client is on the same machine: loopback, a unix socket, or inside the process."""
    host = session.address.rpartition(":")[0].strip("[]").partition("%")[0]
    if not host or "/" in host:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_allowed(call, parameter: str) -> bool:
    """What enable-debug-command and its like say for this client; without a configuration everything is allowed."""
    config = call.engine.config
    if config is None or config[parameter] == "yes":
        return True
    return config[parameter] == "local" and is_local(call.session)


def help_text(container: str, text: str) -> list:
    """The reply of a HELP subcommand."""
    lines = [f"{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", *text.strip("\n").split("\n"),
             "HELP", "    Print this help."]
    return [Status(line.encode()) for line in lines]


def text_of(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def unknown_subcommand(container: str, word: bytes) -> ReplyError:
    return ReplyError(f"ERR unknown subcommand or wrong number of arguments for '{text_of(word)[:128]}'. Try {container} HELP.")
