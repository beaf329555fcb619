"""Keras files: every container, nested models, functions between layers, and refusals with their remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from edgenet.errors import ModelError
from edgenet.model import Model
from tests.importers.keras_files import FORMS, Array, L, answer, placeholder, read, write

CARD = """
output = "{output}"
[preprocessing]
size = [8, 8]
color = "rgb"
resize = "stretch"
interpolation = "nearest"
mean = [0, 0, 0]
std = [1, 1, 1]
"""


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


PIXELS = random(1, 8, 8, 3, seed=9)
KERNEL, BIAS = random(1, 1, 3, 4), random(4, seed=1)
HEAD, HEAD_BIAS = random(4, 5, seed=2), random(5, seed=3)
MOMENTS = {
    "gamma": random(4, seed=4), "beta": random(4, seed=5), "moving_mean": random(4, seed=6),
    "moving_variance": np.abs(random(4, seed=7)) + np.float32(0.1),
}  # fmt: skip


def conv(name: str, source: str, kernel: Array = KERNEL, **config: Any) -> L:
    told = {"filters": kernel.shape[3], "kernel_size": list(kernel.shape[:2]), "use_bias": False, **config}
    return L("Conv2D", name, (source,), told, {"kernel": kernel})


def pool(source: str, name: str = "pool") -> L:
    return L("GlobalAveragePooling2D", name, (source,))


def dense(source: str, name: str = "head", **config: Any) -> L:
    return L("Dense", name, (source,), {"units": 5, **config}, {"kernel": HEAD, "bias": HEAD_BIAS})


def base(source: str = "pixels") -> tuple[L, ...]:
    """Conv, batch normalization, ReLU: an odd name and the order of variables matter."""
    norm = L("BatchNormalization", "norm_7", ("first/conv",), {"epsilon": 0.01}, MOMENTS)
    return conv("first/conv", source), norm, L("ReLU", "relu", ("norm_7",), {"max_value": 6.0})


def features(pixels: Array) -> Array:
    """What the base gives, written out."""
    scale = MOMENTS["gamma"] / np.sqrt(MOMENTS["moving_variance"] + 0.01)
    normal = (pixels @ KERNEL[0, 0] - MOMENTS["moving_mean"]) * scale + MOMENTS["beta"]
    return np.asarray(np.clip(normal, 0, 6))


def classified(maps: Array) -> Array:
    return np.asarray(maps.mean(axis=(1, 2)) @ HEAD + HEAD_BIAS)


PLAIN = (placeholder(8, 8, 3), *base(), pool("relu"), dense("pool"))


@pytest.mark.parametrize("kind", ["Functional", "Sequential"])
@pytest.mark.parametrize("form", FORMS)
def test_every_container_gives_the_same_answers(form: str, kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / "m", PLAIN, form, kind)
    assert np.allclose(answer(path, PIXELS), classified(features(PIXELS)), atol=1e-5)


def test_keras_2_wrote_hdf5_under_either_suffix(tmp_path: Path) -> None:
    path = write(tmp_path / "m", PLAIN, "2.h5").rename(tmp_path / "m.keras")
    assert np.allclose(answer(path, PIXELS), classified(features(PIXELS)), atol=1e-5)


@pytest.mark.parametrize("kind", ["Functional", "Sequential"])
@pytest.mark.parametrize("form", FORMS)
def test_models_within_models_as_transfer_learning_makes_them(form: str, kind: str, tmp_path: Path) -> None:
    inner = L("Functional", "base", ("scaled",), layers=(placeholder(8, 8, 3), *base()))
    flip = L("RandomFlip", "flip", ("entry",), {"mode": "horizontal"})
    augment = L("Sequential", "augment", ("pixels",), layers=(placeholder(8, 8, 3, name="entry"), flip))
    scaled = L("Rescaling", "scaled", ("augment",), {"scale": 0.5, "offset": -1.0})
    drop = L("Dropout", "drop", ("pool",), {"rate": 0.2})
    layers = (placeholder(8, 8, 3), augment, scaled, inner, pool("base"), drop, dense("drop"))
    path = write(tmp_path / "m", layers, form, kind)
    assert np.allclose(answer(path, PIXELS), classified(features(PIXELS * 0.5 - 1)), atol=1e-5)
    assert read(path).notes == ("left out, for it works in training alone: flip (RandomFlip)",)


@pytest.mark.parametrize("form", FORMS)
def test_a_layer_called_twice_keeps_one_set_of_weights(form: str, tmp_path: Path) -> None:
    kernel = random(1, 1, 3, 3, seed=8)
    twice = L("Conv2D", "twice", (("pixels",), (("twice", 0),)),
              {"filters": 3, "kernel_size": 1, "use_bias": False}, {"kernel": kernel})  # fmt: skip
    layers = (placeholder(8, 8, 3), twice, L("Add", "sum", ((("twice", 0), ("twice", 1)),)), pool("sum"))
    path = write(tmp_path / "m", layers, form)
    once = PIXELS @ kernel[0, 0]
    assert np.allclose(answer(path, PIXELS), (once + once @ kernel[0, 0]).mean(axis=(1, 2)), atol=1e-5)
    assert len(read(path).proto.graph.initializer) == 1


def test_layers_may_stand_in_any_order(tmp_path: Path) -> None:
    path = write(tmp_path / "m", PLAIN[::-1], "2.h5", ends=["head"])
    assert np.allclose(answer(path, PIXELS), classified(features(PIXELS)), atol=1e-5)


@pytest.mark.parametrize("form", ["2.h5", "2.keras"])
def test_functions_of_tensorflow_between_layers(form: str, tmp_path: Path) -> None:
    """``preprocess_input`` and hard swish as Keras 2 saves them."""
    scaled = L(
        "TFOpLambda", "div", ("pixels",), {"function": "math.truediv"}, kwargs={"y": 127.5, "name": None}
    )
    moved = L("TFOpLambda", "sub", ("div",), {"function": "math.subtract"}, kwargs={"y": 1.0, "name": None})
    add = L("TFOpLambda", "add", ("sub",), {"function": "__operators__.add"}, kwargs={"y": 3.0, "name": None})
    cut = L("ReLU", "cut", ("add",), {"max_value": 6.0})
    share = L("TFOpLambda", "mul", ("cut",), {"function": "math.multiply"}, kwargs={"y": 1 / 6, "name": None})
    gate = L("Multiply", "gate", ("sub", "mul"))
    mean = L("TFOpLambda", "mean", ("gate",), {"function": "math.reduce_mean"},
             kwargs={"axis": [1, 2], "keepdims": False})  # fmt: skip
    path = write(tmp_path / "m", (placeholder(8, 8, 3), scaled, moved, add, cut, share, gate, mean), form)
    value = PIXELS * 300 / 127.5 - 1
    swish = value * np.clip(value + 3, 0, 6) / 6
    assert np.allclose(answer(path, PIXELS * 300), swish.mean(axis=(1, 2)), atol=1e-5)


def test_operators_of_graphs_of_tensorflow_2_3(tmp_path: Path) -> None:
    node = {"op": "AddV2", "input": ["x", "c"], "name": "add"}
    add = L("TensorFlowOpLayer", "add", ("pixels",), {"node_def": node, "constants": {"1": 3.0}})
    node = {"op": "Sub", "input": ["c", "x"], "name": "sub"}
    left = L("TensorFlowOpLayer", "sub", ("add",), {"node_def": json.dumps(node), "constants": {"0": 1.0}})
    path = write(tmp_path / "m", (placeholder(8, 8, 3), add, left, pool("sub")), "2.h5")
    assert np.allclose(answer(path, PIXELS), (1 - (PIXELS + 3)).mean(axis=(1, 2)), atol=1e-5)


@pytest.mark.parametrize("form", ["3.h5", "3.keras"])
def test_functions_of_keras_ops_between_layers(form: str, tmp_path: Path) -> None:
    ops = "keras.src.ops.numpy"
    scaled = L("TrueDivide", "div", (("pixels", 127.5),), module=ops)
    moved = L("Subtract", "sub", ((1.0, "div"),), module=ops)
    low = L("Maximum", "max", (("sub", 0.25),), module=ops)
    path = write(tmp_path / "m", (placeholder(8, 8, 3), scaled, moved, low, pool("max")), form)
    wanted = np.maximum(1 - PIXELS / 127.5, 0.25).mean(axis=(1, 2))
    assert np.allclose(answer(path, PIXELS), wanted, atol=1e-6)


def test_free_sides_are_those_of_the_card(tmp_path: Path) -> None:
    layers = (placeholder(None, None, 3), *PLAIN[1:])
    dims = read(write(tmp_path / "m", layers), (24, 16)).proto.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [1, 3, 24, 16]


def test_layers_keep_the_names_of_the_user(tmp_path: Path) -> None:
    nodes = read(write(tmp_path / "m", PLAIN)).proto.graph.node
    assert {node.name for node in nodes} >= {"first/conv", "norm_7", "relu", "pool", "head"}


def test_a_model_is_loaded_with_its_card(tmp_path: Path) -> None:
    path = write(tmp_path / "m", (*PLAIN[:-1], dense("pool", activation="softmax")))
    path.with_suffix(".toml").write_text(CARD.format(output="probabilities"))
    model = Model.load(path)
    assert (model.name, model.classes, model.output) == ("m", 5, "probabilities")


def test_a_network_of_two_outputs_is_refused_in_words_of_keras(tmp_path: Path) -> None:
    layers = (*PLAIN, dense("pool", "other"))
    written = write(tmp_path / "m", layers, ends=["head", "other"])
    written.with_suffix(".toml").write_text(CARD.format(output="logits"))
    with pytest.raises(ModelError, match=r"2 outputs \(.*'head' 1x5.*'other' 1x5\).*keras\.Model\(model\.in"):
        Model.load(written)


def test_a_network_that_sees_no_pictures_is_refused(tmp_path: Path) -> None:
    layers = (placeholder(4), dense("pixels"))
    with pytest.raises(ModelError, match=r"'pixels' \(InputLayer\) takes \[None, 4\], no pictures"):
        read(write(tmp_path / "m", layers))


def test_weights_alone_are_told_from_a_model(tmp_path: Path) -> None:
    for name, fill in (("a.h5", "layer_names"), ("b.h5", "layers")):
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs["layer_names"] = [b"conv"] if fill == "layer_names" else []
            file.create_group(fill)
        with pytest.raises(ModelError, match="holds only weights.*load_weights"):
            read(tmp_path / name)


def test_what_is_no_keras_file_at_all(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_text("hello")
    with pytest.raises(ModelError, match="neither HDF5 nor a Keras archive, or a truncated one"):
        read(tmp_path / "m.keras")
    with pytest.raises(ModelError, match="cannot be read"):
        read(tmp_path / "absent.h5")


def test_models_that_call_each_other_a_million_times_are_refused(tmp_path: Path) -> None:
    """Each model calls the next ten times: a file of some kilobytes, and work without end."""
    level: tuple[L, ...] = (placeholder(8, 8, 3, name="in"), L("Dropout", "d", ("in",)))
    for _ in range(7):
        calls = (("in",), *((("next", number),) for number in range(9)))
        end = L("Dropout", "end", ((("next", 9),),))
        level = (placeholder(8, 8, 3, name="in"), L("Functional", "next", calls, layers=level), end)
    with pytest.raises(ModelError, match="too many models within models"):
        read(write(tmp_path / "m", level, "2.h5"))
