"""Keras files written by hand, as Keras 2 and 3 lay them out: JSON, HDF5 and a zip archive."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

__all__ = ["Layers", "functional", "sequential", "write_archive", "write_hdf5"]

# Name, class, settings, what each call takes, weights.
Layers = Sequence[tuple[str, str, Mapping[str, Any], Sequence[str], Sequence[NDArray[Any]]]]
VERSIONS = {2: "2.8.0", 3: "3.15.1"}


def functional(keras: int, inputs: Mapping[str, Sequence[int]], layers: Layers) -> dict[str, Any]:
    """The architecture of a functional model whose last layer is its output."""
    shapes = {name: [None, *shape] for name, shape in inputs.items()}
    entries = [_input(keras, name, shape) for name, shape in shapes.items()]
    for name, kind, config, takes, _ in layers:
        nodes = [_call(takes, shapes)] if keras == 3 else [[[taken, 0, 0, {}] for taken in takes]]
        entries.append(
            {"class_name": kind, "config": {**config, "name": name}, "name": name, "inbound_nodes": nodes}
        )
    told = {
        "name": "net",
        "layers": entries,
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": [[layers[-1][0], 0, 0]],
    }
    return {"class_name": "Functional", "config": told}


def sequential(shape: Sequence[int], layers: Layers) -> dict[str, Any]:
    """The architecture of a sequential model, as Keras 2 writes it."""
    entries = [{"class_name": "InputLayer", "config": _input(2, "in", [None, *shape])["config"]}]
    entries += [
        {"class_name": kind, "config": {**config, "name": name}} for name, kind, config, _, _ in layers
    ]
    return {"class_name": "Sequential", "config": {"name": "net", "layers": entries}}


def _input(keras: int, name: str, shape: Sequence[int | None]) -> dict[str, Any]:
    key = "batch_shape" if keras == 3 else "batch_input_shape"
    config = {key: list(shape), "dtype": "float32", "name": name}
    return {"class_name": "InputLayer", "config": config, "name": name, "inbound_nodes": []}


def _call(takes: Sequence[str], shapes: Mapping[str, Any]) -> dict[str, Any]:
    tensors = [
        {
            "class_name": "__keras_tensor__",
            "config": {"shape": shapes.get(name), "dtype": "float32", "keras_history": [name, 0, 0]},
        }
        for name in takes
    ]
    return {"args": [tensors if len(tensors) > 1 else tensors[0]], "kwargs": {}}


def write_hdf5(path: Path, keras: int, architecture: Mapping[str, Any], layers: Layers) -> Path:
    """A file of ``model.save("x.h5")``."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(architecture)
        file.attrs["keras_version"] = VERSIONS[keras]
        file.attrs["backend"] = "tensorflow"
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [name.encode() for name, *_ in layers]
        for name, _, _, _, weights in layers:
            group = root.create_group(name)
            names = [f"{name}/weight_{number}:0" for number in range(len(weights))]
            group.attrs["weight_names"] = [item.encode() for item in names]
            for item, value in zip(names, weights, strict=True):
                group[item] = value
    return path


def write_archive(
    path: Path, architecture: Mapping[str, Any], folders: Mapping[str, Sequence[NDArray[Any]]]
) -> Path:
    """A file of Keras 3's ``model.save("x.keras")``; folders are those of its weights, such as "conv2d_1"."""
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        for folder, weights in folders.items():
            group = file.create_group(f"layers/{folder}/vars")
            for number, value in enumerate(weights):
                group[str(number)] = np.asarray(value)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(architecture))
        archive.writestr("metadata.json", json.dumps({"keras_version": VERSIONS[3]}))
        archive.writestr("model.weights.h5", held.getvalue())
    return path
