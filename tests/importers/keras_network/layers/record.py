"""Write what Keras itself computes: golden.json beside this file.

    python tests/importers/keras_network/layers/record.py     (needs keras, tf_keras and tensorflow)

Each entry is one layer as that Keras saves it, called with :func:`inputs_of` and holding
:func:`weights_of`: kind, config, shapes without the batch, and the answer to six digits. The file was
written with Keras 3.15.1 and tf_keras 2.21.0 on TensorFlow 2.21.0.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

GOLDEN = Path(__file__).with_name("golden.json")
MAP, SMALL, ROW = [5, 6, 3], [2, 3, 4], [7]
CURVES = (
    "elu", "hard_sigmoid", "linear", "relu", "relu6", "sigmoid", "softmax", "softplus", "softsign", "swish",
    "tanh",
)  # fmt: skip
CURVES_3 = ("hard_silu", "hard_swish", "leaky_relu", "log_softmax", "silu")
SAME = {"padding": "same"}
Case = tuple[str, dict[str, Any], list[list[int]]]
CASES: tuple[Case, ...] = (
    ("Conv2D", {"filters": 4, "kernel_size": [3, 2], "strides": 2, **SAME, "activation": "relu"}, [MAP]),
    ("Conv2D", {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "use_bias": False}, [MAP]),
    ("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 3, "activation": "hard_sigmoid"}, [MAP]),
    ("DepthwiseConv2D", {"kernel_size": 3, "strides": 2, **SAME, "depth_multiplier": 2}, [MAP]),
    ("DepthwiseConv2D", {"kernel_size": 3, "use_bias": False}, [MAP]),
    ("SeparableConv2D", {"filters": 4, "kernel_size": 3, "strides": 2, **SAME, "depth_multiplier": 2}, [MAP]),
    ("Dense", {"units": 3, "activation": "softmax"}, [ROW]),
    ("Dense", {"units": 2, "use_bias": False}, [SMALL]),
    ("BatchNormalization", {}, [SMALL]),
    ("BatchNormalization", {"scale": False, "center": False, "epsilon": 0.01}, [SMALL]),
    ("BatchNormalization", {}, [ROW]),
    ("ReLU", {"max_value": 2.5}, [SMALL]),
    ("ReLU", {"negative_slope": 0.1}, [SMALL]),
    ("ReLU", {"negative_slope": 0.2, "max_value": 1.5}, [SMALL]),
    ("LeakyReLU", {}, [SMALL]),
    ("ELU", {"alpha": 0.7}, [SMALL]),
    ("PReLU", {"shared_axes": [1, 2]}, [SMALL]),
    ("PReLU", {}, [SMALL]),
    ("Softmax", {}, [SMALL]),
    ("MaxPooling2D", {"pool_size": 3, "strides": 2, **SAME}, [MAP]),
    ("MaxPooling2D", {}, [MAP]),
    ("AveragePooling2D", {"pool_size": 3, "strides": 2, **SAME}, [MAP]),
    ("AveragePooling2D", {"pool_size": [2, 3]}, [MAP]),
    ("GlobalAveragePooling2D", {"keepdims": True}, [MAP]),
    ("GlobalAveragePooling2D", {}, [MAP]),
    ("GlobalMaxPooling2D", {}, [MAP]),
    ("ZeroPadding2D", {"padding": [[0, 1], [2, 3]]}, [SMALL]),
    ("Cropping2D", {"cropping": [[1, 0], [2, 1]]}, [MAP]),
    ("CenterCrop", {"height": 2, "width": 3}, [MAP]),
    ("UpSampling2D", {"size": [2, 3]}, [SMALL]),
    ("UpSampling2D", {"size": 2, "interpolation": "bilinear"}, [SMALL]),
    ("Resizing", {"height": 3, "width": 4}, [MAP]),
    ("Resizing", {"height": 7, "width": 5}, [MAP]),
    ("Resizing", {"height": 3, "width": 4, "interpolation": "nearest"}, [MAP]),
    ("Resizing", {"height": 10, "width": 12, "interpolation": "nearest"}, [MAP]),
    ("Flatten", {}, [SMALL]),
    ("Reshape", {"target_shape": [4, 3, 2]}, [SMALL]),
    ("Reshape", {"target_shape": [-1]}, [SMALL]),
    ("Reshape", {"target_shape": [1, 1, 7]}, [ROW]),
    ("Rescaling", {"scale": 0.5, "offset": -1.0}, [SMALL]),
    ("Rescaling", {"scale": [0.5, 1.0, 2.0], "offset": [0.0, -1.0, 1.0]}, [MAP]),
    ("Normalization", {"mean": [0.5, 1.0, 2.0], "variance": [4.0, 0.25, 1.0]}, [MAP]),
    ("Normalization", {"mean": 0.5, "variance": 4.0, "axis": None}, [MAP]),
    ("Normalization", {}, [MAP]),
    ("Add", {}, [SMALL, SMALL, SMALL]),
    ("Subtract", {}, [SMALL, SMALL]),
    ("Multiply", {}, [SMALL, [1, 1, 4]]),
    ("Maximum", {}, [SMALL, SMALL]),
    ("Minimum", {}, [SMALL, SMALL]),
    ("Average", {}, [SMALL, SMALL, SMALL]),
    ("Concatenate", {}, [SMALL, [2, 3, 1]]),
    ("Concatenate", {"axis": 1}, [SMALL, [1, 3, 4]]),
    ("Concatenate", {}, [ROW, [2]]),
    ("Dropout", {"rate": 0.5}, [SMALL]),
    ("SpatialDropout2D", {"rate": 0.5}, [SMALL]),
    ("GaussianNoise", {"stddev": 1.0}, [SMALL]),
    ("RandomFlip", {}, [MAP]),
    ("RandomRotation", {"factor": 0.2}, [MAP]),
    ("RandomZoom", {"height_factor": 0.2}, [MAP]),
    ("RandomContrast", {"factor": 0.2}, [MAP]),
)  # fmt: skip


def wave(shape: Sequence[int], phase: int) -> NDArray[np.float32]:
    """Numbers from -1 to 1 that do not repeat."""
    count = math.prod(shape)
    values = np.sin(np.arange(count) * 0.7391 * (phase + 1) + phase)
    return np.asarray(values.reshape(shape), np.float32)


def inputs_of(shapes: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
    """What a layer is called with, [1, …] each: wide enough to reach both ends of every activation."""
    return [4 * wave([1, *shape], phase) for phase, shape in enumerate(shapes)]


def weights_of(shapes: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
    """Its variables; all positive, for some are variances."""
    return [np.float32(0.6) + np.float32(0.5) * wave(shape, 3 + phase) for phase, shape in enumerate(shapes)]


def recorded(name: str) -> Iterator[dict[str, Any]]:
    """Every case in one of the two libraries."""
    library = importlib.import_module(name)
    keras = int(library.__version__[0])
    curves = CURVES if keras == 2 else (*CURVES, *CURVES_3)
    activations: list[Case] = [("Activation", {"activation": curve}, [SMALL]) for curve in curves]
    for kind, settings, shapes in (*CASES, *activations):
        yield {"keras": keras, "kind": kind, **answered(getattr(library.layers, kind)(**settings), shapes)}


def answered(layer: Any, shapes: list[list[int]]) -> dict[str, Any]:
    """A layer's settings, the shapes of its inputs and variables, and its answer."""
    inputs: Any = inputs_of(shapes)
    inputs = inputs[0] if len(inputs) == 1 else inputs
    layer(inputs)
    held = [list(weight.shape) for weight in layer.weights]
    layer.set_weights(weights_of(held))
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()
    told = {"training": False} if type(layer).__name__.startswith("Random") else {}  # True is their default
    answer = np.array(layer(inputs, **told))[0]
    config = json.loads(json.dumps(layer.get_config(), default=float))
    values = [float(f"{value:.6g}") for value in answer.ravel()]
    return {"config": config, "inputs": shapes, "weights": held, "shape": answer.shape, "values": values}


if __name__ == "__main__":
    entries = [item for name in ("keras", "tf_keras") for item in recorded(name)]
    lines = ",\n".join(json.dumps(item, separators=(",", ":")) for item in entries)
    GOLDEN.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
