"""A model in a process of its own, which takes its pixels from memory that both processes see."""

import mmap
import os
import tempfile
from typing import Any

import numpy as np

from .. import wire
from ..child import Child
from ..failure import Failure
from ..measure import memory

_TOP = 5
# Pictures that the process may have: one at work, one that follows.
_ROOM = 2
# Memory that is no disk, where the system has it.
_SHARED = "/dev/shm"


class Model(object):
    """One deployed bundle, open.

    Args:
        order: ``manifest``, ``path`` of the artifact, ``folder`` of the runtime, ``threads``.

    Attributes:
        spec: Its preprocessing.
        key: The same for models that see the same pixels.
        about: ``name``, ``backend``, ``digest``, ``runtime``, ``threads``, ``input``.

    Raises:
        Failure: ``import``, ``load``, ``run``, ``died``.
    """

    def __init__(self, order):
        manifest = order["manifest"]
        self.spec, self._output = manifest["preprocessing"], manifest["output"]
        self.key = str(sorted(self.spec.items()))
        self._labels, self._started = manifest["labels"], 0
        self._child = Child(order["folder"])
        self._pixels: Any = None
        try:
            opened = self._ask(dict(order, type=wire.OPEN))
            self._share(manifest["input"]["shape"])
        except BaseException:
            self.close()
            raise
        self.about = {
            "name": manifest["name"],
            "backend": manifest["backend"],
            "digest": manifest["digest"],
            "runtime": opened["runtime_version"],
            "threads": order["threads"],
            "input": manifest["input"]["shape"],
        }

    def _share(self, shape):
        handle, path = tempfile.mkstemp(prefix="edgenet-", dir=_SHARED if os.path.isdir(_SHARED) else None)
        try:
            size = _ROOM * int(np.prod(shape))
            os.ftruncate(handle, size)
            self._pixels = np.frombuffer(mmap.mmap(handle, size), np.uint8).reshape([_ROOM] + shape)
            self._ask({"type": wire.SHARE, "path": path})
        finally:
            os.close(handle)
            os.unlink(path)

    def _ask(self, header):
        return _checked(self._child.request(header, b"", _ignore))[0]

    def start(self, pixels):
        """Have it answer uint8 pixels [H, W, 3]; ``finish`` waits for the oldest of at most two."""
        place = self._started % _ROOM
        np.copyto(self._pixels[place, 0], pixels)
        self._child.send({"type": wire.ANSWER, "place": place})
        self._started += 1

    def finish(self):
        """``(raw output [classes], seconds of the invocation alone)``."""
        header, body = _checked(self._child.receive(_ignore))
        return np.frombuffer(body, self._output["dtype"]), header["seconds"]

    def top(self, raw):
        """``[[label, probability, index] …]``, the five most probable of a raw output."""
        order = np.argsort(-raw.astype(np.float64), kind="stable")[:_TOP]
        shares = self._probabilities(raw)[order]
        return [[self.label(int(i)), round(float(p), 4), int(i)] for i, p in zip(order, shares)]

    def _probabilities(self, raw):
        logits = raw.astype(np.float64)
        if self._output.get("meaning") == "probabilities":
            return logits
        if self._output.get("scale") is not None:
            logits = (logits - self._output["zero_point"]) * self._output["scale"]
        exponents = np.exp(logits - logits.max())
        return exponents / exponents.sum()

    def label(self, index):
        """The name of an output."""
        return self._labels[index] if index < len(self._labels) else str(index)

    def memory_mb(self):
        """Resident memory of its process, MB, or ``None``."""
        return memory.rss_mb("/proc/{}/status".format(self._child.pid))

    def close(self):
        """End its process."""
        self._child.close()


def _checked(frame):
    error = frame[0].get("error")
    if error:
        facts = {name: value for name, value in error.items() if name not in ("kind", "what", "remedy")}
        raise Failure(error["kind"], error["what"], error["remedy"], **facts)
    return frame


def _ignore(_header, _body):
    """Its progress is not shown."""
