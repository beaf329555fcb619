"""TensorRT: an ONNX graph in the form that a generation of its parsers reads; the board builds the engine.

=====  ============================  ==========================================================
form   read by                       graph
=====  ============================  ==========================================================
8      TensorRT 8.2 to 8.6           float32 input; fp16 is the builder's flag; int8 weights are
                                     float behind a Q/DQ pair
10     TensorRT 10, 11 and for RTX   uint8 input; strongly typed: fp16 is float16 in the graph;
                                     int8 weights are stored as int8
=====  ============================  ==========================================================

An engine belongs to one GPU and one TensorRT, so it is never made here: ``deploy`` has the board make it. On
the host the same graph runs in ONNX Runtime; that is what a bundle's answers come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgenet.backend import Artifact, Backend, Finding, HostSession, Tap, heads
from edgenet.errors import DeviceError, PlanError
from edgenet.facts import Facts
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.layers import Layer, onnx_taps
from edgenet.graph.passes.downgrade_opset import downgrade_opset
from edgenet.graph.passes.float_input import cast_first, float_input
from edgenet.graph.passes.head import LOGITS
from edgenet.graph.passes.to_fp16 import to_fp16
from edgenet.graph.qdq.tensorrt import symmetric_qdq
from edgenet.manifest import ArtifactSpec, TensorSpec
from edgenet.model import Model
from edgenet.pages import page
from edgenet.target import Target

__all__ = ["QDQ_FORMATS", "TensorRt", "backend", "form_of", "write"]

QDQ_FORMATS = ("8", "10")
# Compute capabilities whose GPU has no int8 dot product (NVIDIA's TensorRT support matrix).
NO_INT8 = ("5.3", "6.0", "6.2")
RTX = "tensorrt-rtx"


class TensorRt(Backend):
    """Writes ONNX for TensorRT's parser."""

    name = "tensorrt"
    precisions = ("fp32", "fp16", "int8")
    heads = (LOGITS,)
    sent = False
    # On depthwise networks int8 is often no faster than fp16, and it costs accuracy.
    preferred = "fp16"

    def unsupported_reason(self, target: Target, precision: str) -> str:
        """Why the board's GPU or TensorRT cannot run a precision; empty if it can."""
        for version in target.backends[self.name].versions:
            try:
                form_of(version)
            except PlanError as error:
                return error.what
        sm = target.gpu.compute_capability if target.gpu else ""
        if precision == "int8" and sm in NO_INT8:
            return f"a GPU of compute capability {sm} has no int8 arithmetic"
        return _dla_obstacle(target, precision) if target.backends[self.name].dla_core is not None else ""

    def lower(self, model: Model, target: Target) -> Artifact:
        """The graph in every form that the board's TensorRT versions read, the newest first."""
        support = target.backends.get(self.name)
        versions = support.versions if support else ()
        forms = sorted({form_of(version) for version in versions} or set(QDQ_FORMATS), key=int)
        names = {form: "model.onnx" if form == forms[-1] else f"model.trt{form}.onnx" for form in forms}
        written = {names[form]: write(model, form) for form in forms}
        return Artifact(
            data=written.pop("model.onnx"),
            file="model.onnx",
            output=TensorSpec.of_heads(heads(model, None), model.output),
            input_dtype="float32" if forms[-1] == "8" else "uint8",
            build={
                "precision": model.precision,
                "graphs": names,
                "dla_core": support.dla_core if support else None,
            },
            more=written,
        )

    def open(self, artifact: Path, threads: int = 1) -> HostSession:
        """The graph in ONNX Runtime on this machine's CPU: the same network, not the board's kernels."""
        return _Session(artifact.read_bytes(), threads)

    def taps(self, artifact: bytes, told: Sequence[str], known: Sequence[Layer]) -> list[Tap]:  # noqa: ARG002
        """The quantized tensors of the graph, which knows their scales; a float one has the user's names."""
        return [Tap(*item) for item in onnx_taps(artifact, known)]

    def board_file(self, spec: ArtifactSpec, version: str) -> str:
        """The graph in the form that the board's TensorRT, such as "tensorrt 8.2.1.8", reads."""
        graphs = (spec.build or {}).get("graphs", {})
        try:
            form = form_of(version)
        except PlanError as error:
            raise DeviceError(error.what, error.remedy) from None
        if form not in graphs:
            made_for = "8" if "8" in graphs else "10 and 11"
            raise DeviceError(
                f"the bundle was compiled for TensorRT {made_for}, the board has {version}",
                "compile again for a target whose `versions` name it",
            )
        return str(graphs[form])

    def remedy(self, broken: bool) -> str:
        """TensorRT comes with the board's system: no wheel of it is ever sent."""
        if broken:
            return f"install what is missing there, or choose another backend: {page('tensorrt')}"
        command = "sudo apt install python3-libnvinfer"
        where = page("troubleshooting", "tensorrt-bindings-missing")
        return f"on a Jetson: {command}; elsewhere choose another backend ({where})"

    def present(self, facts: Facts) -> bool:
        """Whether its files were found there, or the board's own Python imports it."""
        return bool(facts.tensorrt) or self.name in facts.runtimes

    def examine(self, facts: Facts) -> Finding:
        """What JetPack brought, from names and versions of files; elsewhere, what was imported."""
        version = facts.tensorrt
        if facts.l4t is None and version is None:
            if own := facts.runtimes.get(self.name):
                return Finding("ok", f"the board's own {own}")
            return Finding(
                "not applicable", "this is not a Jetson, and it has no TensorRT", "choose another backend"
            )
        jetpack = f"JetPack {facts.jetpack or 'unknown'} (L4T {facts.l4t})"
        if version is None:
            return Finding("not", f"{jetpack} without TensorRT", "sudo apt install tensorrt there")
        if not facts.tensorrt_python:
            remedy = "sudo apt install python3-libnvinfer there"
            return Finding("not", f"{jetpack}, TensorRT {version} without Python bindings", remedy)
        return Finding("ok", f"{jetpack}, TensorRT {version}, CUDA {facts.cuda or 'not found'}")


