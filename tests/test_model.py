"""Reading models: what is accepted, and that every refusal names the thing and the remedy."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgenet.card import read_card
from edgenet.errors import ModelError
from edgenet.model import Model, is_quantized, read_labels
from edgenet.steps.source import comes_quantized, read_quantized
from tests.conftest import CARD, CLASSES


def write(folder: Path, proto: onnx.ModelProto, card: str | None = CARD) -> Path:
    path = folder / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    if card is not None:
        path.with_suffix(".toml").write_text(card)
    return path


def network(shape: list[int | str], opset: int = 13, kind: int = TensorProto.FLOAT) -> onnx.ModelProto:
    """A pooling classifier of three classes."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["p"]),
        helper.make_node("Flatten", ["p"], ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, None])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def test_a_good_model(model: Model) -> None:
    assert (model.name, model.classes, model.precision) == ("tiny", CLASSES, "fp32")
    assert model.preprocessing.size == (64, 64)
    assert len(model.digest) == 64


def stored(folder: Path, proto: onnx.ModelProto, weights: str) -> str:
    """The digest of a model whose weights are stored in one of the ways that ONNX knows."""
    folder.mkdir()
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    if weights == "numbers":
        for item in copy.graph.initializer:
            values = onnx.numpy_helper.to_array(item)
            if values.dtype == np.float32:
                item.ClearField("raw_data")
                item.float_data.extend(values.ravel().tolist())
    path = write(folder, copy)
    if weights == "beside":
        onnx.save(copy, path, save_as_external_data=True, location="m.onnx.data", size_threshold=0)
        assert (folder / "m.onnx.data").stat().st_size > 100_000
    return Model.load(path).digest


def test_two_trainings_have_two_digests_however_their_weights_are_stored(
    tmp_path: Path, model_file: Path
) -> None:
    """The same graph with other weights beside it is another model; the same weights inside it are not."""
    first = onnx.load(model_file)
    second = onnx.ModelProto()
    second.CopyFrom(first)
    kernel = next(item for item in second.graph.initializer if len(item.dims) == 4)
    values = onnx.numpy_helper.to_array(kernel).copy()
    values.flat[0] += 1e-3
    kernel.CopyFrom(onnx.numpy_helper.from_array(values, kernel.name))
    ways = ("inside", "beside", "numbers")
    one, other = (
        {stored(tmp_path / f"{name}-{way}", proto, way) for way in ways}
        for name, proto in (("one", first), ("other", second))
    )
    assert len(one) == len(other) == 1
    assert one != other
    assert (tmp_path / "one-beside/m.onnx").read_bytes() == (tmp_path / "other-beside/m.onnx").read_bytes()


def test_a_free_batch_size_becomes_one(tmp_path: Path) -> None:
    model = Model.load(write(tmp_path, network(["N", 3, 64, 64])))
    assert [d.dim_value for d in model.proto.graph.input[0].type.tensor_type.shape.dim] == [1, 3, 64, 64]
    assert model.classes == 3


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ([1, 3, 32, 32], ["1x3x32x32", "1x3x64x64", "size"]),
        ([1, 1, 64, 64], ["1x1x64x64", "1x3x64x64"]),
        ([3, 64], ["3x64"]),
    ],
)
def test_wrong_input_shapes(tmp_path: Path, shape: list[int | str], words: list[str]) -> None:
    proto = network(shape)
    if len(shape) != 4:
        proto.graph.node[0].op_type = "Identity"
    with pytest.raises(ModelError) as caught:
        Model.load(write(tmp_path, proto))
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("opset", [6, 99])
def test_wrong_opset(tmp_path: Path, opset: int) -> None:
    with pytest.raises(ModelError, match=f"opset {opset} is outside 7 to .*opset_version"):
        Model.load(write(tmp_path, network([1, 3, 64, 64], opset)))


@pytest.mark.parametrize("cut", [0, 1, 100, -10])
def test_not_onnx_or_truncated(tmp_path: Path, model_file: Path, cut: int) -> None:
    path = write(tmp_path, network([1, 3, 64, 64]))
    path.write_bytes(model_file.read_bytes()[:cut])
    with pytest.raises(ModelError, match=r"m\.onnx: not"):
        Model.load(path)


