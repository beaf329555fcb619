"""A bundle's answers against its float model's: a report's ``drift``, from what was answered."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from edgenet.bundle import Bundle
from edgenet.drift import Drift, Preprocess, Stages
from edgenet.measure.drift import drift, kernel, quantization
from edgenet.verify.expected import Expected

__all__ = ["artifact_drift"]


def artifact_drift(bundle: Bundle, expected: Expected, raw: NDArray[Any], pixels: Preprocess) -> Drift:
    """What was lost, and in which stage.

    Args:
        bundle: Whose artifact answered.
        expected: The images, with what host and float model say of them.
        raw: Raw outputs [n, values] of the artifact where it ran, finite, of the host's shape and dtype; the
            host's own give the figures of a board that answers bit for bit as it.
        pixels: How many images had the host's pixels there.
    """
    task, output, truth = bundle.manifest.task, bundle.manifest.artifact.output, expected.truth
    there, host = (task.comparable(output.values(item), output.meaning) for item in (raw, expected.host))
    reference = task.matched(expected.reference, output.meaning)
    stages = Stages(
        preprocess=pixels,
        conversion=bundle.manifest.conversion,
        quantization=quantization(task, host, reference, truth),
        kernel=kernel(task, raw, expected.host, output, truth),
    )
    source, digest = expected.source, expected.digest
    return drift(task, there, reference, truth, expected.names, stages, source, digest)