class _Session:
    def __init__(self, data: bytes, threads: int) -> None:
        entry = onnx.load_model_from_string(data).graph.input[0].type.tensor_type
        self._dtype = onnx.helper.tensor_dtype_to_np_dtype(entry.elem_type)
        self._evaluator = Evaluator(data, threads=threads)

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        return self._evaluator.row(pixels.astype(self._dtype))


def backend() -> TensorRt:
    """The backend."""
    return TensorRt()


def _dla_obstacle(target: Target, precision: str) -> str:
    """A DLA runs fp16 with TensorRT 8: later ones are strongly typed, and Q/DQ is the GPU's."""
    support, cores = target.backends["tensorrt"], target.gpu.dla_cores if target.gpu else 0
    if support.dla_core is not None and support.dla_core >= cores:
        return f"DLA core {support.dla_core} is asked for and there are {cores}"
    if any(form_of(version) != "8" for version in support.versions):
        return "edgenet uses a DLA with TensorRT 8 only (name only those versions in the target file)"
    return "" if precision == "fp16" else f"a DLA does not run {precision} graphs in edgenet"


def form_of(version: str) -> str:
    """The form that a TensorRT reads.

    Args:
        version: "8.2.1.8", "10.3", or with the package before it, "tensorrt-rtx 1.7.1".

    Raises:
        PlanError: A version that edgenet does not know.
    """
    package, _, number = version.rpartition(" ")
    parts = number.split(".")
    major, minor = (int(part) if part.isdigit() else -1 for part in (*parts, "0")[:2])
    if package == RTX:
        if major == 1:
            return "10"
    elif major in (10, 11):
        return "10"
    elif major == 8 and minor >= 2:
        return "8"
    raise PlanError(
        f"TensorRT {number} is outside 8.2 to 8.6, 10 and 11", "choose another backend, or update JetPack"
    )


def write(model: Model, form: str) -> bytes:
    """A prepared or quantized model as ONNX of one form.

    Raises:
        UnsupportedError: A weight does not fit into float16.
    """
    graph = Graph(model.proto)
    if model.precision == "int8":
        symmetric_qdq(graph, form == "8", model.kept_scales)
    cast_first(graph)
    if form == "8":
        float_input(graph)
    elif model.precision == "fp16":
        to_fp16(graph)
    downgrade_opset(graph)
    return bytes(graph.proto().SerializeToString(deterministic=True))
