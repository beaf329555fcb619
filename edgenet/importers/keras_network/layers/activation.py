"""Activations: layers of their own, and what other layers end in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from edgenet.importers.keras_network.config import Config
from edgenet.importers.keras_network.layer import Layer
from edgenet.importers.keras_network.writer import Tensor

__all__ = ["LAYERS", "activated", "function", "rectified"]

# Of Keras 2 and of Keras 3, which wrote them otherwise: 0.2 x + 0.5, and relu6(x + 3) / 6.
HARD_SIGMOID = {2: 0.2, 3: 1 / 6}
Curve = Callable[[Layer, Tensor, str], Tensor]


def activated(layer: Layer, source: Tensor) -> Tensor:
    """A layer's output, by the ``activation`` of its settings."""
    name = function(layer.config, "activation")
    return source if name == "linear" else CURVES[name](layer, source, layer.name)


def function(config: Config, key: str) -> str:
    """The name of a function in a layer's settings: a word, or what Keras 3 writes about one.

    Raises:
        ModelError: It is the user's own: its code is not run.
    """
    value: Any = config.values.get(key)
    if isinstance(value, dict):
        if value.get("class_name") == "ReLU" and isinstance(value.get("config"), dict):
            most = Config(value["config"], config.where, config.keras).maybe("max_value")
            value = {None: "relu", 6.0: "relu6"}.get(most, "ReLU")
        else:
            value = value.get("config") if value.get("class_name") == "function" else value.get("class_name")
    if value is None:
        return "linear"
    if not isinstance(value, str) or (value not in CURVES and value != "linear"):
        raise config.refuse(f"has the {key} {str(value)[:80]!r}, which edgenet does not know")
    return str(value)


def rectified(layer: Layer, source: Tensor, name: str, slope: float, most: float | None) -> Tensor:
    """``max(x, 0)``, with a slope below zero and a limit above it."""
    if slope:
        last = name if most is None else layer.part("leak")
        source = layer.node("LeakyRelu", [source], source.shape, last, alpha=slope)
        bounds = ["", _limit(layer, most)] if most is not None else []
        return layer.node("Clip", [source, *bounds], source.shape, name) if bounds else source
    if most is None:
        return layer.node("Relu", [source], source.shape, name)
    return layer.node("Clip", [source, _limit(layer, 0.0), _limit(layer, most)], source.shape, name)


def _limit(layer: Layer, value: float) -> str:
    return layer.writer.weight(f"limit/{value:g}", np.array(value, np.float32))


def _plain(kind: str, **attributes: float) -> Curve:
    return lambda layer, source, name: layer.node(kind, [source], source.shape, name, **attributes)


def _relu6(layer: Layer, source: Tensor, name: str) -> Tensor:
    return rectified(layer, source, name, 0.0, 6.0)


def _swish(layer: Layer, source: Tensor, name: str) -> Tensor:
    gate = layer.node("Sigmoid", [source], source.shape, layer.part("sigmoid"))
    return layer.node("Mul", [source, gate], source.shape, name)


def _hard_sigmoid(layer: Layer, source: Tensor, name: str) -> Tensor:
    return layer.node("HardSigmoid", [source], source.shape, name, alpha=HARD_SIGMOID[layer.keras], beta=0.5)


def _hard_swish(layer: Layer, source: Tensor, name: str) -> Tensor:
    gate = layer.node("HardSigmoid", [source], source.shape, layer.part("gate"), alpha=1 / 6, beta=0.5)
    return layer.node("Mul", [source, gate], source.shape, name)


def _softmax(kind: str) -> Curve:
    def write(layer: Layer, source: Tensor, name: str) -> Tensor:
        return layer.node(kind, [source], source.shape, name, axis=1 if source.is_map else len(source.shape))

    return write


CURVES: Mapping[str, Curve] = {
    "elu": _plain("Elu", alpha=1.0),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": _hard_swish,
    "hard_swish": _hard_swish,
    "leaky_relu": _plain("LeakyRelu", alpha=0.2),
    "log_softmax": _softmax("LogSoftmax"),
    "relu": _plain("Relu"),
    "relu6": _relu6,
    "sigmoid": _plain("Sigmoid"),
    "silu": _swish,
    "softmax": _softmax("Softmax"),
    "softplus": _plain("Softplus"),
    "softsign": _plain("Softsign"),
    "swish": _swish,
    "tanh": _plain("Tanh"),
}


def _activation(layer: Layer) -> Tensor:
    if function(layer.config, "activation") == "linear":
        return layer.source
    return activated(layer, layer.source)


def _relu(layer: Layer) -> Tensor:
    config = layer.config
    if config.number("threshold", 0.0):
        raise config.refuse("has a threshold, which edgenet does not know")
    slope = 0.0 if config.values.get("negative_slope") is None else config.number("negative_slope")
    return rectified(layer, layer.source, layer.name, slope, config.maybe("max_value"))


def _leaky_relu(layer: Layer) -> Tensor:
    key = "alpha" if "alpha" in layer.config.values else "negative_slope"
    return rectified(layer, layer.source, layer.name, layer.config.number(key, 0.3), None)


def _prelu(layer: Layer) -> Tensor:
    shape = layer.source.shape
    shared = layer.config.values.get("shared_axes") or []
    if not isinstance(shared, list):
        raise layer.config.damaged("shared_axes", "a list")
    wanted = tuple(1 if axis in shared else side for axis, side in enumerate(shape, 1))
    slope = layer.arrays({"alpha": wanted})["alpha"]
    slope = slope.transpose(2, 0, 1) if layer.source.is_map else slope
    return layer.node("PRelu", [layer.source, layer.weight("alpha", slope)], shape)


def _softmax_layer(layer: Layer) -> Tensor:
    axis = layer.config.values.get("axis", -1)
    if axis not in (-1, len(layer.source.shape), [-1]):
        raise layer.config.refuse("has another axis than the last, which edgenet does not know")
    return CURVES["softmax"](layer, layer.source, layer.name)


LAYERS: Mapping[str, Callable[[Layer], Tensor]] = {
    "Activation": _activation,
    "ELU": lambda layer: layer.node(
        "Elu", [layer.source], layer.source.shape, alpha=layer.config.number("alpha", 1.0)
    ),
    "LeakyReLU": _leaky_relu,
    "PReLU": _prelu,
    "ReLU": _relu,
    "Softmax": _softmax_layer,
}
