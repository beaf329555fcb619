"""What a card's ``decode = "scaled"`` changed, against JPEGs that are decoded in full."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgenet.agent.preprocess import FULL
from edgenet.bundle import Bundle
from edgenet.drift import FullDecode
from edgenet.measure.drift import change
from edgenet.verify.expected import Expected
from edgenet.verify.reference import Reference

__all__ = ["full_decode"]


def full_decode(bundle: Bundle, expected: Expected) -> FullDecode | None:
    """The float model on the images as the card decodes them against the same decoded in full.

    Args:
        bundle: Whose model and card.
        expected: The images, and what the float model says of them.

    Returns:
        ``None`` where the card decodes them in full.
    """
    how, task = bundle.manifest.preprocessing, bundle.manifest.task
    if how.decode == FULL:
        return None
    fully = replace(how, decode=FULL)
    reference = Reference(bundle.reference, fully, task)
    answers = np.stack(
        [reference.run(expected.read(index, fully)[None]) for index in range(len(expected.names))]
    )
    return FullDecode(
        images=len(answers),
        agreement=float(task.same(expected.reference, answers, expected.truth).mean()),
        **change(task, expected.reference, answers, expected.truth),
    )
