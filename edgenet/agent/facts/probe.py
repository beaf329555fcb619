"""Facts about this board: flat JSON, nothing that names its owner."""

import locale
import os
import platform
import re
import struct
import sys
import time
from importlib import util

from .. import child
from ..store.safe import FOLDERS
from ..wire import PROTOCOL
from . import board


def probe(store, digest, backends=(), root="/"):
    """All facts; keys whose value is unknown are ``None``.

    Args:
        store: The board's store, for the free disk.
        digest: The agent's own digest.
        backends: Those whose runtimes the board's own Python shall try; their parts are here.
        root: Where ``proc``, ``sys`` and ``etc`` lie.
    """
    facts = {
        "protocol": PROTOCOL,
        "agent": digest,
        "machine": platform.machine(),
        "system": platform.system(),
        "kernel": platform.release(),
        "python": "{}.{}.{}".format(*sys.version_info[:3]),
        "python_executable": sys.executable,
        "python_implementation": sys.implementation.name,
        "python_bits": struct.calcsize("P") * 8,
        "glibc": glibc(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "page_size": _page_size(),
        "disk_free_mb": round(store.free() / 1e6, 1),
        "noexec": noexec(store.path("runtimes")),
        "writable": writable(store),
        "shell": os.path.basename(os.environ.get("SHELL", "")) or None,
        "encoding": locale.getpreferredencoding(False),
        "clock_s": round(time.time(), 1),
    }
    facts.update(board.facts(root, child.output))
    facts["os"] = facts["os"] or platform.platform()
    facts.update(own_packages(backends))
    return facts


def own_packages(backends):
    """What the board's own Python can do: runtimes it imports, those it has but cannot, image formats."""
    working, broken = {}, {}
    for backend in backends:
        answer = child.try_runtime(backend, None)
        if answer["works"]:
            working[backend] = answer["version"]
        elif not answer["absent"]:
            broken[backend] = answer["why"]
    return {
        "runtimes": working,
        "runtimes_broken": broken,
        "packages": {name: version for name, version in [("numpy", package("numpy"))] if version is not None},
        "decodes": decodes(),
    }


def package(name):
    """The version of a package of the board's own Python: "" where it does not tell, ``None`` without it.

    It is read from the name of the folder of its metadata (PEP 376); nothing is imported.
    """
    found = util.find_spec(name)
    if found is None or not found.has_location or not found.submodule_search_locations:
        return None  # without a location: a folder of this name with no package in it
    about = re.compile(re.escape(name) + r"-([\w.+!]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info\Z", re.IGNORECASE)
    for folder in found.submodule_search_locations:
        for entry in _listed(os.path.dirname(folder)):
            match = about.match(entry)
            if match:
                return match.group(1)
    return ""


def _listed(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError:  # an archive, or closed to this user
        return []


def decodes():
    """Image formats that the board's own packages decode; empty without numpy."""
    if package("numpy") is None:
        return []
    return ["ppm"] + (["jpeg", "png"] if util.find_spec("PIL") else [])


def glibc():
    """The C library's version such as "2.36", or ``None`` (musl, macOS, Windows)."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, ValueError, OSError):
        return None
    return version if name == "glibc" else None


def noexec(folder):
    """Whether libraries in a folder cannot be loaded because of how it is mounted, or ``None``."""
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_NOEXEC)
    except (AttributeError, OSError):
        return None


def writable(store):
    """Whether this user may write all folders of the home, and their file systems are not read-only."""
    folders = [store.home] + [store.path(name) for name in FOLDERS]
    return all(os.access(folder, os.W_OK | os.X_OK) for folder in folders)


def _page_size():
    try:
        return os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
