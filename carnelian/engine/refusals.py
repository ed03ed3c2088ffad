"""The texts of requests that are answered by an error before any body runs, or in place of one."""
import logging

from carnelian.base.errors import ReplyError

log = logging.getLogger("carnelian")


def internal_error(name: str, error: Exception) -> ReplyError:
    """What a client gets for an exception that is none of ours; the log gets the traceback."""
    log.error("%s raised an exception that is no reply", name, exc_info=error)
    return ReplyError(f"ERR internal error: {type(error).__name__}")


def shown(word: bytes) -> str:
    """As C prints it: up to the first NUL byte."""
    return word.partition(b"\0")[0].decode("utf-8", "surrogateescape").replace("\r", " ").replace("\n", " ")


def unknown(words: tuple) -> str:
    """Redis's text for a word that is not there: the first 128 characters of the arguments are quoted."""
    quoted = ""
    for word in words[1:]:
        if len(quoted) >= 128:
            break
        quoted += f"'{shown(word[:128 - len(quoted)])}' "
    return f"ERR unknown command '{shown(words[0][:128])}', with args beginning with: {quoted}"


def unknown_subcommand(words: tuple) -> str:
    return f"ERR unknown subcommand '{shown(words[1][:128])}'. Try {shown(words[0]).upper()} HELP."
