"""Keras files built by hand: the four containers, from layers told as Keras tells them."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from edgenet.importer import Imported, find_importer

Array = NDArray[Any]
FORMS = ("2.h5", "3.h5", "2.keras", "3.keras")
VERSIONS = {2: "2.15.0", 3: "3.15.1"}


@dataclass(frozen=True)
class L:
    """A layer: its class and name, what it is called with, its settings and variables; or a model within.

    Attributes:
        kind: Class.
        name: The user's.
        inputs: Names of layers, one call; or several calls, each a tuple of names or of (name, call).
        config: Settings, without the name.
        weights: Variables by name, in Keras' order.
        layers: Of a model within.
        module: Where its class lies, as Keras 3 tells it.
        kwargs: Of the call.
    """

    kind: str
    name: str
    inputs: tuple[Any, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Array] = field(default_factory=dict)
    layers: tuple[L, ...] = ()
    module: str = "keras.layers"
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def calls(self) -> list[tuple[Any, ...]]:
        """Every call as a tuple of what it takes."""
        return [self.inputs] if self.inputs and not isinstance(self.inputs[0], tuple) else list(self.inputs)


def placeholder(*shape: int | None, name: str = "pixels") -> L:
    """An input, its shape without the batch."""
    return L("InputLayer", name, config={"batch_shape": [None, *shape]})


def model(
    layers: Sequence[L], keras: int, kind: str = "Functional", ends: Sequence[str] = ()
) -> dict[str, Any]:
    """A model's ``{"class_name", "config"}``; its ends are the last layer unless they are named."""
    config: dict[str, Any] = {"name": "net", "layers": [_told(layer, keras, kind) for layer in layers]}
    if kind == "Functional":
        config["input_layers"] = [[layer.name, 0, 0] for layer in layers if layer.kind == "InputLayer"]
        config["output_layers"] = [[name, 0, 0] for name in ends or [layers[-1].name]]
    return {"class_name": kind, "config": config, "module": "keras"}


def _told(layer: L, keras: int, within: str) -> dict[str, Any]:
    told: dict[str, Any] = {"class_name": layer.kind, "config": {"name": layer.name, **layer.config}}
    if layer.layers:
        told = model(layer.layers, keras, layer.kind)
        told["config"]["name"] = layer.name
    if keras == 2 and "batch_shape" in told["config"]:
        told["config"]["batch_input_shape"] = told["config"].pop("batch_shape")
    if keras == 3:
        told.update(module=layer.module, registered_name=None)
    if within == "Functional":
        told["name"] = layer.name
        told["inbound_nodes"] = [_node(call, layer.kwargs, keras) for call in layer.calls]
    return told


def _node(call: tuple[Any, ...], kwargs: Mapping[str, Any], keras: int) -> Any:
    refs = [item if isinstance(item, tuple) else (item, 0) for item in call if not isinstance(item, float)]
    if keras == 2:
        return [[name, number, 0, dict(kwargs)] for name, number in refs]
    tensors = [
        item if isinstance(item, float) else tensor(*(item if isinstance(item, tuple) else (item, 0)))
        for item in call
    ]
    args = tensors if len(tensors) == 1 or any(isinstance(item, float) for item in call) else [tensors]
    return {"args": args, "kwargs": dict(kwargs)}


def tensor(name: str, call: int = 0) -> dict[str, Any]:
    """A tensor as Keras 3 names it in a call."""
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call, 0]}}


def write(
    path: Path, layers: Sequence[L], form: str = "3.keras", kind: str = "Functional", **more: Any
) -> Path:
    """Write a model in one of the ``FORMS``; returns the path with the suffix of the form."""
    keras, suffix = int(form[0]), form[1:]
    path = path.with_suffix(suffix)
    architecture = json.dumps(model(layers, keras, kind, **more))
    if suffix == ".keras":
        write_archive(path, architecture, lambda file: _by_class(file, layers), VERSIONS[keras])
        return path
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["model_config"] = VERSIONS[keras], architecture
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        for layer in layers:
            _named(group.create_group(layer.name), layer, ":0" if keras == 2 else "")
    return path


def write_archive(path: Path, architecture: str, fill: Any, version: str = VERSIONS[3]) -> None:
    """A ``.keras`` file whose weights are what ``fill`` puts into an HDF5 file."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        fill(file)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version}))
        archive.writestr("config.json", architecture)
        archive.writestr("model.weights.h5", held.getvalue())


def _by_class(group: Any, layers: Sequence[L]) -> None:
    seen: Counter[str] = Counter()
    inside = group.create_group("layers")
    for layer in layers:
        if ".ops." in layer.module:
            continue
        plain = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", layer.kind)
        plain = re.sub("([a-z])([A-Z])", r"\1_\2", plain).lower()
        own = inside.create_group(f"{plain}_{seen[plain]}" if seen[plain] else plain)
        seen[plain] += 1
        values = own.create_group("vars")
        for number, value in enumerate(layer.weights.values()):
            values[str(number)] = value
        if layer.layers:
            _by_class(own, layer.layers)


def _named(group: Any, layer: L, ending: str) -> None:
    held = {
        f"{inner.name}/{name}{ending}": value
        for inner in leaves(layer)
        for name, value in inner.weights.items()
    }
    group.attrs["weight_names"] = [name.encode() for name in held]
    for name, value in held.items():
        group[name] = value


def leaves(layer: L) -> list[L]:
    """A layer, or all within a model."""
    return [leaf for inner in layer.layers for leaf in leaves(inner)] if layer.layers else [layer]


def read(path: Path, size: tuple[int, int] = (8, 8)) -> Imported:
    """Read a file as ``Model.load`` does."""
    reader = find_importer(path)
    assert reader is not None
    return reader(path, size)


def answer(path: Path, *inputs: Array) -> Array:
    """What the network that was read gives for inputs [1, …] in Keras' order of axes, in the same order."""
    session = onnxruntime.InferenceSession(
        read(path).proto.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    fed = [value.transpose(0, 3, 1, 2) if value.ndim == 4 else value for value in inputs]
    names = [item.name for item in session.get_inputs()]
    (given,) = session.run(None, dict(zip(names, fed, strict=True)))
    return np.asarray(given.transpose(0, 2, 3, 1) if given.ndim == 4 else given)
