"""A model in a process of its own, which takes its pixels from memory that both processes see."""

import mmap
import os
import tempfile
from typing import Any

import numpy as np

from .. import parts, tasks, wire
from ..child import Child
from ..failure import Failure
from ..measure import memory

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
        points: Names of the points of what it finds.
        alignment: Name of a point → (x, y) where it wants it, pixels.
        key: The same for models that see the same pixels.
        about: ``name``, ``backend``, ``digest``, ``task``, ``runtime``, ``threads``, ``input``.

    Raises:
        Failure: ``import``, ``load``, ``run``, ``died``.
    """

    def __init__(self, order):
        manifest = order["manifest"]
        self.spec, self._output = manifest["preprocessing"], manifest["output"]
        self._reader = tasks.reader(manifest)
        settings = manifest.get("task", {}).get("settings", {})
        self.points = settings.get("detection", {}).get("points", [])
        self.alignment = settings.get("alignment", {})
        self.key = str(sorted(self.spec.items()))
        self._started = 0
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
            "task": parts.task(manifest),
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

    def room(self):
        """Where the next picture's pixels belong, uint8 [H, W, 3], seen by its process too."""
        return self._pixels[self._started % _ROOM, 0]

    def start(self):
        """Have it answer what lies in ``room``; ``finish`` waits for the oldest of at most two."""
        self._child.send({"type": wire.ANSWER, "place": self._started % _ROOM})
        self._started += 1

    def finish(self):
        """``(raw output [classes], seconds of the invocation alone)``."""
        header, body = _checked(self._child.receive(_ignore))
        return np.frombuffer(body, self._output["dtype"]), header["seconds"]

    def top(self, raw):
        """``[[label, score, index] …]``, the best answers of a raw output; see ``tasks``."""
        return self._reader.top(raw)

    def boxes(self, raw, size):
        """``[[label, score, xmin, ymin, xmax, ymax, points] …]`` in fractions of a picture of this size."""
        return self._reader.boxes(raw, size) if hasattr(self._reader, "boxes") else None

    def told(self, raw, top):
        """What another model must say too to agree, see ``tasks.told``."""
        return tasks.told(self._reader, raw, top)

    @property
    def enrolls(self):
        """Whether it knows pictures of a gallery."""
        return hasattr(self._reader, "enroll")

    def answer(self, pixels):
        """The raw output for one picture, uint8 [H, W, 3], while nothing else is started."""
        np.copyto(self.room(), pixels)
        self.start()
        return self.finish()[0]

    def enroll(self, name, raw):
        """One more picture of the gallery, by its raw output."""
        self._reader.enroll(name, raw)

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
