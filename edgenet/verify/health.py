"""Whether a board answers as this machine did, before a bundle becomes its current one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgenet.bundle import Bundle
from edgenet.devices.session import Answer
from edgenet.errors import DeviceError
from edgenet.task import Answers

__all__ = ["SHOWN", "check_health", "other_pixels"]

# Golden images that a board answers before it is trusted: few, since they are sent to it.
SHOWN = 4
# What other kernels, other instruction sets and half precision leave of an answer, measured by its cosine.
# An artifact read with a wrong scale, or a runtime that computes something else, is far below.
ALIKE = 0.95


def check_health(bundle: Bundle, answers: Sequence[Answer], device: str) -> None:
    """Compare a board's answers to the first golden images with those that the bundle brings along.

    Args:
        bundle: What the board ran.
        answers: To its golden images, in their order; as many as there are.
        device: The board's name, for messages.

    Raises:
        DeviceError: They are not the same network's.
    """
    host = bundle.array("golden/artifact.npy")[: len(answers)]
    board = np.stack([answer.output for answer in answers])
    if board.shape != host.shape or board.dtype != host.dtype:
        kinds = [f"{raw.dtype} {list(raw.shape[1:])}" for raw in (board, host)]
        raise _unhealthy(bundle, device, f"{kinds[0]} instead of {kinds[1]}")
    task, output = bundle.manifest.task, bundle.manifest.artifact.output
    ours, theirs = (task.comparable(output.values(raw), output.meaning) for raw in (board, host))
    if not np.isfinite(ours).all():
        raise _unhealthy(bundle, device, "NaN or infinity")
    if (alike := _cosine(ours, theirs)) < ALIKE:
        raise _unhealthy(bundle, device, f"others: their cosine is {alike:.3f}, at least {ALIKE} is expected")


def other_pixels(bundle: Bundle, answers: Sequence[Answer]) -> str:
    """What to tell where a board makes other pixels of the first golden images than this machine; else ""."""
    golden = bundle.manifest.golden.images[: len(answers)]
    other = sum(a.pixels_sha256 != b.pixels_sha256 for a, b in zip(answers, golden, strict=True))
    if not other:
        return ""
    which = f"{other} of {len(answers)} golden images"
    return f"the board makes other pixels of {which} than this machine; edgenet profile tells the cost"


def _cosine(ours: Answers, theirs: Answers) -> float:
    """Cosine of all answers together, their mean taken out."""
    if np.array_equal(ours, theirs):
        return 1.0
    both = [values.astype(np.float64).reshape(-1) for values in (ours, theirs)]
    a, b = (values - values.mean() for values in both)
    norm = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norm if norm > 0 else 0.0


def _unhealthy(bundle: Bundle, device: str, found: str) -> DeviceError:
    return DeviceError(
        f"{device} answers the golden images of {bundle.name} otherwise than this machine: {found}; "
        "what was deployed before stays",
        "compile it again for this board's target; if it stays so, choose another backend",
    )
