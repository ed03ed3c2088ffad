"""Addresses of peers, and listening sockets."""
import errno
import ipaddress
import os
import socket
import stat
import sys


def is_loopback(host: str) -> bool:
    """Whether an address without port (IPv4 or IPv6, mapped ones too) is the machine's own."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def peer_text(host: str, port: int) -> str:
    """`ip:port`, as CLIENT LIST shows it: IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def set_keepalive(sock: socket.socket, seconds: int) -> None:
    """tcp-keepalive: a dead peer is noticed after about twice that time; 0 turns it off.

    On a listening socket: Linux hands these options, and TCP_NODELAY, on to the accepted ones.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1 if seconds else 0)
    if not seconds:
        return
    for name, value in (("TCP_KEEPIDLE", seconds), ("TCP_KEEPINTVL", max(seconds // 3, 1)), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def listen_tcp(address: str, port: int, backlog: int, keepalive: int):
    """A listening socket for one word of `bind`, or None where it is optional (`-`) and not to be had. OSError.

    `*` is every IPv4 address, `::*` every IPv6 address.
    """
    optional = address.startswith("-")
    host = address.removeprefix("-")
    host = {"*": "0.0.0.0", "::*": "::"}.get(host, host)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        sock = socket.socket(family, kind, protocol)
    except OSError:
        if optional:
            return None
        raise
    try:
        if os.name != "nt":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        set_keepalive(sock, keepalive)
        sock.bind(place)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        if optional and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return None
        raise
    return sock


def listen_unix(path: str, permissions: int, backlog: int) -> socket.socket:
    """A listening unix socket that only those whom `permissions` (0: the owner alone) lets in can reach. OSError.

    What a server that is gone has left at the path is removed; another file is not, nor a socket that is answered.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise OSError(errno.EAFNOSUPPORT, "this system has no unix sockets")
    if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode) and not answered(path):
        os.unlink(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Nobody may slip in between bind and chmod.
        before = os.umask(0o177)
        try:
            sock.bind(path)
        finally:
            os.umask(before)
        os.chmod(path, permissions or 0o600)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def answered(path: str) -> bool:
    """Whether somebody listens at a unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def raise_descriptor_limit(wanted: int) -> int:
    """Lets the process open so many files if the system permits. How many it may open now."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= wanted:
        return wanted
    for limit in ([] if hard == unlimited or hard >= wanted else [(wanted, wanted)]) + [
            (wanted if hard == unlimited else min(wanted, hard), hard)]:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            return limit[0]
        except (ValueError, OSError):
            continue
    return soft
