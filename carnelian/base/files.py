"""Files that are replaced in one step."""
import os
import tempfile


def replace(file, content: bytes) -> None:
    """The file with that content, readable by its owner alone: the old one or the new one, whatever happens. OSError."""
    directory = os.path.dirname(file) or "."
    handle, temporary = tempfile.mkstemp(prefix=os.path.basename(file) + ".", dir=directory)    # mode 0600
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise
    if os.name == "posix":
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
