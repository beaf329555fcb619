"""How a model's answers are read on the board: one file a task, named like the host's, each a part.

No half knows another; what several need stands here, in the agent itself (:mod:`..parts`). A task has
``Reader(manifest)`` with ``label(raw)``, the best answer in words, and ``top(raw)``, the best ones as
``[[label, score, index] …]``. One with ``enroll(name, raw)`` is given a gallery's pictures first; what
``boxes(raw, size)`` gives, a demo draws; and what ``told(raw)`` says, two models must both say to agree, else
the best answer's index.
"""

from typing import Any

import numpy as np

from .. import parts, wire
from ..failure import Failure

# How many answers are shown.
TOP = 5
# What stands in place of an answer with NaN in it, which is no answer; it agrees with nothing.
NONE = [["not a number", 0.0, wire.NO_ANSWER]]


def reader(manifest: Any) -> Any:
    """What reads the answers of a deployment."""
    name = parts.task(manifest)
    try:
        half = parts.load(parts.TASKS, name)
    except ValueError:
        raise Failure("bad-request", "this agent has no task {!r}".format(name)[:100])
    try:
        return half.Reader(manifest)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        what = "the task {!r} cannot read these answers: {!r}".format(name, error)
        raise Failure("bad-request", what[:300], "compile the model again")


def told(reader: Any, raw: np.ndarray, top: list) -> Any:
    """What two models must both say to agree on a picture; ``None`` where this one has no answer.

    Args:
        reader: Of the model's task.
        raw: Its raw output.
        top: What ``reader.top`` made of it.
    """
    if not top or top[0][2] == wire.NO_ANSWER:
        return None
    own = getattr(reader, "told", None)
    return top[0][2] if own is None else own(raw)


def real(raw: np.ndarray, scale: Any, zero_point: Any) -> np.ndarray:
    """The real values of raw ones, float32, shape kept; float ones have no scale.

    Scale and zero point are numbers, or float32 [values].
    """
    if scale is None:
        return raw.astype(np.float32)
    return np.asarray((raw.astype(np.float32) - np.float32(zero_point)) * np.float32(scale))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) of each value, float64; of very negative ones without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * logits.astype(np.float64)))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of the softmax along the last axis, float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


class ClassReader(object):
    """Reads logits or probabilities of classes, [classes]; what several tasks do alike."""

    def __init__(self, manifest: Any) -> None:
        self._output, self._labels = manifest["output"], manifest["labels"]

    def label(self, raw: np.ndarray) -> str:
        """The best class: dequantizing changes no order."""
        return self.name(int(raw.argmax()))

    def top(self, raw: np.ndarray) -> list:
        """The most probable classes and their probabilities."""
        if not np.isfinite(raw).all():
            return NONE
        order = np.argsort(-raw.astype(np.float64), kind="stable")[:TOP]
        shares = self._probabilities(raw)[order]
        return [[self.name(int(i)), round(float(p), 4), int(i)] for i, p in zip(order, shares)]

    def _probabilities(self, raw: np.ndarray) -> np.ndarray:
        values = real(raw, self._output.get("scale"), self._output.get("zero_point"))
        if self._output.get("meaning") == "probabilities":
            return values
        return np.asarray(np.exp(log_softmax(values)))

    def name(self, index: int) -> str:
        """What a class is called."""
        return str(self._labels[index]) if index < len(self._labels) else str(index)
