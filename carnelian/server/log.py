"""Log lines as Redis writes them, through Python's logging.

`loglevel` is one of debug, verbose, notice, warning; `logfile` a path, or "" for the standard output.
"""
import logging
import os
import sys
import time

VERBOSE = 15
NOTICE = logging.INFO

LEVELS = {
    "debug": logging.DEBUG,
    "verbose": VERBOSE,
    "notice": NOTICE,
    "warning": logging.WARNING,
    "nothing": logging.CRITICAL + 1,
}


def mark(level: int) -> str:
    """The sign of a level in a log line."""
    if level < VERBOSE:
        return "."
    if level < NOTICE:
        return "-"
    return "*" if level < logging.WARNING else "#"


class Formatter(logging.Formatter):
    """`pid:role time mark message`; M is a master, X what is neither master nor replica."""

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%d %b %Y %H:%M:%S", time.localtime(record.created))
        line = f"{os.getpid()}:M {moment}.{int(record.msecs):03d} {mark(record.levelno)} {record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def set_up(level: str, path: str) -> logging.Logger:
    """Gives the logger `carnelian` its level and its one handler. OSError if the file can't be opened."""
    logger = logging.getLogger("carnelian")
    handler = logging.FileHandler(path, encoding="utf-8") if path else logging.StreamHandler(sys.stdout)
    handler.setFormatter(Formatter())
    for old in logger.handlers[:]:
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
    logger.setLevel(LEVELS[level])
    logger.propagate = False
    return logger
