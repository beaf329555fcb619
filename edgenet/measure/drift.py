"""Compare answers on the same images: how much accuracy was lost, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.drift import Conversion, Drift, Kernel, Quantization, Stages, Worst
from edgenet.manifest import TensorSpec
from edgenet.statistics import mcnemar, paired_interval, smallest_claim, wilson

__all__ = ["conversion", "drift", "kernel", "quantization", "top1_change"]


def conversion(artifact: NDArray[np.float32], reference: NDArray[np.float32]) -> Conversion:
    """The float artifact against the float model.

    Args:
        artifact: float32 [n, classes].
        reference: float32 [n, classes].
    """
    return Conversion(
        images=len(reference),
        agreement=_agreement(artifact, reference),
        max_abs=float(np.abs(artifact - reference).max()),
    )


def quantization(
    host: NDArray[np.float32], reference: NDArray[np.float32], top1_delta_pp: float | None = None
) -> Quantization:
    """The int8 artifact on the host against the float model; both float32 [n, classes]."""
    return Quantization(
        images=len(reference),
        agreement=_agreement(host, reference),
        max_abs=float(np.abs(host - reference).max()),
        cosine=_cosine(host, reference),
        top1_delta_pp=top1_delta_pp,
    )


def kernel(
    board: NDArray[Any], host: NDArray[Any], meaning: str, top1_delta_pp: float | None = None
) -> Kernel:
    """The same artifact on the board and on the host: raw values [n, classes], in their own steps.

    Args:
        board: What the board gave.
        host: What this machine gave.
        meaning: Of float values: "logits" or "probabilities".
        top1_delta_pp: What the difference won or lost, where the images are labelled.
    """
    difference = np.abs(board.astype(np.float64) - host.astype(np.float64))
    return Kernel(
        images=len(board),
        agreement=_agreement(board, host),
        identical=bool((board == host).all()),
        different_outputs=int((board != host).sum()),
        outputs=int(board.size),
        max_difference=float(difference.max()),
        unit="steps of int8" if board.dtype == np.int8 else meaning,
        top1_delta_pp=top1_delta_pp,
    )


def top1_change(
    after: NDArray[Any], before: NDArray[Any], labels: Sequence[int] | None, label_offset: int
) -> float | None:
    """Top-1 that a stage won or lost, in pp; ``None`` without labels. Both [n, classes]."""
    if labels is None:
        return None
    truth = np.asarray(labels) + label_offset
    right = [(scores.argmax(axis=1) == truth).mean() for scores in (after, before)]
    return 100.0 * float(right[0] - right[1])


def drift(
    board: NDArray[Any],
    reference: NDArray[np.float32],
    output: TensorSpec,
    labels: Sequence[int] | None,
    label_offset: int,
    names: Sequence[str],
    stages: Stages,
    source: str | None = None,
    images_digest: str | None = None,
) -> Drift:
    """The report's ``drift``: board against float model on the same images.

    Args:
        board: Raw outputs [n, classes] from the board.
        reference: float32 [n, classes] logits of the float model.
        output: How to read the raw outputs.
        labels: True class of each image, or ``None``.
        label_offset: TensorSpec index of class 0.
        names: File name of each image.
        stages: What each stage contributed.
        source: Where the images are from.
        images_digest: Of their pixels and labels.
    """
    real, reference = output.logits(board), output.comparable(reference)
    images, changed = len(board), int((board.argmax(axis=1) != reference.argmax(axis=1)).sum())
    right = {} if labels is None else _accuracy(board, reference, np.asarray(labels) + label_offset)
    low, high = right.get("interval_pp") or (None, None)
    least = smallest_claim(images, changed) if low is None else (high - low) / 2
    return Drift(
        images=images,
        labelled=labels is not None,
        **{**dict.fromkeys(("top1", "top1_reference", "top1_delta_pp", "interval_pp", "mcnemar_p")), **right},
        agreement=_agreement(board, reference),
        cosine=_cosine(real, reference),
        max_abs=float(np.abs(real - reference).max()),
        agreement_interval=wilson(images - changed, images),
        smallest_claim_pp=least,
        stages=stages,
        worst=_worst(real, reference, names),
        claim=f"{images} images cannot support a claim of less than {least:.2f} pp lost or won",
        source=source,
        images_digest=images_digest,
    )


def _accuracy(
    board: NDArray[Any], reference: NDArray[np.float32], truth: NDArray[np.int64]
) -> dict[str, Any]:
    mine, theirs = board.argmax(axis=1) == truth, reference.argmax(axis=1) == truth
    both, lost = int((mine & theirs).sum()), int((theirs & ~mine).sum())
    won, neither = int((mine & ~theirs).sum()), int((~mine & ~theirs).sum())
    low, high = paired_interval(both, lost, won, neither)
    return {
        "top1": float(mine.mean()),
        "top5": _top(board, truth, 5),
        "top1_reference": float(theirs.mean()),
        "top5_reference": _top(reference, truth, 5),
        "top1_delta_pp": 100.0 * (won - lost) / len(truth),
        "interval_pp": (100.0 * low, 100.0 * high),
        "mcnemar_p": mcnemar(lost, won),
    }


def _top(scores: NDArray[Any], truth: NDArray[np.int64], count: int) -> float:
    """Share of images with fewer than ``count`` scores above the true class's."""
    own = np.take_along_axis(scores, truth[:, None], axis=1)
    return float(((scores > own).sum(axis=1) < count).mean())


def _agreement(first: NDArray[Any], second: NDArray[Any]) -> float:
    return float((first.argmax(axis=1) == second.argmax(axis=1)).mean())


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Mean cosine of the centered logits: a constant added to all of them changes no answer."""
    a, b = (values - values.mean(axis=1, keepdims=True) for values in (first, second))
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float((np.einsum("nc,nc->n", a, b) / np.maximum(norms, 1e-30)).mean())


def _worst(
    real: NDArray[np.float32], reference: NDArray[np.float32], names: Sequence[str]
) -> tuple[Worst, ...]:
    """The five images whose logits moved most."""
    error = np.abs(real - reference).max(axis=1)
    return tuple(
        Worst(
            file=names[index],
            index=int(index),
            max_abs=float(error[index]),
            answer=int(real[index].argmax()),
            reference=int(reference[index].argmax()),
        )
        for index in np.argsort(-error, kind="stable")[:5]
    )
