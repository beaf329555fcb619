"""The runtimes' halves of the agent, one a backend, named like the host's; each travels as a part of its own.

A half is a file of this folder; what only it needs beside lies in the agent's folder of its name. It has
``version() -> str`` and ``Session(path, threads)`` with ``describe()``, ``set_input(pixels)``, ``invoke()``
and ``output()``; where it can, ``layers(seconds)`` and ``tap(name, pixels)``. ``path`` is a bare ASCII name:
the process stands in the artifact's folder.

The agent's archive holds none of them but their digests (``parts.json``, written by the host); the host sends
a part when a request first needs it, and it lies among the blobs.
"""

import importlib
import json
import os
import pkgutil
import sys
from typing import Any

from .. import wire
from ..failure import Failure
from ..store.home import default_home

_PARTS: Any = {}  # {backend: [digest, bytes]}, once read


def parts():
    """``{backend: [digest, bytes]}`` of the parts of this agent; empty where it is no archive."""
    if not _PARTS:
        try:
            _PARTS.update(json.loads((pkgutil.get_data(__name__, "parts.json") or b"{}").decode("ascii")))
        except OSError:
            pass
    return _PARTS


def names():
    """The backends this agent has a runtime file for."""
    return sorted({module.name for module in pkgutil.iter_modules(__path__)} | set(parts()))


def need(store, backends):
    """See that the parts of these backends are on the board, whole.

    Raises:
        Failure: "part", with the ``backends`` whose parts the host must send.
    """
    lacking = []
    for backend in backends:
        if backend in parts():
            try:
                store.verified_blob(*parts()[backend])
            except Failure:
                lacking.append(backend)
    if lacking:
        what = "the agent's part for {} is not on the board".format(" and ".join(lacking))
        raise Failure(wire.PART, what, "run this again", backends=lacking)


def load(backend):
    """The module of a backend.

    Raises:
        ValueError: There is none of this name.
        ImportError: The runtime itself is not installed or does not load here.
    """
    if backend not in names():
        raise ValueError("this agent has no runtime {!r}".format(backend)[:100])
    if backend in parts():
        part = os.path.join(default_home(), "blobs", parts()[backend][0])
        for name in (__package__.rpartition(".")[0], __package__):
            package: Any = sys.modules[name]
            package.__path__.append(os.path.join(part, name.replace(".", os.sep)))
    return importlib.import_module("." + backend, __name__)
