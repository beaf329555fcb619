"""Wheels into a folder that can be imported from, without pip.

A wheel is a zip; ``NAME.data/purelib`` and ``platlib`` belong to the root, other ``.data`` folders
(scripts, headers) are left out.
"""

import os
import re
import shutil
import stat
import zipfile
import zlib

from ..failure import Failure, from_os_error, no_space
from ..wire import runtime_digest
from .home import SPARE, check_digest, sync_folder

MAX_FILES = 50000
MAX_BYTES = 2 << 30
_DATA = re.compile(r"[^/]+\.data/([^/]+)/(.+)\Z")


def installed(store):
    """The digests of the runtimes on this board."""
    return [name for name in sorted(os.listdir(store.path("runtimes"))) if len(name) == 64]


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
        _unpack_all(
            [(store.verified_blob(wheel["digest"]), str(wheel["name"])) for wheel in wheels],
            temporary,
            store,
            progress,
        )
        os.rename(temporary, folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(store.path("runtimes"))
    store.remove_blobs(digests)
    return name


def _unpack_all(paths, folder, store, progress):
    plan = [(path, name, _members(path, name)) for path, name in paths]
    files = sum(len(members) for _, _, members in plan)
    size = sum(info.file_size for _, _, members in plan for info, _ in members)
    if files > MAX_FILES or size > MAX_BYTES:
        raise Failure("bad-wheel", "the wheels hold {} files of {} bytes, over the limit".format(files, size))
    if size + SPARE > store.free():
        raise no_space(size + SPARE, store.free(), "the runtime")
    done = 0
    try:
        os.mkdir(folder, 0o700)
        for path, name, members in plan:
            with zipfile.ZipFile(path) as archive:
                for info, target in members:
                    _write(archive, info, os.path.join(folder, *target.split("/")), name)
                    done += 1
                    progress(done, files)
        if hasattr(os, "sync"):
            os.sync()
    except OSError as error:
        raise from_os_error(error, size, store.free(), folder)


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
