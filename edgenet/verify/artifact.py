"""Hold a written artifact to the graph it was written from, layer by layer, before a bundle is sealed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgenet.backend import Artifact, load_backend
from edgenet.errors import ModelError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.to_fp16 import store_fp16
from edgenet.graph.trace import LayerByLayer
from edgenet.model import Model
from edgenet.verify.score_slack import score_slack

__all__ = ["LayerMismatch", "float_tolerance", "verify_artifact"]

WALKED = 2  # images on which every layer is compared
STEPS = 1  # a sum in the middle of two steps may be rounded either way
# Kernels that are fused where nobody looks round elsewhere: 2 or 3 steps of the scores in MobileNetV1 0.25.
FUSED = 16
# The largest error of float scores, as a share of their range; and what rounding alone may do to those of a
# network that says the same of every picture: no probability and no cosine shows it in four digits.
FLOAT_TOLERANCE, ROUNDING = 1e-4, 1e-5
REMEDY = "report this as a bug in edgenet with the model"


@dataclass(frozen=True)
class LayerMismatch:
    """A layer in which two builds differ.

    Attributes:
        layer: Name of its tensor in the prepared graph.
        differing: Share of its numbers that differ.
        largest: The largest difference, in steps.
    """

    layer: str
    differing: float
    largest: int

    @classmethod
    def of(cls, layer: str, one: NDArray[np.int8], other: NDArray[np.int8]) -> LayerMismatch | None:
        """How two results of a layer differ; ``None`` where they do not."""
        steps = np.abs(one.astype(int).reshape(-1) - other.astype(int).reshape(-1))
        return cls(layer, float((steps > 0).mean()), int(steps.max())) if steps.any() else None


def verify_artifact(
    backend: str,
    artifact: Artifact,
    model: Model,
    pixels: NDArray[np.uint8],
    answers: NDArray[np.int8] | NDArray[np.float32],
) -> int:
    """Compare a written artifact with the graph it was written from, on two images.

    Int8: every layer with Q/DQ computed in float, each by what it makes of the artifact's own values before
    it, so the one at fault is named, not one that merely follows; and the scores of that run.
    Scores that are not int8 may be off by their :func:`edgenet.verify.score_slack.score_slack`.
    Float: the scores, with kernels rounded as the file has them. "int8-dynamic" chooses scales while it runs
    and has nothing to be held to.

    Args:
        backend: Who wrote the artifact.
        artifact: What was written.
        model: The graph it was written from.
        pixels: uint8 [n, H, W, 3].
        answers: The artifact's raw scores on them, [n, classes].

    Returns:
        How many layers were compared; 0 where the backend's artifacts are not ``exact`` here.

    Raises:
        ModelError: A layer is more than one step off, and is named; or scores are by 1e-4 of their range.
    """
    writer = load_backend(backend)
    if not writer.exact or model.precision == "int8-dynamic":
        return 0
    shown = list(zip(pixels, answers, strict=True))[:WALKED]
    if model.precision != "int8":
        _hold_float(backend, model, shown)
        return 0
    reference: LayerByLayer | None = None
    again = score_slack(model, writer.hybrid)
    for picture, raw in shown:
        found, own = writer.layers(artifact.data, picture[None])
        reference = reference or LayerByLayer(model.proto, found, model.kept_scales)
        expected, scores = reference.run(picture[None], found)
        for name, values in expected.items():
            apart = LayerMismatch.of(name, found[name], values)
            if apart is not None and apart.largest > STEPS:
                share = f"{apart.differing:.2%} of its numbers, by up to {apart.largest} steps"
                raise ModelError(f"{backend}: the written layer {name!r} is off in {share}", REMEDY)
        real, step = artifact.output.values, artifact.output.step
        _check(backend, real(raw if own is None else own), scores, STEPS * step + again)
        _check(backend, real(raw), scores, FUSED * step + again)
    return len(reference.names) if reference else 0


def _hold_float(
    backend: str, model: Model, shown: list[tuple[NDArray[np.uint8], NDArray[np.float32]]]
) -> None:
    graph = Graph(model.proto)
    if model.precision == "fp16":
        store_fp16(graph)
    rounded = Evaluator(graph.proto(), optimize=False)
    for picture, raw in shown:
        _check(backend, raw, rounded.row(picture[None]), np.zeros(1))


def float_tolerance(wanted: NDArray[np.float32]) -> float:
    """The largest error of float scores, in their unit: logits, or shares of a unit vector."""
    return max(FLOAT_TOLERANCE * float(np.ptp(wanted)), ROUNDING)


def _check(
    backend: str, got: NDArray[np.float32], wanted: NDArray[np.float32], slack: NDArray[np.float64]
) -> None:
    off, span = np.abs(got - wanted), float(np.ptp(wanted))
    worst = float(off.max())
    if not np.all(off <= slack + float_tolerance(wanted)):  # NaN is not within it either
        raise ModelError(
            f"{backend}: the written file's scores are off by {worst:.3g} (they span {span:.3g})", REMEDY
        )
