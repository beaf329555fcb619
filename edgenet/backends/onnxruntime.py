"""ONNX Runtime: the graph itself is the artifact, in the Q/DQ form the board's CPU runs fastest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.backend import Artifact, Backend, HostSession, Shown, Tap, heads
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.layers import Layer, onnx_taps
from edgenet.graph.passes.head import HEADS, with_label
from edgenet.graph.passes.to_fp16 import store_fp16
from edgenet.graph.qdq.align_scales import align_scales
from edgenet.graph.qdq.onnxruntime import int8_outputs, may_saturate, to_qdq_format
from edgenet.graph.qparams import OutputScales
from edgenet.graph.trace import onnx_run
from edgenet.manifest import TensorSpec
from edgenet.model import Model
from edgenet.onnx_file import parse_onnx
from edgenet.recipe import Recipe
from edgenet.target import Cpu, Target

__all__ = ["OnnxRuntime", "backend", "qdq_format_for"]


class OnnxRuntime(Backend):
    """Writes ONNX for ``onnxruntime``'s CPU provider."""

    name = "onnxruntime"
    precisions = ("fp32", "fp16", "int8", "int8-dynamic")
    mixed = True
    heads = HEADS
    exact = True

    def lower(self, model: Model, target: Target) -> Artifact:
        """The prepared graph as it is, with smaller weights, or in Q/DQ form for the target's CPU.

        "fp16" stores the weights in half precision and computes in float32, which is what a CPU is fast in;
        "int8-dynamic" comes with int8 weights and is written as it is. "int8" gives int8 logits, unless its
        last layer is float or a Softmax.
        """
        found: OutputScales | None = None
        proto = model.proto
        if model.precision == "fp16":
            graph = Graph(proto)
            store_fp16(graph)
            proto = graph.proto()
        elif model.precision == "int8":
            graph = Graph(proto)
            if not model.kept_scales:
                align_scales(graph)
            to_qdq_format(graph, qdq_format_for(target))
            found = int8_outputs(graph)
            proto = graph.proto()
        proto = with_label(proto) if model.label else proto
        output = TensorSpec.of_heads(heads(model, found), model.output, model.label)
        return Artifact(proto.SerializeToString(deterministic=True), "model.onnx", output)

    def recipe(self, recipe: Recipe, target: Target) -> Recipe:
        """Weights in pairs where the CPU's int8 kernels would saturate; rounding to nearest knows none."""
        able = recipe.precision == "int8" and recipe.rounding == "second-order"
        return replace(recipe, paired=True) if able and qdq_format_for(target) == "u8x8" else recipe

    def unsafe(self, artifact: bytes, precision: str, cpu: Cpu) -> str:
        """Whether int8 kernels that were written for VNNI, or for Arm, would saturate on an older x86.

        Raises:
            ModelError: The artifact is no ONNX graph.
        """
        if precision != "int8" or not cpu.lacks_vnni:
            return ""
        if not may_saturate(Graph(parse_onnx(artifact, "the bundle's graph", None))):
            return ""
        return "its int8 kernels are for processors with VNNI or Arm's, and an x86 without would saturate"

    def open(self, artifact: Path, threads: int = 1) -> HostSession:
        """Load an artifact as a user's session does, graph optimization on."""
        return _Session(Evaluator(artifact.read_bytes(), threads=threads))

    def layers(self, artifact: bytes, pixels: NDArray[np.uint8]) -> Shown:
        """The graph's int8 tensors; looking at them changes what is fused, so the scores come with them."""
        return Shown(*onnx_run(artifact, pixels))

    def taps(self, artifact: bytes, told: Sequence[str], known: Sequence[Layer]) -> list[Tap]:  # noqa: ARG002
        """The quantized tensors of the graph, which knows their scales; a float one has the user's names."""
        return [Tap(*item) for item in onnx_taps(artifact, known)]


class _Session:
    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        return self._evaluator.row(pixels)


def backend() -> OnnxRuntime:
    """The backend."""
    return OnnxRuntime()


def qdq_format_for(target: Target) -> str:
    """The Q/DQ form for a target's CPU; see :mod:`edgenet.graph.qdq.onnxruntime`."""
    if not target.cpu.is_x86:
        return "s8s8"
    return "u8x8" if target.cpu.lacks_vnni else "u8s8"
