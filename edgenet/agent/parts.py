"""Parts of the agent that travel by themselves: the halves of runtimes and tasks, one file each.

A half is a file of ``runtimes`` or ``tasks``; what only it needs beside lies in the agent's folder of its
name. The agent's archive holds none of them but their digests (``parts.json``, written by the host); the host
sends a part when a request first needs it, and it lies among the blobs.
"""

import importlib
import json
import os
import pkgutil
import sys
from importlib.util import find_spec
from typing import Any

from . import wire
from .failure import Failure
from .store.home import default_home

RUNTIMES, TASKS = "runtimes", "tasks"
_KNOWN: Any = {}  # {"runtimes/tflite": [digest, bytes]}, once read


def known():
    """``{"FOLDER/NAME": [digest, bytes]}`` of the parts of this agent; empty where it is no archive."""
    if not _KNOWN:
        try:
            _KNOWN.update(json.loads((pkgutil.get_data(__package__, "parts.json") or b"{}").decode("ascii")))
        except OSError:
            pass
    return _KNOWN


def runtime(backend):
    """The name of the part that runs a backend's models."""
    return "{}/{}".format(RUNTIMES, backend)


def task(manifest):
    """What a deployment's model is for: the name of its half, which reads the answers."""
    return str(manifest.get("task", {}).get("name", "classification"))


def of(manifest):
    """The names of the parts that run a deployment's model and read its answers."""
    return [runtime(manifest["backend"]), "{}/{}".format(TASKS, task(manifest))]


def need(store, names):
    """See that these parts are on the board, whole; names that are no parts are not asked for.

    Raises:
        Failure: "part", with the ``parts`` that the host must send.
    """
    lacking = []
    for name in names:
        if name in known():
            try:
                store.verified_blob(*known()[name])
            except Failure:
                lacking.append(name)
    if lacking:
        told = " and ".join(name.split("/")[1] for name in lacking)
        what = "the agent's part for {} is not on the board".format(told)
        raise Failure(wire.PART, what, "run this again", parts=lacking)


def load(folder, name):
    """The module of a part.

    Raises:
        ValueError: There is none of this name.
        ImportError: What it needs is not installed or does not load here.
    """
    package: Any = importlib.import_module("." + folder, __package__)
    part = "{}/{}".format(folder, name)
    if part in known():
        archive = os.path.join(default_home(), "blobs", known()[part][0])
        for inside in (sys.modules[__package__], package):
            place = os.path.join(archive, inside.__name__.replace(".", os.sep))
            if place not in inside.__path__:
                inside.__path__.append(place)
    elif not name.isidentifier() or find_spec("." + name, package.__name__) is None:
        raise ValueError("this agent has no {}/{}".format(folder, name)[:100])
    return importlib.import_module("." + name, package.__name__)
