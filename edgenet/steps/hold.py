"""Hold a written artifact to the graph it was written from, layer by layer, before a bundle is sealed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgenet.backends.base import Artifact
from edgenet.backends.lowering.walk import tflite_layers
from edgenet.backends.onnxruntime import exact_here
from edgenet.errors import ModelError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.to_fp16 import store_fp16
from edgenet.graph.view import Graph
from edgenet.graph.walk import LayerByLayer, onnx_layers
from edgenet.model import Model
from edgenet.target import Target

__all__ = ["FLOAT_TOLERANCE", "LAYERS", "Apart", "hold", "hold_fp16"]

Layers = Callable[[bytes, NDArray[np.uint8]], dict[str, NDArray[np.int8]]]
# Backends whose artifacts are finished here, and how to look into them.
LAYERS: Mapping[str, Layers] = {"onnxruntime": onnx_layers, "tflite": tflite_layers}
WALKED = 2  # images on which every layer is compared
STEPS = 1  # a sum in the middle of two steps may be rounded either way
# The largest error of float scores, as a share of their range.
FLOAT_TOLERANCE = 1e-4
REMEDY = "report this as a bug of edgenet's with the model"


@dataclass(frozen=True)
class Apart:
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
    def of(cls, layer: str, one: NDArray[np.int8], other: NDArray[np.int8]) -> Apart | None:
        """How two results of a layer differ; ``None`` where they do not."""
        steps = np.abs(one.astype(int).reshape(-1) - other.astype(int).reshape(-1))
        return cls(layer, float((steps > 0).mean()), int(steps.max())) if steps.any() else None


def hold(
    backend: str,
    artifact: Artifact,
    model: Model,
    target: Target,
    pixels: NDArray[np.uint8],
    answers: NDArray[np.int8] | NDArray[np.float32],
) -> int:
    """Compare every int8 layer of a written artifact with Q/DQ computed in float from the same values.

    A layer is judged by what it makes of the artifact's own values before it, so the one at fault is named,
    not one that merely follows; the scores are those of the file as it will run.

    Args:
        backend: Who wrote the artifact.
        artifact: What was written.
        model: The quantized graph it was written from.
        target: For which board.
        pixels: uint8 [n, H, W, 3].
        answers: The artifact's raw scores on them, [n, classes].

    Returns:
        How many layers were compared; 0 where the artifact is finished on the board.

    Raises:
        ModelError: A layer is more than one step off; names it.
    """
    if backend not in LAYERS:
        return 0
    reference: LayerByLayer | None = None
    for picture, raw in list(zip(pixels, answers, strict=True))[:WALKED]:
        found = _layers(backend, artifact, target, picture[None])
        reference = reference or LayerByLayer(model.proto, found)
        expected, scores = reference.run(picture[None], found)
        for name, values in expected.items():
            apart = Apart.of(name, found[name], values)
            if apart is not None and apart.largest > STEPS:
                share = f"{apart.differing:.2%} of its numbers, by up to {apart.largest} steps"
                raise ModelError(f"{backend}: the written layer {name!r} is off in {share}", REMEDY)
        _check_scores(backend, artifact, raw, scores)
    return len(reference.names) if reference else 0


def hold_fp16(backend: str, model: Model, pixels: NDArray[np.uint8], answers: NDArray[np.float32]) -> None:
    """Compare an artifact in half precision with the float graph whose kernels are rounded like its own.

    Raises:
        ModelError: They differ by more than 1e-4 of the range of the scores.
    """
    if backend not in LAYERS:
        return
    graph = Graph(model.proto)
    store_fp16(graph)
    rounded = Evaluator(graph.proto(), optimize=False)
    for picture, raw in list(zip(pixels, answers, strict=True))[:WALKED]:
        _check(backend, raw, rounded.first(picture[None]), 0.0)


def _layers(
    backend: str, artifact: Artifact, target: Target, pixels: NDArray[np.uint8]
) -> dict[str, NDArray[np.int8]]:
    if backend == "onnxruntime":
        return onnx_layers(artifact.data, pixels, optimize=exact_here(target))
    return LAYERS[backend](artifact.data, pixels)


def _check_scores(
    backend: str, artifact: Artifact, raw: NDArray[np.int8] | NDArray[np.float32], scores: NDArray[np.float32]
) -> None:
    """``scores`` are real, from the artifact's own last layers."""
    _check(backend, artifact.output.real(raw), scores, STEPS * (artifact.output.scale or 0.0))


def _check(backend: str, got: NDArray[np.float32], wanted: NDArray[np.float32], slack: float) -> None:
    worst, span = float(np.abs(got - wanted).max()), float(np.ptp(wanted)) or 1.0
    if worst > slack + FLOAT_TOLERANCE * span:
        raise ModelError(
            f"{backend}: the written file's scores are off by {worst:.3g} (they span {span:.3g})", REMEDY
        )
