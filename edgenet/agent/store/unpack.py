"""Wheels into a folder that can be imported from, without pip; and whether it is still what was unpacked.

A wheel is a zip; ``NAME.data/purelib`` and ``platlib`` belong to the root, other ``.data`` folders
(scripts, headers) are left out. Beside a runtime's folder lies ``<digest>.json``: of each file the size, the
CRC-32 that its wheel, whose sha256 was checked, says, and the time when it was written.
"""

import json
import os
import re
import shutil
import stat
import zipfile
import zlib

from ..failure import Failure, from_os_error, no_space
from ..wire import DAMAGED_RUNTIME, runtime_digest
from .home import SPARE, check_digest, read_json, sync_folder, write_atomic

MAX_FILES = 50000
MAX_BYTES = 2 << 30
_DATA = re.compile(r"[^/]+\.data/([^/]+)/(.+)\Z")


def installed(store):
    """``(digests, damaged)`` of the runtimes on this board: the whole ones, and those that were removed."""
    found = [name for name in sorted(os.listdir(store.path("runtimes"))) if len(name) == 64]
    damaged = [name for name in found if check(store, name)]
    return [name for name in found if name not in damaged], damaged


def check(store, name, every=False):
    """Whether a runtime is damaged; it is removed then, to be sent again.

    Sizes and times of its files tell at once; where they are not as they were written, or where ``every`` is
    asked for because it failed, the bytes do. A runtime without a list, of an older agent, is believed only
    until it fails.
    """
    path = _list_path(store, name)
    if not (every or os.path.isfile(path)):
        return False
    if not _damaged(store.path("runtimes", name), read_json(path), every):
        return False
    remove(store, name)
    return True


def folder(store, digest, every=False):
    """Where a runtime lies, whole; ``None`` for the board's own packages.

    Raises:
        Failure: ``missing``; or ``damaged-runtime``, and it is removed. Of ``every``, see ``check``.
    """
    if digest is None:
        return None
    path = store.path("runtimes", check_digest(digest))
    if not os.path.isdir(path):
        raise Failure("missing", "runtime {} is not on the board".format(digest[:12]), "deploy again")
    if check(store, digest, every):
        what = "runtime {} on the board was damaged and is removed".format(digest[:12])
        raise Failure(DAMAGED_RUNTIME, what, "deploy again: it is sent again")
    return path


def remove(store, name):
    """Forget a runtime."""
    shutil.rmtree(store.path("runtimes", name), ignore_errors=True)
    if os.path.isfile(_list_path(store, name)):
        os.unlink(_list_path(store, name))


def _list_path(store, name):
    return store.path("runtimes", name + ".json")


def forget_compiled(folder):
    """Remove what Python compiled of a runtime's modules, which no list knows; whether there was any."""
    found = [at for at, _, _ in os.walk(folder) if os.path.basename(at) == "__pycache__"]
    for path in found:
        shutil.rmtree(path, ignore_errors=True)
    return bool(found)


def _damaged(folder, listed, every):
    try:
        for target, (size, crc, written) in listed.items():
            path = os.path.join(folder, *target.split("/"))
            found = os.stat(path)
            if found.st_size != size:
                return True
            if (every or int(found.st_mtime) != written) and _crc(path) != crc:
                return True
    except (OSError, AttributeError, TypeError, ValueError):  # a file that is gone; a list that is none
        return True
    return False


def _crc(path):
    total = 0
    with open(path, "rb") as stream:
        for piece in iter(lambda: stream.read(1 << 18), b""):
            total = zlib.crc32(piece, total)
    return total & 0xFFFFFFFF


def unpack(store, wheels, progress):
    """Unpack wheel blobs into ``runtimes/<digest>``; their blobs are removed then.

    Args:
        store: The board's store; its deploy lock must be held.
        wheels: ``[{"digest", "name"}…]``, sent before as blobs.
        progress: Called with (files done, files in all).

    Returns:
        The runtime's digest.
    """
    store.need_lock()
    digests = [check_digest(wheel["digest"]) for wheel in wheels]
    name = runtime_digest(digests)
    folder = store.path("runtimes", name)
    if os.path.isdir(folder):
        return name
    temporary = folder + ".tmp"  # the deploy lock is held: nobody else writes it
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        paths = [(store.verified_blob(wheel["digest"]), str(wheel["name"])) for wheel in wheels]
        listed = _unpack_all(paths, temporary, store, progress)
        write_atomic(_list_path(store, name), json.dumps(listed).encode("ascii"))
        os.rename(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(store.path("runtimes"))
    store.remove_blobs(digests)
    return name


def _unpack_all(paths, folder, store, progress):
    """What is written: {target: [bytes, CRC-32, time]}."""
    plan = [(path, name, _members(path, name)) for path, name in paths]
    files = sum(len(members) for _, _, members in plan)
    size = sum(info.file_size for _, _, members in plan for info, _ in members)
    if files > MAX_FILES or size > MAX_BYTES:
        raise Failure("bad-wheel", "the wheels hold {} files of {} bytes, over the limit".format(files, size))
    if size + SPARE > store.free():
        raise no_space(size + SPARE, store.free(), "the runtime")
    listed = {}
    try:
        os.mkdir(folder, 0o700)
        for path, name, members in plan:
            with zipfile.ZipFile(path) as archive:
                for info, target in members:
                    written = os.path.join(folder, *target.split("/"))
                    _write(archive, info, written, name)
                    listed[target] = [info.file_size, info.CRC, int(os.stat(written).st_mtime)]
                    progress(len(listed), files)
        if hasattr(os, "sync"):
            os.sync()
    except OSError as error:
        raise from_os_error(error, size, store.free(), folder)
    return listed


def _members(path, name):
    """``[(info, relative target)…]`` of the files of a wheel that belong in the folder."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise Failure("bad-wheel", "{} is not a wheel".format(name)) from None
    members = []
    for info in infos:
        _check_name(info, name)
        data = _DATA.match(info.filename)
        if info.filename.endswith("/") or (data and data.group(1) not in ("purelib", "platlib")):
            continue
        target = data.group(2) if data else info.filename
        members.append((info, os.fsdecode(target.encode("utf-8"))))  # in UTF-8, whatever the locale
    return members


def _check_name(info, wheel):
    text = info.filename
    bad = text.startswith("/") or "\\" in text or ":" in text or "\0" in text or ".." in text.split("/")
    if bad or stat.S_ISLNK(info.external_attr >> 16):
        raise Failure("bad-wheel", "{} holds an unsafe path {!r}".format(wheel, text)[:300])


def _write(archive, info, target, wheel):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    left = info.file_size
    try:
        with archive.open(info) as source, open(target, "wb") as stream:
            for piece in iter(lambda: source.read(1 << 18), b""):
                left -= len(piece)
                if left < 0:
                    raise Failure("bad-wheel", "{}: {} is larger than it says".format(wheel, info.filename))
                stream.write(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise Failure("bad-wheel", "{} is damaged: {}".format(wheel, error)) from None
