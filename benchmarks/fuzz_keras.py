"""Keras files for fuzz.py: their bytes, and the architecture inside while the weights stay right."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from edgenet.importer import find_importer

Tree = Any
Try = Callable[[Tree], object]
SIZE = (8, 8)
WEIGHTS = {
    "conv": {"kernel": (3, 3, 3, 4)},
    "norm": dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (4,)),
    "depthwise": {"depthwise_kernel": (3, 3, 4, 1), "bias": (4,)},
    "head": {"kernel": (4, 5), "bias": (5,)},
}
# Class, name, settings; each is called with the one before, and the sum with the base's own too.
INNER = (
    ("InputLayer", "in", {"batch_input_shape": [None, 8, 8, 3]}),
    ("Conv2D", "conv", {"filters": 4, "kernel_size": [3, 3], "use_bias": False, "padding": "same"}),
    ("BatchNormalization", "norm", {"axis": [3], "epsilon": 0.001}),
    ("ReLU", "relu", {"max_value": 6.0}),
)
OUTER = (
    ("InputLayer", "pixels", {"batch_input_shape": [None, 8, 8, 3]}),
    ("RandomFlip", "flip", {"mode": "horizontal"}),
    ("Rescaling", "scaled", {"scale": 0.0078, "offset": -1.0}),
    ("TFOpLambda", "shift", {"function": "math.subtract"}),
    ("Functional", "base", {}),
    ("ZeroPadding2D", "pad", {"padding": [[0, 1], [0, 1]]}),
    ("DepthwiseConv2D", "depthwise", {"kernel_size": [3, 3], "strides": [2, 2], "activation": "hard_swish"}),
    ("Resizing", "resized", {"height": 6, "width": 6}),
    ("GlobalAveragePooling2D", "pool", {"keepdims": True}),
    ("Reshape", "row", {"target_shape": [4]}),
    ("Dense", "head", {"units": 5, "activation": "softmax"}),
)
CLASSES = {"conv": "conv2d", "norm": "batch_normalization", "depthwise": "depthwise_conv2d", "head": "dense"}


def keras_cases() -> dict[str, tuple[Tree, Try]]:
    """Kind → (a valid document, what reads it)."""
    architecture = _model("net", OUTER)
    hdf5, archive = _hdf5(architecture), _archive(architecture)
    return {
        "h5": (hdf5, lambda data: _read(data, ".h5")),
        "keras": (archive, lambda data: _read(data, ".keras")),
        "h5 layers": (architecture, lambda tree: _read_tree(_hdf5, tree, ".h5")),
        "keras layers": (architecture, lambda tree: _read_tree(_archive, tree, ".keras")),
    }


def _model(name: str, layers: Any) -> Tree:
    told = []
    for number, (kind, own, config) in enumerate(layers):
        kwargs = {"y": 0.5} if kind == "TFOpLambda" else {}
        node = [[[layers[number - 1][1], 0, 0, kwargs]]] if number else []
        whole = _model(own, INNER)["config"] if kind == "Functional" else {"name": own, **config}
        told.append({"class_name": kind, "name": own, "config": whole, "inbound_nodes": node})
    ends = {"input_layers": [[layers[0][1], 0, 0]], "output_layers": [[layers[-1][1], 0, 0]]}
    return {"class_name": "Functional", "config": {"name": name, "layers": told, **ends}}


def _values(name: str) -> dict[str, np.ndarray]:
    return {key: np.ones(shape, np.float32) for key, shape in WEIGHTS[name].items()}


def _hdf5(architecture: Tree) -> bytes:
    held = io.BytesIO()
    with h5py.File(held, "w") as file:
        file.attrs["keras_version"], file.attrs["model_config"] = "2.15.0", json.dumps(architecture)
        for group, names in {
            "base": ("conv", "norm"),
            "depthwise": ("depthwise",),
            "head": ("head",),
        }.items():
            own = file.create_group(f"model_weights/{group}")
            values = {f"{name}/{key}:0": value for name in names for key, value in _values(name).items()}
            own.attrs["weight_names"] = [key.encode() for key in values]
            for key, value in values.items():
                own[key] = value
    return held.getvalue()


def _archive(architecture: Tree) -> bytes:
    weights, held = io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as file:
        for name, kind in CLASSES.items():
            inside = "layers/functional/" if name in ("conv", "norm") else ""
            for number, value in enumerate(_values(name).values()):
                file[f"{inside}layers/{kind}/vars/{number}"] = value
    with zipfile.ZipFile(held, "w") as file:
        file.writestr("metadata.json", '{"keras_version": "2.15.0"}')
        file.writestr("config.json", json.dumps(architecture))
        file.writestr("model.weights.h5", weights.getvalue())
    return held.getvalue()


def _read_tree(form: Callable[[Tree], bytes], tree: Tree, suffix: str) -> object:
    try:
        data = form(tree)
    except (ValueError, TypeError, OSError, RecursionError):
        return None  # HDF5 holds no attribute of more than 64 kB of this kind
    return _read(data, suffix)


def _read(data: bytes, suffix: str) -> object:
    with tempfile.TemporaryDirectory(prefix="edgenet-fuzz-") as folder:
        path = Path(folder, "m").with_suffix(suffix)
        path.write_bytes(data)
        reader = find_importer(path)
        assert reader is not None
        return reader(path, SIZE).proto.SerializeToString()
