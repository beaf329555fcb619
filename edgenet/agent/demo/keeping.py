"""Pictures that the host keeps: snapshots, and what is collected while somebody wants it."""

import threading
from typing import Any

from .. import wire
from ..failure import shown
from .pixels import encode, oriented, rgb

EVERY_S = 0.5
MOST = 2000


class Keeper(object):
    """Sends pictures to the host, to be kept there.

    Args:
        pipeline, models: As they run.
        host: Called with ``save`` events; calls ``unkept`` back.
        folder: What the host calls the place.
        over: Set when the demo ends.

    Attributes:
        collecting: Whether a frame is kept twice a second.
        saved: How many of each kind: "snapshot", "drift".
        trouble: Why the host could not keep the last picture, or ``None``.
    """

    def __init__(self, pipeline, models, host, folder, over):
        self._pipeline, self._models, self._host, self._over = pipeline, models, host, over
        self.folder, self.collecting, self.saved = folder, False, {"snapshot": 0, "drift": 0}
        self.trouble: Any = None
        host.unkept = self._unkept
        self._saving = threading.Lock()
        thread = threading.Thread(target=self._collect, name="collect")
        thread.daemon = True
        thread.start()

    def told(self):
        """Of the collecting, JSON-ready: ``folder``, ``count``, ``most``, ``every_s``, ``trouble``."""
        return {
            "folder": self.folder,
            "count": self.saved["drift"],
            "most": MOST,
            "every_s": EVERY_S,
            "trouble": self.trouble,
        }

    def collect(self, wanted):
        """Collect from now on, or no more; never more than ``MOST``."""
        self.collecting = wanted and self.saved["drift"] < MOST
        self.trouble = None if wanted else self.trouble

    def _unkept(self, kind, why):
        """The host could not keep a picture: no more are collected until somebody wants them again."""
        with self._saving:
            if self.saved.get(kind):
                self.saved[kind] -= 1
        self.trouble, self.collecting = shown(why), False

    def save(self, kind, passage):
        """Send a picture and its answers to the host; returns its name."""
        spec = self._models[0].spec
        frame = passage.frame if kind == "drift" else passage.frame.large or passage.frame
        data, suffix = encoded(frame, spec, True)
        if len(data) > wire.MAX_BODY:
            data, suffix = encoded(frame, spec, False)
        with self._saving:
            self.saved[kind] += 1
            name = "{}-{:06d}.{}".format(kind, passage.frame.number, {"jpeg": "jpg"}.get(suffix, suffix))
            answers = [_answer(model, passage, index) for index, model in enumerate(self._models)]
            self._host.tell("save", data, kind=kind, name=name, frame=passage.frame.number, answers=answers)
        return name

    def _collect(self):
        number = None
        while not self._over.wait(EVERY_S):
            passage = self._pipeline.last() if self.collecting else None
            if passage is None:
                continue
            if passage.frame.number != number:
                number = passage.frame.number
                self.save("drift", passage)
                # Said only where it is over: meanwhile somebody may have ended it.
                if self.saved["drift"] >= MOST:
                    self.collecting = False
            passage.frame.drop()


def encoded(frame, spec, lossless):
    """A picture to be kept; what has no tag of its own any more is turned as the model takes it."""
    if frame.kind == "jpeg":
        return frame.data, "jpeg"
    return encode(oriented(rgb(frame), frame, spec), lossless)


def _answer(model, passage, index):
    """What a model said of a frame that is kept."""
    top, boxes = passage.tops[index], passage.boxes[index]
    if top is None:
        return None
    found = {"model": model.about["name"], "digest": model.about["digest"], "top": top}
    return found if boxes is None else dict(found, boxes=boxes)
