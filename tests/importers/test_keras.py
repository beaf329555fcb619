"""Keras files as a whole: their forms, models within models, what is refused, and damage."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenet.errors import ModelError
from edgenet.importers import keras
from tests.importers.keras_network.files import (
    Layers,
    functional,
    sequential,
    write_archive,
    write_hdf5,
)

RNG = np.random.default_rng(5)
KERNEL = RNG.normal(size=(3, 3, 3, 4)).astype(np.float32)
BIAS = RNG.normal(size=4).astype(np.float32)
HEAD = RNG.normal(size=(4, 2)).astype(np.float32)
SHAPE = (6, 5, 3)
CONV = {"filters": 4, "kernel_size": [3, 3], "padding": "valid"}
LAYERS: Layers = (
    ("conv", "Conv2D", CONV, ["in"], [KERNEL, BIAS]),
    ("pool", "GlobalAveragePooling2D", {}, ["conv"], []),
    ("head", "Dense", {"units": 2, "use_bias": False}, ["pool"], [HEAD]),
)
PICTURE = RNG.normal(size=(1, *SHAPE)).astype(np.float32)
Edit = Callable[[dict[str, Any]], None]


def expected() -> np.ndarray[Any, Any]:
    """The same in numpy: valid convolution, mean, product."""
    rows, columns = SHAPE[0] - 2, SHAPE[1] - 2
    maps = np.zeros((rows, columns, 4))
    for y in range(rows):
        for x in range(columns):
            maps[y, x] = np.tensordot(PICTURE[0, y : y + 3, x : x + 3], KERNEL, 3) + BIAS
    return np.asarray(maps.mean(axis=(0, 1)) @ HEAD)


def answer(path: Path) -> np.ndarray[Any, Any]:
    found = keras.read(path, (6, 5))
    session = onnxruntime.InferenceSession(found.proto.SerializeToString())
    (told,) = session.get_inputs()
    return np.asarray(session.run(None, {told.name: PICTURE.transpose(0, 3, 1, 2)})[0])[0]


def refusal(path: Path) -> str:
    """What is said of a file that may be damaged; nothing where it is read."""
    try:
        keras.read(path, (6, 5))
    except ModelError as refused:
        return str(refused)
    return ""


def net(keras_version: int = 2) -> dict[str, Any]:
    return functional(keras_version, {"in": SHAPE}, LAYERS)


def saved(tmp_path: Path, edit: Edit | None = None, layers: Layers = LAYERS) -> Path:
    architecture = net()
    if edit:
        edit(architecture)
    return write_hdf5(tmp_path / "net.h5", 2, architecture, layers)


FOLDERS = {"conv2d": [KERNEL, BIAS], "global_average_pooling2d": [], "dense": [HEAD]}


@pytest.mark.parametrize("form", ["hdf5-2", "hdf5-3", "sequential", "archive"])
def test_every_form_gives_the_same_answer(form: str, tmp_path: Path) -> None:
    if form == "archive":
        path = write_archive(tmp_path / "net.keras", net(3), FOLDERS)
    elif form == "sequential":
        path = write_hdf5(tmp_path / "net.h5", 2, sequential(SHAPE, LAYERS), LAYERS)
    else:
        number = int(form[-1])
        path = write_hdf5(tmp_path / "net.h5", number, net(number), LAYERS)
    np.testing.assert_allclose(answer(path), expected(), rtol=1e-5, atol=1e-6)


def test_its_content_and_not_its_suffix_tells_the_form(tmp_path: Path) -> None:
    path = saved(tmp_path).rename(tmp_path / "net.keras")
    np.testing.assert_allclose(answer(path), expected(), rtol=1e-5, atol=1e-6)


def test_an_optimizer_is_not_read(tmp_path: Path) -> None:
    path = saved(tmp_path)
    with h5py.File(path, "a") as file:
        file["optimizer_weights/iterations"] = h5py.ExternalLink("/nowhere.h5", "x")
    np.testing.assert_allclose(answer(path), expected(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("keras_version", [2, 3])
def test_a_model_within_a_model_as_transfer_learning_makes_it(keras_version: int, tmp_path: Path) -> None:
    inner = functional(keras_version, {"inner_in": SHAPE}, [("conv", "Conv2D", CONV, ["inner_in"], [])])
    outer: Layers = (
        ("flip", "RandomFlip", {"mode": "horizontal"}, ["in"], []),
        ("base", "Functional", inner["config"], ["flip"], [KERNEL, BIAS]),
        ("pool", "GlobalAveragePooling2D", {}, ["base"], []),
        ("drop", "Dropout", {"rate": 0.5}, ["pool"], []),
        ("head", "Dense", {"units": 2, "use_bias": False}, ["drop"], [HEAD]),
    )
    architecture = functional(keras_version, {"in": SHAPE}, outer)
    path = tmp_path / "net.h5"
    write_hdf5(path, keras_version, architecture, outer)
    with h5py.File(path, "a") as file:  # an inner model's weights bear the names of its layers
        group = file["model_weights/base"]
        group.attrs["weight_names"] = [b"conv/kernel:0", b"conv/bias:0"]
        group["conv/kernel:0"], group["conv/bias:0"] = KERNEL, BIAS
    np.testing.assert_allclose(answer(path), expected(), rtol=1e-5, atol=1e-6)
    assert keras.read(path, (6, 5)).notes == ("left out, for it works in training alone: flip (RandomFlip)",)
    if keras_version == 3:
        archive = write_archive(
            tmp_path / "net.keras",
            architecture,
            {"functional/layers/conv2d": [KERNEL, BIAS], "dense": [HEAD]},
        )
        np.testing.assert_allclose(answer(archive), expected(), rtol=1e-5, atol=1e-6)


def with_layer(entry: Mapping[str, Any]) -> Edit:
    """Another layer in place of the pool."""

    def edit(architecture: dict[str, Any]) -> None:
        architecture["config"]["layers"][2].update(entry)

    return edit


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (with_layer({"class_name": "Lambda", "config": {"function": ["4wEAAA==", None, None]}}), "never run"),
        (with_layer({"class_name": "MyBlock", "registered_name": "mine>MyBlock"}), "'pool' \\(MyBlock\\)"),
        (with_layer({"class_name": "MultiHeadAttention"}), "'pool' \\(MultiHeadAttention\\)"),
        (with_layer({"inbound_nodes": [[["nobody", 0, 0, {}]]]}), "what layer 'pool' takes"),
        (with_layer({"inbound_nodes": [[["head", 0, 0, {}]]]}), "nothing gives"),
        (lambda told: told["config"].update(output_layers=[["head", 0, 0], ["conv", 0, 0]]), "2 outputs"),
        (lambda told: told["config"].update(layers=7), "net.h5"),
        (lambda told: told.update(class_name="Tower"), "Tower"),
        (lambda told: told["config"]["layers"][1]["config"].update(filters=10**12), "filters"),
        (lambda told: told["config"]["layers"][1]["config"].update(padding="causal"), "causal"),
        (lambda told: told["config"]["layers"][1]["config"].update(data_format="channels_first"), "first"),
        (lambda told: told["config"]["layers"][1]["config"].update(filters=5), "3x3x3x4, not 3x3x3x5"),
        (lambda told: told["config"]["layers"][0]["config"].update(batch_input_shape=[None, 6]), "pictures"),
    ],
)
def test_what_is_not_read_is_refused_in_one_line(edit: Edit, told: str, tmp_path: Path) -> None:
    path = saved(tmp_path, edit)
    with pytest.raises(ModelError, match=told) as refused:
        keras.read(path, (6, 5))
    assert "\n" not in str(refused.value)
    assert "bug in edgenet" not in str(refused.value)
    assert len(str(refused.value)) < 700


def test_weights_alone_and_missing_weights_are_told(tmp_path: Path) -> None:
    path = saved(tmp_path)
    with h5py.File(path, "a") as file:
        del file["model_weights/head"]
    with pytest.raises(ModelError, match="'head' \\(Dense\\) has 0 weights in the file, not 1"):
        keras.read(path, (6, 5))
    with h5py.File(path, "a") as file:
        del file.attrs["model_config"]
        file.attrs["layer_names"] = [b"conv"]
    with pytest.raises(ModelError, match="holds weights alone"):
        keras.read(path, (6, 5))


@pytest.mark.parametrize("kind", ["external link", "soft link", "virtual", "external storage"])
def test_nothing_outside_the_file_is_read(kind: str, tmp_path: Path) -> None:
    path, other = saved(tmp_path), tmp_path / "secret.h5"
    with h5py.File(other, "w") as file:
        file["x"] = HEAD
    raw = tmp_path / "secret.raw"
    HEAD.tofile(raw)
    name = "model_weights/head/head/weight_0:0"
    with h5py.File(path, "a") as file:
        del file[name]
        if kind == "external link":
            file[name] = h5py.ExternalLink(str(other), "x")
        elif kind == "soft link":
            file[name] = h5py.SoftLink("/nowhere/at/all")
        elif kind == "virtual":
            layout = h5py.VirtualLayout(HEAD.shape, HEAD.dtype)
            layout[:] = h5py.VirtualSource(str(other), "x", HEAD.shape)
            file.create_virtual_dataset(name, layout)
        else:
            file.create_dataset(name, HEAD.shape, HEAD.dtype, external=[(str(raw), 0, HEAD.nbytes)])
    with pytest.raises(ModelError, match="head"):
        keras.read(path, (6, 5))


@pytest.mark.parametrize(
    ("member", "data"),
    [
        ("config.json", b"{"),
        ("config.json", b"[1]"),
        ("config.json", b"[" * 5000),
        ("config.json", b'{"class_name": "Functional", "config": {}}'),
        ("metadata.json", b"no json"),
        ("model.weights.h5", b"no hdf5"),
        ("model.weights.h5", b""),
    ],
)
def test_damage_inside_an_archive_is_told(member: str, data: bytes, tmp_path: Path) -> None:
    path = write_archive(tmp_path / "net.keras", net(3), FOLDERS)
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, old in held.items():
            archive.writestr(name, data if name == member else old)
    with pytest.raises(ModelError, match="net.keras"):
        keras.read(path, (6, 5))


def test_an_archive_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "net.keras", net(3), FOLDERS)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.getinfo("config.json").file_size = 1 << 40
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (32 << 20))
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(ModelError, match="larger than 16 MiB"):
        keras.read(tmp_path / "bomb.keras", (6, 5))


@pytest.mark.parametrize(
    "data", [b"", b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"\x80\x04cos\nsystem\n(S'x'\ntR."]
)
def test_what_is_no_keras_file_is_told(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.h5").write_bytes(data)
    with pytest.raises(ModelError, match=r"net\.h5"):
        keras.read(tmp_path / "net.h5", (6, 5))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    return (
        write_hdf5(folder / "net.h5", 2, net(), LAYERS).read_bytes(),
        write_archive(folder / "net.keras", net(3), FOLDERS).read_bytes(),
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flipped_and_lost_bytes_end_in_an_answer_or_one_line(
    whole: tuple[bytes, bytes], tmp_path: Path, data: st.DataObject
) -> None:
    held = bytearray(whole[data.draw(st.integers(0, 1))])
    for at in data.draw(st.lists(st.integers(0, len(held) - 1), max_size=4)):
        held[at] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "net.h5"
    path.write_bytes(held[: data.draw(st.integers(len(held) // 2, len(held)))])
    assert "\n" not in refusal(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON, data=st.data())
def test_any_value_anywhere_in_the_architecture_ends_in_an_answer_or_one_line(
    tmp_path: Path, value: Any, data: st.DataObject
) -> None:
    told = net()
    place: Any = told
    while True:
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.integers(0, 3)) == 0:
            break
        place = place[key]
    place[key] = value
    path = write_hdf5(tmp_path / "net.h5", 2, told, LAYERS)
    assert "\n" not in refusal(path)


def test_a_pickle_in_an_attribute_is_never_loaded(tmp_path: Path) -> None:
    path, mark = saved(tmp_path), tmp_path / "ran"
    with h5py.File(path, "a") as file:
        file.attrs["training_config"] = np.void(b"cos\nsystem\n(S'touch %s'\ntR." % os.fsencode(mark))
    np.testing.assert_allclose(answer(path), expected(), rtol=1e-5, atol=1e-6)
    assert not mark.exists()


def test_functions_of_tensorflow_between_layers(tmp_path: Path) -> None:
    """As ``preprocess_input`` leaves them: x / 127.5 - 1, and a step that casts."""
    layers: Layers = (
        ("scaled", "TFOpLambda", {"function": "math.truediv"}, ["in"], []),
        ("moved", "TFOpLambda", {"function": "math.subtract"}, ["scaled"], []),
        *(
            (name, kind, config, [takes[0].replace("in", "moved")], held)
            for name, kind, config, takes, held in LAYERS[:1]
        ),
        *LAYERS[1:],
    )
    architecture = functional(2, {"in": SHAPE}, layers)
    entries = architecture["config"]["layers"]
    entries[1]["inbound_nodes"] = [["in", 0, 0, {"y": 2.0, "name": None}]]
    entries[2]["inbound_nodes"] = [["scaled", 0, 0, {"y": 1.0, "name": None}]]
    found = answer(write_hdf5(tmp_path / "net.h5", 2, architecture, layers))
    mean = PICTURE[0] / 2 - 1
    maps = np.array(
        [[np.tensordot(mean[y : y + 3, x : x + 3], KERNEL, 3) + BIAS for x in range(3)] for y in range(4)]
    )
    np.testing.assert_allclose(found, maps.mean(axis=(0, 1)) @ HEAD, rtol=1e-5, atol=1e-5)


@pytest.mark.shared
def test_strangers_files_give_what_their_readme_says(shared: Path) -> None:
    """The two archives are saved from the same network as the HDF5 file."""
    folder, name = shared / "data/keras", "mobilenet_v1_025_96_flowers_fft"
    pictures = np.random.default_rng(0).uniform(-1, 1, (1, 3, 96, 96)).astype(np.float32)
    answers = []
    for file in (f"{name}.h5", f"{name}_keras2.keras", f"{name}_keras3.keras"):
        session = onnxruntime.InferenceSession(keras.read(folder / file, (96, 96)).proto.SerializeToString())
        answers.append(session.run(None, {session.get_inputs()[0].name: pictures})[0])
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-5)
    np.testing.assert_allclose(answers[2], answers[0], atol=1e-5)


def test_the_text_of_a_file_is_shown_on_one_line(tmp_path: Path) -> None:
    def edit(told: dict[str, Any]) -> None:
        text = (
            json.dumps(told)
            .replace('"pool"', '"po\\u001b[31mol\\nx"')
            .replace('"GlobalAveragePooling2D"', '"Odd\\u0000"')
        )
        told.clear()
        told.update(json.loads(text))

    with pytest.raises(ModelError) as refused:
        keras.read(saved(tmp_path, edit), (6, 5))
    assert not {"\n", "\x1b", "\x00"} & set(str(refused.value))
