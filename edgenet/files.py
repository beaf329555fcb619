"""Files that are never half written, and digests: the two habits every floor shares."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
import threading
from pathlib import Path

from edgenet.errors import DataError
from edgenet.figures import size

__all__ = [
    "cache_dir", "check_output", "file_digest", "irregular", "read_regular", "sha256", "write_atomic",
    "write_output",
]  # fmt: skip

KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}

_umasks = threading.Lock()


def sha256(data: bytes) -> str:
    """The lower-case hexadecimal sha256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str:
    """The sha256 of a file, read in constant memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def irregular(path: Path, most: int) -> str:
    """Why a path is no regular file of at most ``most`` bytes; empty where it is one. It is not opened.

    Raises:
        OSError: It is not there, or not to be seen.
    """
    return _irregular(path.stat(), most)


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file; nothing that could wait or never end is opened.

    Raises:
        OSError: It is not there, not readable, something else than a file, or larger than ``most`` bytes;
            ``strerror`` says it.
    """
    if reason := irregular(path, most):
        raise OSError(errno.EINVAL, reason)
    # What was a file a moment ago may be a FIFO now, and without O_NONBLOCK this waits for its writer.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as stream:
        if reason := _irregular(os.fstat(handle), most):
            raise OSError(errno.EINVAL, reason)
        data = stream.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"more than {size(most)}")
    return data


def _irregular(found: os.stat_result, most: int) -> str:
    if not stat.S_ISREG(found.st_mode):
        return f"{KINDS.get(stat.S_IFMT(found.st_mode), 'something else')}, not a file"
    return f"{size(found.st_size)}, at most {size(most)} are read" if found.st_size > most else ""


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` so that ``path`` holds either what it held before or all of it.

    The bytes go to a temporary name in the same folder, are fsynced, and take the
    place of ``path`` by one rename. What is no file, a device or a pipe, stays what it is and gets the bytes.

    Raises:
        OSError: The folder cannot be written (no space, no permission); ``path`` is untouched.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def write_output(path: Path | str, data: bytes) -> Path:
    """Write a file that a user named; see :func:`write_atomic`.

    Raises:
        DataError: It cannot be written.
    """
    try:
        write_atomic(Path(path), data)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})", "choose another place") from None
    return Path(path)


def check_output(path: Path | str, folder: bool = False) -> None:
    """Refuse a place that cannot be written, before the work begins that would go there.

    Args:
        path: That a user named; what is missing above it will be made.
        folder: Whether it will be a folder, not a file.

    Raises:
        DataError: What exists of it is no folder, or not this user's to write to.
    """
    whole = os.path.abspath(path)
    above = whole if folder else os.path.dirname(whole)
    while not os.path.lexists(above) and above != os.path.dirname(above):
        above = os.path.dirname(above)
    if not os.path.isdir(above):
        raise DataError(f"{path}: cannot be written ({above} is not a folder)", "choose another place")
    if not os.access(above, os.W_OK | os.X_OK):
        raise DataError(f"{path}: cannot be written (you may not write in {above})", "choose another place")


def cache_dir() -> Path:
    """The folder for what can be fetched again: ``$EDGENET_CACHE`` or the user's cache."""
    if override := os.environ.get("EDGENET_CACHE"):
        return Path(override)
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return (Path(base) if base else Path.home() / ".cache") / "edgenet"


def _umask() -> int:
    """The process's; it can only be read by setting it, so one thread at a time."""
    with _umasks:
        current = os.umask(0o022)
        os.umask(current)
    return current