def test_text_is_not_onnx(tmp_path: Path) -> None:
    path = write(tmp_path, network([1, 3, 64, 64]))
    path.write_text("hello, I am no model at all\n" * 20)
    with pytest.raises(ModelError, match="not an ONNX"):
        Model.load(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Model.load(tmp_path / "none.onnx")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
@pytest.mark.parametrize("name", ["m.onnx", "m.h5", "m.keras", "m.tflite", "m.pt2"])
def test_what_would_wait_or_never_end_is_not_opened(name: str, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(CARD)
    os.mkfifo(tmp_path / name)
    with pytest.raises(ModelError, match=r"cannot be read \(a FIFO, not a file\)"):
        Model.load(tmp_path / name)
    assert not comes_quantized(tmp_path / name)
    assert read_quantized(tmp_path / name) is None
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/dev/zero")
    with pytest.raises(ModelError, match=r"cannot be read \(a device, not a file\)"):
        Model.load(tmp_path / name)


def test_no_preprocessing_is_never_guessed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"how to feed this model is not known.*run edgenet init"):
        Model.load(write(tmp_path, network([1, 3, 64, 64]), None))


def test_a_model_that_comes_quantized_is_int8(tmp_path: Path) -> None:
    proto = network([1, 3, 64, 64])
    assert not is_quantized(proto)
    assert Model.load(write(tmp_path, proto)).precision == "fp32"
    node = helper.make_node("DequantizeLinear", ["a", "s"], ["b"])
    proto.graph.node.insert(0, node)
    for name, value in (("a", np.int8(1)), ("s", np.float32(1))):
        proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value), name))
    assert is_quantized(proto)
    assert Model.load(write(tmp_path, proto)).precision == "int8"


def test_labels_of_another_length(tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_text("a\nb\n")
    with pytest.raises(ModelError, match="2 labels for 3 classes"):
        Model.load(write(tmp_path, network([1, 3, 64, 64])), labels=names)


def test_label_offset_counts_the_background(tmp_path: Path) -> None:
    names = tmp_path / "labels.txt"
    names.write_text("a\nb\n")
    card = CARD.replace('output = "logits"', 'output = "logits"\nlabel_offset = 1')
    assert Model.load(write(tmp_path, network([1, 3, 64, 64]), card), labels=names).labels == ("a", "b")


def test_labels_from_csv(tmp_path: Path) -> None:
    table = tmp_path / "classes.csv"
    table.write_text('class_index,wnid,name\n0,n1,"tench, fish"\n1,n2,goldfish\n')
    assert read_labels(table) == ("tench, fish", "goldfish")
    table.write_text("class_index,name\n0,a\n2,b\n")
    with pytest.raises(ModelError, match="not 0 to 1"):
        read_labels(table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("std = [127.5, 127.5, 127.5]", "std = [0, 1, 1]"), "std must be positive"),
        (("mean = [127.5, 127.5, 127.5]", "mean = [1, 2]"), "mean must be 3 numbers"),
        (("mean = [127.5, 127.5, 127.5]", "mean = [nan, 2, 3]"), "mean must be finite"),
        (('color = "rgb"', 'color = "gbr"'), "gbr"),
        (("size = [64, 64]", "size = [64.5, 64]"), "integers"),
        (("resize_to = 72", "resize_to = 60"), "resize_to = 60"),
        (("resize_to = 72", ""), "no 'resize_to'"),
        (('interpolation = "bilinear-antialias"', ""), "no 'interpolation'"),
        (('color = "rgb"', 'color = "rgb"\ncolour = "rgb"'), "does not know 'colour'"),
        (('task = "classification"', 'task = "segmentation"'), "segmentation"),
        (('output = "logits"', 'output = "scores"'), "scores"),
        (("[preprocessing]", "[pre]"), "no \\[preprocessing\\] table"),
        (("[preprocessing]", "[preprocesing]"), "in place of 'preprocesing'"),
        (("task =", "task = ="), "not valid TOML"),
    ],
)
def test_bad_cards_name_the_key(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = tmp_path / "card.toml"
    path.write_text(CARD.replace(*change))
    with pytest.raises(ModelError, match=message):
        read_card(path)


def test_card_survives_a_round_trip(tmp_path: Path, model: Model) -> None:
    from edgenet.preprocessing import Preprocessing

    assert Preprocessing.from_table(model.preprocessing.to_table(), "x") == model.preprocessing


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_cards_of_every_editor_are_read(tmp_path: Path, encoding: str, end: str) -> None:
    path = write(tmp_path, network([1, 3, 64, 64]))
    wanted = Model.load(path).preprocessing
    path.with_suffix(".toml").write_bytes(CARD.replace("\n", end).encode(encoding))
    assert Model.load(path).preprocessing == wanted


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("a = " + "[" * 100_000, "not valid TOML"),
        ("label_offset = " + "9" * 5000, "not valid TOML"),
        (CARD.replace("output", 'labels = ["a", "", "c"]\noutput', 1), "class 1 has no name"),
        (CARD.replace("output", 'labels = ["a", "\\u001b[2J", "c"]\noutput', 1), "class 1.*not printable"),
        (CARD + "\0", "a NUL"),
        (CARD.encode() + b"# \xe9", "byte 0xe9 is not UTF-8"),
    ],
)
def test_cards_that_no_editor_wrote_are_refused(tmp_path: Path, card: str | bytes, message: str) -> None:
    path = write(tmp_path, network([1, 3, 64, 64]))
    path.with_suffix(".toml").write_bytes(card if isinstance(card, bytes) else card.encode())
    with pytest.raises(ModelError, match=message):
        Model.load(path)
