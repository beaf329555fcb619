"""Compare answers on the same images: how much accuracy was lost, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.drift import CLASSIFICATION, Conversion, Drift, Kernel, Quantization, Stages, Worst
from edgenet.manifest import TensorSpec
from edgenet.statistics import paired, smallest_claim, wilson
from edgenet.task import Answers, Task, Truth

__all__ = ["change", "conversion", "drift", "kernel", "quantization"]

WORST = 5


def conversion(task: Task, artifact: Answers, reference: Answers) -> Conversion:
    """The float artifact against the float model; both [n, values]."""
    return Conversion(
        images=len(reference),
        agreement=float(task.same(artifact, reference, None).mean()),
        max_abs=float(np.abs(artifact - reference).max()),
    )


def quantization(task: Task, host: Answers, reference: Answers, truth: Truth | None = None) -> Quantization:
    """The int8 artifact on the host against the float model; both [n, values]."""
    return Quantization(
        images=len(reference),
        agreement=float(task.same(host, reference, truth).mean()),
        max_abs=float(np.abs(host - reference).max()),
        cosine=task.cosine(host, reference),
        **change(task, host, reference, truth),
    )


def kernel(
    task: Task, board: NDArray[Any], host: NDArray[Any], output: TensorSpec, truth: Truth | None = None
) -> Kernel:
    """The same artifact on the board and on the host: raw values [n, values], in their own steps.

    Args:
        task: How they are read.
        board: What the board gave.
        host: What this machine gave.
        output: What the raw values mean.
        truth: What is true of each image.
    """
    difference = np.abs(board.astype(np.float64) - host.astype(np.float64))
    ours, theirs = (task.comparable(output.values(raw), output.meaning) for raw in (board, host))
    return Kernel(
        images=len(board),
        agreement=float(task.same(ours, theirs, truth).mean()),
        identical=bool((board == host).all()),
        different_outputs=int((board != host).sum()),
        outputs=int(board.size),
        max_difference=float(difference.max()),
        unit="steps of int8" if board.dtype == np.int8 else output.meaning,
        **change(task, ours, theirs, truth),
    )


def drift(
    task: Task,
    board: Answers,
    reference: Answers,
    truth: Truth | None,
    names: Sequence[str],
    stages: Stages,
    source: str | None = None,
    images_digest: str | None = None,
) -> Drift:
    """The report's ``drift``: board against float model on the same images.

    Args:
        task: How the answers are judged.
        board: Its answers [n, values], as the task compares them.
        reference: Those of the float model.
        truth: What is true of each image, or ``None``.
        names: File name of each image.
        stages: What each stage contributed.
        source: Where the images are from.
        images_digest: Of their pixels and truth.
    """
    same = task.same(board, reference, truth)
    own = task.figures(board, reference, truth)
    low, high = own.get("interval_pp") or (None, None)
    least = smallest_claim(len(same), int((~same).sum())) if low is None else (high - low) / 2
    return task.drift(
        task=task.name,
        images=len(board),
        labelled=truth is not None,
        **own,
        agreement=float(same.mean()),
        cosine=task.cosine(board, reference),
        max_abs=float(np.abs(board - reference).max()),
        agreement_interval=wilson(int(same.sum()), len(same)),
        smallest_claim_pp=least,
        stages=stages,
        worst=_worst(task, board, reference, truth, names),
        claim=f"{len(board)} images cannot support a claim of less than {least:.2f} pp lost or won",
        source=source,
        images_digest=images_digest,
    )


def change(task: Task, after: Answers, before: Answers, truth: Truth | None) -> dict[str, Any]:
    """What a stage won or lost of the headline measure, under its name in a report, and its interval."""
    name = "top1_delta_pp" if task.name == CLASSIFICATION else "delta_pp"
    lost = task.change_pp(after, before, truth)
    spread = None if truth is None else _interval(task, after, before, truth, lost)
    return {name: lost} if spread is None else {name: lost, "interval_pp": spread}


def _interval(
    task: Task, after: Answers, before: Answers, truth: Truth, lost: float | None
) -> tuple[float, float] | None:
    """Newcombe's, where the headline measure is a share of right answers."""
    ours, theirs = (task.scores(values, truth) for values in (after, before))
    if ours is None or theirs is None or not np.isin([ours, theirs], (0.0, 1.0)).all():
        return None
    found = paired(ours > 0, theirs > 0)
    return found.interval_pp if lost is not None and abs(found.delta_pp - lost) < 1e-6 else None


def _worst(
    task: Task, board: Answers, reference: Answers, truth: Truth | None, names: Sequence[str]
) -> tuple[Worst, ...]:
    """The images whose answers moved most, those with another answer first."""
    error = task.error(board, reference)
    ours, theirs = (task.answers(values, truth) for values in (board, reference))
    order = np.lexsort((-error, ours == theirs))
    return tuple(
        Worst(
            file=names[index],
            index=int(index),
            max_abs=float(np.abs(board[index] - reference[index]).max()),
            error=max(0.0, float(error[index])),
            answer=int(ours[index]),
            reference=int(theirs[index]),
            **task.placed(board[index], reference[index], None if truth is None else truth[index]),
        )
        for index in order[:WORST]
    )
