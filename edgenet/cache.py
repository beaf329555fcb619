"""Results that cost time and can be had again: kept on disk by what they were made from, shared by processes.

An entry's name is the sha256 of everything that its bytes depend on, so it is never out of date, and two
processes that make it at once write the same. It is written whole or not at all, and read back only if its
own digest fits; a damaged one is removed and made again. When there are more than ``LIMIT`` bytes, those
unused for longest go.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import platform
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from edgenet import __version__
from edgenet.files import cache_dir, sha256, write_atomic
from edgenet.log import log
from edgenet.progress import REMARK, Progress, silent

__all__ = ["DIGEST", "LIMIT", "Cache", "made_by"]

LIMIT = 1 << 30
# Libraries whose arithmetic or decoding is in the results.
LIBRARIES = ("numpy", "onnx", "onnxruntime", "pillow")
# Characters of a sha256.
DIGEST = 64
# Seconds after which a temporary file belongs to nobody any more.
ABANDONED = 86_400


class Cache:
    """A folder of results.

    Args:
        kind: What they are; a folder of that name holds them.
        made_from: Everything that their bytes depend on, JSON-ready; this edgenet and its libraries are
            added.
        use: Whether to look and keep; without, :meth:`get` finds nothing and :meth:`put` keeps nothing.
        progress: Called where a result is damaged and therefore made again.
    """

    def __init__(
        self, kind: str, made_from: Mapping[str, Any], use: bool = True, progress: Progress = silent
    ) -> None:
        told = json.dumps({"kind": kind, "tool": made_by(), **made_from}, sort_keys=True)
        self.path = _folder() / kind / sha256(told.encode())
        self._kind, self._use, self._progress = kind, use, progress

    def get(self) -> bytes | None:
        """The result, if it is there and whole."""
        if not self._use:
            return None
        try:
            held = self.path.read_bytes()
        except OSError:
            log.debug("cache: %s %s is not there", self._kind, self.path.name[:12])
            return None
        if sha256(held[DIGEST:]).encode() != held[:DIGEST]:
            self.drop()
            return None
        log.debug("cache: %s %s taken, %d B", self._kind, self.path.name[:12], len(held))
        with contextlib.suppress(OSError):
            self.path.touch()  # the last use, for the order in which entries go
        return held[DIGEST:]

    def put(self, data: bytes) -> None:
        """Keep a result; a folder that cannot be written keeps nothing, which costs time alone."""
        if self._use and len(data) < LIMIT:
            with contextlib.suppress(OSError):
                write_atomic(self.path, sha256(data).encode() + data)
                _trim()

    def drop(self) -> None:
        """Remove a result that is damaged; it is told."""
        self._progress(f"{self._kind}: damaged in the cache, made again", 0, REMARK)
        with contextlib.suppress(OSError):
            self.path.unlink()


def _folder() -> Path:
    return cache_dir() / "results"


def _trim() -> None:
    """Remove what was unused for longest until the rest keeps ``LIMIT``, and what a killed process left."""
    entries = []
    for path in _folder().rglob("*"):
        with contextlib.suppress(OSError):  # another process may remove it meanwhile
            found = path.stat()
            if path.name.startswith(".") and time.time() - found.st_mtime > ABANDONED:
                path.unlink()
            elif path.is_file():
                entries.append((found.st_mtime, found.st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= LIMIT:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size


@functools.cache
def made_by() -> dict[str, str]:
    """This edgenet, its sources included, for a checkout changes without a new version; and its libraries."""
    root, total = Path(__file__).resolve().parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    known = {name: _version(name) for name in LIBRARIES}
    return {"edgenet": __version__, "sources": total.hexdigest(), "machine": platform.machine(), **known}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
