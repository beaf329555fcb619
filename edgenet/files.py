"""Files that are never half written, and digests: the two habits every floor shares."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: threads are kept apart, processes are not
    fcntl = None  # type: ignore[assignment]

from edgenet.errors import DataError

__all__ = ["cache_dir", "file_digest", "locked", "sha256", "write_atomic", "write_output"]

_locks, _umasks = threading.Lock(), threading.Lock()


def sha256(data: bytes) -> str:
    """The lower-case hexadecimal sha256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def file_digest(path: Path) -> str:
    """The sha256 of a file, read in constant memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``data`` so that ``path`` holds either what it held before or all of it.

    The bytes go to a temporary name in the same folder, are fsynced, and take the
    place of ``path`` by one rename.

    Raises:
        OSError: The folder cannot be written (no space, no permission); ``path`` is untouched.
    """
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


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only one, of this machine's threads and processes, who reads ``path`` and writes it again.

    Not twice within one thread. The lock is a file beside it and stays; the kernel gives it back with the
    process.

    Raises:
        OSError: The folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locks, path.with_name(f".{path.name}.lock").open("ab") as stream:
        if fcntl is not None:
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


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
