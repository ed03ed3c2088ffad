"""The command line."""
import os
import signal
import sys

import typer

from carnelian.version import REDIS_VERSION, __version__

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="An in-memory data-structure store, compatible with Redis.")


def print_version(wanted: bool) -> None:
    if wanted:
        print(f"carnelian {__version__} (Redis {REDIS_VERSION})")
        raise typer.Exit()


@app.callback()
def common(version: bool = typer.Option(False, "--version", callback=print_version, is_eager=True,
                                        help="Show the version and exit.")) -> None:
    """An in-memory data-structure store, compatible with Redis."""


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False},
    options_metavar="[FILE.conf] [--port 6379] [--NAME VALUE ...]")
def serve(context: typer.Context) -> None:
    """Run a server.

    FILE.conf is read first: it has the syntax and the names of redis.conf. Then every --NAME VALUE sets the parameter of
    that name, as in: carnelian serve --port 7777 --bind 127.0.0.1 --maxmemory 100mb --maxmemory-policy allkeys-lru

    --functions FILE.py makes the Python functions that the file declares callable by FCALL (docs/functions.md).
    """
    arguments = list(context.args)
    file = arguments.pop(0) if arguments and not arguments[0].startswith("--") else None
    try:
        status = run(file, arguments)
    except Failure as failure:
        print(f"carnelian: {failure}", file=sys.stderr)
        raise typer.Exit(1) from None
    raise typer.Exit(status)


class Failure(Exception):
    """The server can't start: one line."""


def run(file, arguments: list) -> int:
    """Reads the configuration and serves. Failure."""
    from carnelian.server import log
    from carnelian.server.config import Config, ConfigError
    from carnelian.server.server import Server, StartError

    config = Config()
    try:
        config.load(file, arguments)
    except ConfigError as error:
        raise Failure(one_line(error)) from None
    if config["daemonize"] and not hasattr(os, "fork"):
        raise Failure("daemonize yes: this system has no fork")
    os.chdir(config["dir"])
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)        # it outlives the terminal
    try:
        log.set_up(config["loglevel"], config["logfile"])
    except OSError as error:
        raise Failure(f"Can't open the log file {config['logfile']}: {error.strerror}") from None
    try:
        server = Server(config)
        server.open()
        if config["daemonize"]:
            daemonize()
        elif sys.stdout.isatty() and not config["logfile"]:
            print(banner(server))
        return server.run()
    except StartError as error:
        raise Failure(str(error)) from None
    except ConfigError as error:
        raise Failure(one_line(error)) from None


def one_line(error) -> str:
    return str(error).replace("\n>>> ", ": ").replace("\n", ": ")


def banner(server) -> str:
    """What a person at a terminal wants to know first."""
    places = server.places()
    lines = [f"carnelian {__version__}, compatible with Redis {REDIS_VERSION}"]
    tcp = [place for place in places if not place.startswith(("/", "."))]
    if tcp:
        port = tcp[0].rpartition(":")[2]
        lines += [f"  listening on {', '.join(places)}",
                  f"  connect with redis-cli -p {port}, or redis://127.0.0.1:{port} in any Redis client"]
    else:
        lines += [f"  listening on {places[0]}", f"  connect with redis-cli -s {places[0]}"]
    return "\n".join(lines + ["  the data are in memory only: they end with the server (Ctrl-C)"])


def daemonize() -> None:
    """Goes on as a process of its own, without a terminal; the one that was called ends."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork():
        os._exit(0)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
