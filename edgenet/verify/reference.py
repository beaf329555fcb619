"""The float truth: the user's own model with the user's own preprocessing, before any pass of ours."""

from __future__ import annotations

import copy

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from edgenet.errors import ModelError
from edgenet.graph.evaluate import Evaluator
from edgenet.model import is_quantized
from edgenet.preprocessing import Preprocessing
from edgenet.task import Answers, Task
from edgenet.threads import usable_threads

__all__ = ["Reference"]


class Reference:
    """The original network on this machine: float32, or the Q/DQ that it came with, each node in float.

    Args:
        network: The ONNX graph as the user gave it, or its bytes.
        preprocessing: Mean, std and channel order.
        task: How its answers are read.

    Raises:
        ModelError: It is no network that sees images.
    """

    def __init__(self, network: onnx.ModelProto | bytes, preprocessing: Preprocessing, task: Task) -> None:
        proto = _parsed(network) if isinstance(network, bytes) else network
        constants = {item.name for item in proto.graph.initializer}
        inputs = [item for item in proto.graph.input if item.name not in constants]
        if not inputs or len(inputs[0].type.tensor_type.shape.dim) != 4:
            raise _foreign()
        self._nhwc = inputs[0].type.tensor_type.shape.dim[1].dim_value == preprocessing.size[0]
        self._preprocessing = preprocessing
        self._task = task
        self._evaluator = Evaluator(proto, threads=usable_threads(), optimize=not is_quantized(proto))

    def fed(self, preprocessing: Preprocessing) -> Reference:
        """The same network, loaded once, with other mean, std or channel order."""
        other = copy.copy(self)
        other._preprocessing = preprocessing
        return other

    def run(self, pixels: NDArray[np.uint8]) -> Answers:
        """The answer [values] to uint8 [1, H, W, 3] RGB pixels, as the task compares it.

        Raises:
            ModelError: It is none: the model computes NaN or infinity.
        """
        values = self._evaluator.row(self.feed(pixels))
        if not np.isfinite(values).all():
            raise ModelError(
                "the float model computes NaN or infinity on a real image",
                "check mean and std in its card, then the training",
            )
        return np.asarray(self._task.comparable(values[None], self._task.output)[0])

    def feed(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's input for uint8 [1, H, W, 3] RGB pixels: float32, normalized, in its layout."""
        rgb = pixels if self._preprocessing.color == "rgb" else pixels[..., ::-1]
        mean = np.asarray(self._preprocessing.mean, np.float32)
        std = np.asarray(self._preprocessing.std, np.float32)
        value = (rgb.astype(np.float32) - mean) / std
        if not self._nhwc:
            value = value.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(value)


def _parsed(data: bytes) -> onnx.ModelProto:
    try:
        return onnx.load_model_from_string(data)
    except DecodeError:
        raise _foreign() from None


def _foreign() -> ModelError:
    return ModelError("the float model in the file is no network that sees images", "compile the model again")
