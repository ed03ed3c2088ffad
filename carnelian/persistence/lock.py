"""One process for a directory."""
import contextlib
import os

try:
    import fcntl
except ImportError:                 # Windows
    fcntl = None
    import msvcrt

NAME = "carnelian.lock"


class AlreadyOpen(OSError):
    """Another process has the directory."""


class DirectoryLock:
    """Held until `release`, or until the process ends, however it ends. AlreadyOpen; OSError."""

    def __init__(self, directory: str):
        self.path = os.path.join(directory, NAME)
        self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if fcntl is not None:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                msvcrt.locking(self.descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            owner = os.read(self.descriptor, 32).decode("ascii", "replace").strip() if fcntl is not None else ""
            os.close(self.descriptor)
            raise AlreadyOpen(f"{directory} is in use by another process" + (f" ({owner})" if owner else "")) from None
        os.ftruncate(self.descriptor, 0)
        os.write(self.descriptor, f"pid {os.getpid()}\n".encode())

    def release(self) -> None:
        """The file stays: deleting it would race with another process that has just opened it."""
        os.close(self.descriptor)


@contextlib.contextmanager
def no_server_near(path: str):
    """For tools that change a file of data: AlreadyOpen if a server runs in its directory or the one above.

    Where no server has ever run, nothing is made.
    """
    directory = os.path.dirname(os.path.abspath(path))
    with contextlib.ExitStack() as stack:
        for place in {directory, os.path.dirname(directory)}:
            if os.path.exists(os.path.join(place, NAME)):
                stack.callback(DirectoryLock(place).release)
        yield
