"""Folders of many small files that travel as one archive: unpacked into the cache when they are asked for."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from edgenet.files import cache_dir, file_digest
from edgenet.locks import locked

__all__ = ["unpack", "unpacked"]


@functools.cache
def unpacked(archive: Path) -> Path:
    """The folder that an archive of edgenet's own holds, the same for every process.

    It lies in the cache under the archive's sha256, and is made again where a file of it is missing or of
    another size. Where the cache cannot be written, it is this process's alone and goes with it.

    Args:
        archive: A ZIP file.
    """
    folder = cache_dir() / "sets" / file_digest(archive)
    try:
        unpack(archive, folder)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="edgenet-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
    return folder


def unpack(archive: Path, folder: Path) -> None:
    """Have a folder hold an archive whole; of several processes one makes it, and none sees half of it.

    Args:
        archive: A ZIP file of edgenet's own.
        folder: What else is in it stays only if every file of the archive is there in its size.

    Raises:
        OSError: It cannot be written.
    """
    with zipfile.ZipFile(archive) as opened:
        if _whole(opened, folder):
            return
        with locked(folder):
            if not _whole(opened, folder):
                _make(opened, folder)


def _whole(opened: zipfile.ZipFile, folder: Path) -> bool:
    try:
        return all((folder / item.filename).stat().st_size == item.file_size for item in opened.infolist())
    except OSError:
        return False


def _make(opened: zipfile.ZipFile, folder: Path) -> None:
    made = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    try:
        opened.extractall(made)
        made.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
