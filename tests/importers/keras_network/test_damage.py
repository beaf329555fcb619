"""Damaged files end in one line of edgenet's own: bytes turned or cut off, values of the JSON exchanged."""

from __future__ import annotations

import contextlib
import copy
import json
import random
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenet.errors import ModelError
from edgenet.importers.keras_network.assemble import assemble
from edgenet.importers.keras_network.hdf5 import Hdf5
from edgenet.importers.keras_network.legacy import open_hdf5
from edgenet.importers.keras_network.saved import Saved
from tests.importers.keras_files import FORMS, L, model, placeholder, read, write

KERNEL, HEAD = np.ones((3, 3, 3, 2), np.float32), np.ones((2, 4), np.float32)
FIRST = L(
    "Conv2D", "conv", ("in",), {"filters": 2, "kernel_size": 3, "use_bias": False, "padding": "same"},
    {"kernel": KERNEL},
)  # fmt: skip
LAYERS = (
    placeholder(8, 8, 3),
    L("Rescaling", "scaled", ("pixels",), {"scale": [0.5, 1.0, 2.0]}),
    L("Functional", "base", ("scaled",), layers=(placeholder(8, 8, 3, name="in"), FIRST)),
    L("Activation", "act", ("base",), {"activation": "swish"}),
    L("Add", "sum", ("act", "base")),
    L("ZeroPadding2D", "pad", ("sum",), {"padding": [[0, 1], [0, 1]]}),
    L("GlobalAveragePooling2D", "pool", ("pad",)),
    L("Reshape", "shape", ("pool",), {"target_shape": [2]}),
    L("Dense", "head", ("shape",), {"units": 4, "use_bias": False}, {"kernel": HEAD}),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from([10**400, "relu", "same", "pixels", "Lambda", "Add", "Functional", "InputLayer"]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@pytest.mark.parametrize("form", FORMS)
def test_files_with_turned_bytes_and_files_cut_off(form: str, tmp_path: Path) -> None:
    whole = write(tmp_path / "m", LAYERS, form).read_bytes()
    chance, path = random.Random(5), (tmp_path / "damaged").with_suffix(form[1:])
    refused = 0
    for _ in range(25):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 4, 16))):
            data[chance.randrange(len(data))] = chance.choice((0, 255, chance.randrange(256)))
        path.write_bytes(data[: chance.choice((len(data), len(data), chance.randrange(len(data))))])
        with contextlib.suppress(ModelError):
            read(path)
            continue
        refused += 1
    assert refused > 5, "the damage is seen"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("keras") / "m", LAYERS, "2.h5")


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_anywhere_in_the_architecture_is_read_or_refused(data: st.DataObject, opened: Any) -> None:
    keras = data.draw(st.sampled_from([2, 3]))
    tree = copy.deepcopy(model(LAYERS, keras))
    for _ in range(data.draw(st.integers(1, 3))):
        node, key = data.draw(st.sampled_from(places(tree)))
        node[key] = data.draw(VALUES)
    saved = Saved("m.h5", "m", tree, keras, opened.weights)
    with contextlib.suppress(ModelError):  # one line by its own making
        assert assemble(saved, (8, 8)).proto.graph.output


@pytest.fixture(scope="module")
def opened(weights: Path) -> Any:
    with open_hdf5(weights) as saved:
        yield saved


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (table or list, key) in a document."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else []
    return [(tree, key) for key in keys] + [place for key in keys for place in places(tree[key])]


@pytest.mark.parametrize("value", [b"{", b"\xff\xff", "", 5, [1.5, 2.5], ["{}", "{}"]])
def test_an_architecture_that_is_no_json(value: Any, weights: Path, tmp_path: Path) -> None:
    path = shutil.copy(weights, tmp_path)
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = value
    with pytest.raises(ModelError, match=r"damaged|no Keras model|cannot be read"):
        read(Path(path))


def test_names_that_cannot_be_shown_are_refused(weights: Path, tmp_path: Path) -> None:
    path = shutil.copy(weights, tmp_path)
    with h5py.File(path, "r+") as file:
        text = json.loads(file.attrs["model_config"])
        text["config"]["layers"][1]["name"] = "sca\u202eled"
        file.attrs["model_config"] = json.dumps(text)
    with pytest.raises(ModelError, match="no printable name"):
        read(Path(path))


def test_hdf5_files_are_read_as_they_lie(weights: Path, tmp_path: Path) -> None:
    file = Hdf5(weights, tmp_path, ("model_weights",), "m.h5")
    assert file.array("/model_weights/head/head/kernel:0").shape == (2, 4)
    assert file.shape("/model_weights/head/head/bias:0") is None
