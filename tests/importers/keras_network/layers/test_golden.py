"""Every kind of layer against what Keras itself computes, of Keras 2 and of Keras 3 (see record.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgenet.importers.keras_network.layers.table import AUGMENTATIONS, LAYERS, NOTHING
from tests.importers.keras_files import Array, L, answer, placeholder, write
from tests.importers.keras_network.layers.record import GOLDEN, inputs_of, weights_of

ENTRIES = json.loads(GOLDEN.read_text(encoding="utf-8"))
# Other names of layers that are there, and Keras 2's functions of TensorFlow: tests/importers/test_keras.py.
NAMES = {
    "AvgPool2D", "BatchNormalizationV1", "BatchNormalizationV2", "Convolution2D", "GlobalAvgPool2D",
    "GlobalMaxPool2D", "MaxPool2D", "SeparableConvolution2D", "SlicingOpLambda", "SyncBatchNormalization",
    "TFOpLambda", "TensorFlowOpLayer",
}  # fmt: skip


def name(entry: dict[str, Any]) -> str:
    return f"{entry['keras']}-{entry['config']['name']}-{entry['config'].get('activation', '')}"


def entered(shapes: list[list[int]]) -> tuple[list[L], list[Array]]:
    """Inputs x0, x1 … of any shape, for a network takes pictures; and what is fed to them."""
    layers = []
    for at, shape in enumerate(shapes):
        layers.append(placeholder(*[1] * (3 - len(shape)), *shape, name=f"in{at}"))
        layers.append(L("Reshape", f"x{at}", (f"in{at}",), {"target_shape": shape}))
    fed = inputs_of(shapes)
    return layers, [value.reshape(1, *[1] * (4 - value.ndim), *value.shape[1:]) for value in fed]


@pytest.mark.parametrize("entry", ENTRIES, ids=name)
def test_a_layer_computes_what_it_computes_in_keras(entry: dict[str, Any], tmp_path: Path) -> None:
    layers, fed = entered(entry["inputs"])
    weights = {str(at): value for at, value in enumerate(weights_of(entry["weights"]))}
    taken = tuple(f"x{at}" for at in range(len(fed)))
    config = {key: value for key, value in entry["config"].items() if key != "name"}
    layers.append(L(entry["kind"], "asked", taken, config, weights))
    layers.append(L("ReLU", "after", ("asked",), {"negative_slope": 1.0}))  # a graph is more than its input
    path = write(tmp_path / "m", layers, f"{entry['keras']}.keras")
    given = answer(path, *fed)[0]
    wanted = np.array(entry["values"], np.float32).reshape(entry["shape"])
    assert given.shape == wanted.shape
    assert np.abs(given - wanted).max() <= 1e-5 * max(np.abs(wanted).max(), 1.0)


def test_every_layer_is_among_them() -> None:
    kinds = {entry["kind"] for entry in ENTRIES}
    assert not set(LAYERS) - kinds - NAMES
    assert kinds & set(NOTHING)
    assert kinds & set(AUGMENTATIONS)
