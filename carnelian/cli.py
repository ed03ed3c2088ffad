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


@app.command()
def check(files: list[str] = typer.Argument(metavar="FILE...", help="An RDB file, an append-only file, a manifest, or a directory."),
          fix: bool = typer.Option(False, "--fix", help="Cut the damaged end of an append-only file off, and keep a copy."),
          yes: bool = typer.Option(False, "--yes", help="Do not ask before that.")) -> None:
    """Say what is in files of data, whether they are sound, and where they are not.

    The status is 0 if all are sound (or made so), 1 if one is damaged, 2 if one can't be read.
    """
    from carnelian.persistence.bar import Bar
    from carnelian.persistence.check import Unreadable
    from carnelian.persistence.check import check as check_path

    status = 0
    for path in files:
        try:
            with Bar() as bar:
                reports = check_path(path, bar)
            for report in reports:
                print(report.text(), flush=True)
                if not report.is_sound and not (fix and mended(report, yes)):
                    status = max(status, 1)
        except (OSError, Unreadable) as error:
            print(f"carnelian: {reason(error)}", file=sys.stderr)
            status = 2
    raise typer.Exit(status)


def mended(report, yes: bool) -> bool:
    """`check --fix`: whether the file is sound now. OSError."""
    from carnelian.persistence.bar import Bar
    from carnelian.persistence.check import check_file, truncate
    from carnelian.persistence.lock import AlreadyOpen

    if report.cut is None or not report.may_be_cut:
        print("  can't be mended: only the end of the last append-only file can be cut off", flush=True)
        return False
    size = os.path.getsize(report.path)
    print(f"  the last {size - report.cut} of {size} bytes would be cut off, from offset {report.cut} on", flush=True)
    if not yes and not typer.confirm("  Cut them off?", default=False):
        return False
    try:
        copy = truncate(report)
    except AlreadyOpen as error:
        print(f"  not done: {error}", flush=True)
        return False
    print(f"  done; the file as it was is {copy}", flush=True)
    with Bar() as bar:
        again = check_file(report.path, bar, True)
    if not again.is_sound:
        print(again.text(), flush=True)
    return again.is_sound


@app.command()
def convert(source: str = typer.Argument(metavar="SOURCE", help="RDB file, append-only file or directory, JSON lines; - is stdin."),
            target: str = typer.Argument(metavar="TARGET", help="NAME.rdb, NAME.aof, a directory, NAME.jsonl; - is stdout."),
            from_format: str = typer.Option(None, "--from", metavar="FORMAT", help="rdb, aof, jsonl: if the source does not tell."),
            to_format: str = typer.Option(None, "--to", metavar="FORMAT", help="rdb, aof, jsonl: if the target's name does not tell."),
            rdb_version: int = typer.Option(None, "--rdb-version", help="9 to 12; else the lowest of 10 and 12 that holds the data."),
            force: bool = typer.Option(False, "--force", help="Replace a target that is there.")) -> None:
    """Write data in another format: RDB files, append-only files (one file or a directory), JSON lines.

    The source is only read; the target appears whole or not at all.
    """
    from carnelian.persistence.bar import Bar
    from carnelian.persistence.convert import Refused
    from carnelian.persistence.convert import convert as convert_file
    from carnelian.persistence.loading import DamagedFile

    try:
        with Bar() as bar:
            content = convert_file(source, target, from_format, to_format, rdb_version, force, bar)
    except DamagedFile as error:
        print(f"carnelian: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except (OSError, Refused) as error:
        print(f"carnelian: {reason(error)}", file=sys.stderr)
        raise typer.Exit(2) from None
    functions = f" and {len(content.functions)} libraries of functions" if content.functions else ""
    print(f"carnelian: {content.keys} keys{functions} from {source} to {target}", file=sys.stderr)


def reason(error) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


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
    return "\n".join([*lines, "  " + kept(server.config)])


def kept(config) -> str:
    """What becomes of the data."""
    if config["appendonly"]:
        return f"changes are kept in {os.path.join(os.getcwd(), config['appenddirname'])} (appendfsync {config['appendfsync']})"
    if config["save"]:
        return f"snapshots are kept in {os.path.join(os.getcwd(), config['dbfilename'])} (--appendonly yes keeps every change)"
    return "the data are in memory only: they end with the server (Ctrl-C)"


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
