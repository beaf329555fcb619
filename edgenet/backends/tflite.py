"""TFLite (LiteRT): a flatbuffer in NHWC, written from the graph itself, no converter between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.backend import Artifact, Backend, HostSession, Shown, heads
from edgenet.backends.lowering.depthwise import left_large
from edgenet.backends.lowering.layer_outputs import tflite_layers
from edgenet.backends.lowering.operators import to_tflite
from edgenet.backends.lowering.read_back import ReadBack
from edgenet.backends.lowering.scope import Favored
from edgenet.backends.lowering.startup_message import without_startup_message
from edgenet.errors import ModelError
from edgenet.graph.evaluate import flat
from edgenet.graph.graph import Graph
from edgenet.graph.passes.head import HEADS
from edgenet.manifest import TensorSpec
from edgenet.model import Model
from edgenet.target import Target
from edgenet.text import cause
from edgenet.tflite_schema import has_litert

__all__ = ["Tflite", "backend"]

# What a network of MCUNet's kind took in LiteRT with its depthwise layers as they are, in times of ONNX
# Runtime's (docs/lowering.md).
BEHIND_INT8, BEHIND_FLOAT = 2.8, 3.0
UNHELD = (
    "there is no LiteRT for this machine: the answers to which the board is held are those that ONNX Runtime "
    "gives of the file, and its layers were not compared one by one"
)
LITERT = (3, 9)  # the oldest Python that has LiteRT 2, see edgenet/devices/pins.toml


class Tflite(Backend):
    """Writes ``.tflite`` files and runs them with LiteRT; where there is none, :class:`ReadBack` answers."""

    name = "tflite"
    precisions = ("fp32", "fp16", "int8-dynamic", "int8")
    mixed = True
    heads = HEADS
    exact = property(lambda _: has_litert())
    hybrid = True
    nhwc = True

    def lower(self, model: Model, target: Target) -> Artifact:
        """The graph in TFLite's operators; a model that ends in int8 gives int8 scores.

        One file runs on every board; what can be written in several ways is written as the target is fast in.

        With "fp16" the weights are stored in half precision. A kernel behind a DequantizeLinear stays int8 in
        a float layer ("int8-dynamic"), and layers of an int8 model may be float.

        Raises:
            UnsupportedError: A node cannot be expressed.
        """
        data, scales = to_tflite(model, _favored(target))
        output = TensorSpec.of_heads(heads(model, scales), model.output, model.label)
        return Artifact(data, "model.tflite", output)

    def notes(self, model: Model, target: Target, precision: str) -> tuple[str, ...]:
        """What could not be compared here; layers that XNNPACK's depthwise kernels are too small for."""
        unheld = () if has_litert() else (UNHELD,)
        return unheld + _slow_layers(model, target, precision == "int8")

    def open(self, artifact: Path, threads: int = 1) -> HostSession:
        """Load a file with LiteRT; its default XNNPACK delegate is used.

        Raises:
            ModelError: LiteRT cannot load the file.
        """
        if not has_litert():
            return ReadBack(artifact.read_bytes(), artifact.name, threads)
        from ai_edge_litert.interpreter import Interpreter

        try:
            data = artifact.read_bytes()  # LiteRT takes names in UTF-8, in which this system's need not be
            with without_startup_message():
                interpreter = Interpreter(model_content=data, num_threads=threads)
                interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            reason = cause(error)
            raise ModelError(
                f"{artifact}: LiteRT cannot load it ({reason})", "compile the model again"
            ) from None
        return _Session(interpreter)

    def layers(self, artifact: bytes, pixels: NDArray[np.uint8]) -> Shown:
        """The file's int8 tensors; its kernels stay as they are, so do its scores."""
        return Shown(tflite_layers(artifact, pixels))


class _Session:
    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._input = interpreter.get_input_details()[0]["index"]
        given = interpreter.get_output_details()  # what is of another type than the first is a label
        self._outputs = [item["index"] for item in given if item["dtype"] == given[0]["dtype"]]

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        self._interpreter.set_tensor(self._input, pixels)
        self._interpreter.invoke()
        return flat(map(self._interpreter.get_tensor, self._outputs))


def _slow_layers(model: Model, target: Target, whole: bool) -> tuple[str, ...]:
    found = left_large(Graph(model.proto), _favored(target), whole)
    if not found:
        return ()
    times = BEHIND_INT8 if whole else BEHIND_FLOAT
    layers, others = ("layers", ", …") if len(found) > 1 else ("layer", "")
    return (
        f"tflite runs {len(found)} depthwise {layers} of more than 25 taps ({found[0]!r}{others}) "
        "without the kernels that it has for smaller ones: on x86-64 a network with three of them took "
        f"{times} times as long as in onnxruntime; on this board nothing was measured, so compile it for "
        "onnxruntime too and compare the reports",
    )


def _favored(target: Target) -> Favored:
    """What was measured on x86; blocks also on Arm, where each is an eighth of the products without any more.

    LiteRT 2 computes int8 in XNNPACK; the tflite-runtime that boards with older Pythons get does not, and
    its own kernels have no vector code for groups.
    """
    pythons, x86 = target.system.pythons, target.cpu.is_x86
    return Favored(by_float=x86, pieces=x86, blocks=not pythons or max(pythons) >= LITERT)


def backend() -> Tflite:
    """The backend."""
    return Tflite()
