"""Every layer that is read gives what Keras itself gave: golden.json, which record.py wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from edgenet.importers import keras
from edgenet.importers.keras_network.archive import _snake_case
from edgenet.importers.keras_network.layers.table import AUGMENTATIONS, LAYERS, NOTHING
from tests.importers.keras_network.files import Layers, functional, write_archive, write_hdf5
from tests.importers.keras_network.layers.record import GOLDEN, inputs_of, weights_of

ENTRIES: list[dict[str, Any]] = json.loads(GOLDEN.read_text())
FORMS = ("hdf5", "archive")
OTHER_NAMES = {
    *(
        "AvgPool2D",
        "MaxPool2D",
        "GlobalAvgPool2D",
        "GlobalMaxPool2D",
        "Convolution2D",
        "SeparableConvolution2D",
    ),
    *("BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization"),
}
# Functions of TensorFlow between layers: tests/importers/test_keras.py.
ELSEWHERE = {"SlicingOpLambda", "TFOpLambda", "TensorFlowOpLayer"}


def named(entry: Mapping[str, Any]) -> str:
    return f"{entry['kind']}-{entry['keras']}"


def answer(proto: onnx.ModelProto, inputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """What the graph gives for NHWC inputs, NHWC where it is a map."""
    session = onnxruntime.InferenceSession(proto.SerializeToString())
    given = {
        told.name: value.transpose(0, 3, 1, 2) if value.ndim == 4 else value
        for told, value in zip(session.get_inputs(), inputs, strict=True)
    }
    found = np.asarray(session.run(None, given)[0])
    return found.transpose(0, 2, 3, 1) if found.ndim == 4 else found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("entry", ENTRIES, ids=named)
def test_a_layer_gives_what_keras_gave(entry: Mapping[str, Any], form: str, tmp_path: Path) -> None:
    if form == "archive" and entry["keras"] == 2:
        pytest.skip("its archives number weights otherwise: test_archive.py")
    weights = weights_of(entry["weights"])
    # A network sees pictures; one of a row is flattened before the layer.
    inputs = {f"in{number}": [1] * (3 - len(shape)) + shape for number, shape in enumerate(entry["inputs"])}
    rows = [f"in{number}" for number, shape in enumerate(entry["inputs"]) if len(shape) == 1]
    flat: Layers = [(f"flat_{name}", "Flatten", {}, [name], []) for name in rows]
    takes = [f"flat_{name}" if name in rows else name for name in inputs]
    layers = [*flat, ("told", entry["kind"], entry["config"], takes, weights)]
    architecture = functional(entry["keras"], inputs, layers)
    if form == "hdf5":
        path = write_hdf5(tmp_path / "net.h5", entry["keras"], architecture, layers)
    else:
        folders = {_snake_case(entry["kind"]): weights}
        path = write_archive(tmp_path / "net.keras", architecture, folders)
    found = keras.read(path, (8, 8))
    got = answer(
        found.proto,
        [
            value.reshape([1, *inputs[f"in{number}"]])
            for number, value in enumerate(inputs_of(entry["inputs"]))
        ],
    )
    want = np.asarray(entry["answer"], np.float32).reshape(entry["shape"])
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)
    assert bool(found.notes) == (entry["kind"] in AUGMENTATIONS)


def test_every_layer_of_the_table_is_recorded() -> None:
    recorded = {entry["kind"] for entry in ENTRIES}
    assert set(LAYERS) - recorded == ELSEWHERE | OTHER_NAMES
    assert set(NOTHING) & recorded
