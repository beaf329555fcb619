"""Detectors from Keras and TFLite: branches that read shapes alone, several outputs, constants among them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from ai_edge_litert.interpreter import Interpreter
from onnx.reference import ReferenceEvaluator

from edgenet.backends.lowering.file import Quantization
from edgenet.errors import ModelError
from edgenet.graph.evaluate import Evaluator
from edgenet.imageset import ImageSet
from edgenet.importers.tflite_file.constants import SMALL
from edgenet.model import Model
from edgenet.verify.reference import Reference
from tests.importers.keras_files import L, placeholder, read, write
from tests.importers.tflite_file.nets import Net, imported

DATA = Path(os.environ.get("EDGENET_SHARED", "../shared")) / "data" / "detection"
there = pytest.mark.skipif(not DATA.is_dir(), reason="no strangers' files: set EDGENET_SHARED")
RNG = np.random.default_rng(4)


def conv(name: str, source: str, channels: int, before: int) -> L:
    config = {
        "filters": channels, "kernel_size": [1, 1], "strides": [1, 1], "padding": "same",
        "dilation_rate": [1, 1], "groups": 1, "activation": "linear", "use_bias": True,
    }  # fmt: skip
    kernel = RNG.normal(size=(1, 1, before, channels)).astype(np.float32)
    return L("Conv2D", name, (source,), config, {"kernel": kernel, "bias": np.zeros(channels, np.float32)})


def detector(*more: L) -> tuple[L, ...]:
    """Scores and boxes of 16 anchors, and a branch that lays out anchors from the shape of a map."""
    rows = [L("Reshape", f"{name}_rows", (name,), {"target_shape": [16, side]}) for name, side in HEADS]
    return (
        placeholder(4, 4, 3), conv("boxes", "pixels", 4, 3), conv("scores", "pixels", 2, 3), *rows,
        L("Activation", "probabilities", ("scores_rows",), {"activation": "softmax"}),
        L("TFOpLambda", "tf.compat.v1.shape", ("boxes",), {"function": "compat.v1.shape"}),
        L("SlicingOpLambda", "getitem", ("tf.compat.v1.shape",), {"function": "__operators__.getitem"}),
        L("TFOpLambda", "tf.tile", ("getitem",), {"function": "tile"}), *more,
    )  # fmt: skip


HEADS = (("boxes", 4), ("scores", 2))


@pytest.mark.parametrize("ends", [("probabilities", "boxes_rows", "tf.tile"), ("tf.tile", "boxes_rows")])
def test_a_branch_of_shapes_is_not_read_and_keeps_its_number(tmp_path: Path, ends: tuple[str, ...]) -> None:
    proto = read(write(tmp_path / "m", detector(), "2.h5", ends=ends)).proto
    assert [item.name for item in proto.graph.output] == list(ends)
    unread = [node for node in proto.graph.node if node.domain == "keras"]
    assert [(node.op_type, node.output[0]) for node in unread] == [("TFOpLambda", "tf.tile")]


def test_a_branch_that_reads_numbers_is_refused_whatever_it_is_called(tmp_path: Path) -> None:
    """Dropped is what depends on shapes; this depends on the picture."""
    tile = L("TFOpLambda", "anchors", ("boxes",), {"function": "tile"})
    path = write(tmp_path / "m", detector(tile), "2.h5", ends=["probabilities", "anchors"])
    with pytest.raises(ModelError, match=r"layer 'anchors' \(TFOpLambda\) calls tile"):
        read(path)


def test_one_output_of_shapes_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="compat"):
        read(write(tmp_path / "m", detector(), "2.h5", ends=["tf.tile"]))


def test_an_output_given_twice_is_two(tmp_path: Path) -> None:
    proto = read(write(tmp_path / "m", detector(), "2.h5", ends=["boxes_rows", "boxes_rows"])).proto
    onnx.checker.check_model(proto)
    first, second = ReferenceEvaluator(proto).run(None, {"pixels": np.ones((1, 3, 4, 4), np.float32)})
    np.testing.assert_array_equal(first, second)


def test_constant_outputs_are_what_litert_gives() -> None:
    """Bytes with a scale that are tiled and joined."""
    net = Net()
    data = constant_outputs(net)
    proto = imported(data).proto
    interpreter = Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    picture = np.ones((1, 7, 6, 3), np.float32)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture)
    interpreter.invoke()
    theirs = [interpreter.get_tensor(item["index"]) for item in interpreter.get_output_details()]
    names = [item["name"] for item in interpreter.get_output_details()]
    session = Evaluator(proto, optimize=False)
    ours = session.run(np.ascontiguousarray(picture.transpose(0, 3, 1, 2)))
    assert names == [item.name for item in proto.graph.output]
    for name, want in zip(names, theirs, strict=True):
        got = ours[name].transpose(0, 2, 3, 1) if want.ndim == 4 else ours[name]
        np.testing.assert_allclose(got, want, atol=1e-6)


def constant_outputs(net: Net) -> bytes:
    moving = net.op("RELU", [net.picture], (1, 7, 6, 3))
    fine = Quantization("int8", np.array([0.02], np.float32), 3)
    whole = {"dtype": "int8"}
    values = net.constant(RNG.integers(-128, 128, (2, 4)).astype(np.int8), fine)
    others = net.constant(RNG.integers(-50, 50, (3, 4)).astype(np.int8), fine)
    tiled = net.op("TILE", [values, net.whole(3, 1)], (6, 4), ("TileOptions", {}), how=fine, **whole)
    both = net.op(
        "CONCATENATION",
        [tiled, others],
        (9, 4),
        ("ConcatenationOptions", {"axis": 0}),
        2,
        how=fine,
        **whole,
    )
    flat = net.op("RESHAPE", [both, net.whole(1, 9, 4)], (1, 9, 4), ("ReshapeOptions", {}), how=fine, **whole)
    made = net.op("DEQUANTIZE", [flat], (1, 9, 4), version=2)
    return net.to_bytes(made, moving)


def test_what_would_grow_too_large_is_damage() -> None:
    net = Net()
    values = net.constant(np.zeros(4, np.float32))
    tiled = net.op("TILE", [values, net.whole(SMALL)], (4 * SMALL,), ("TileOptions", {}))
    moving = net.op("RELU", [net.picture], (1, 7, 6, 3))
    with pytest.raises(ModelError, match="its constants do not fit"):
        imported(net.to_bytes(tiled, moving))


def loaded(name: str) -> Model:
    path = DATA / "models" / name
    return Model.load(path, path.with_name(f"{path.stem.removesuffix('_int8')}.toml"))


def rows(model: Model, count: int) -> np.ndarray:
    images = ImageSet.load(DATA / "coco_val").head(count)
    network = Reference(model.proto, model.preprocessing, model.task)
    return np.stack([network.run(images.pixels(at, model.preprocessing)) for at in range(count)])


def litert(name: str, scores: int, boxes: int, pictures: list[np.ndarray]) -> np.ndarray:
    interpreter = Interpreter(model_path=str(DATA / "models" / name), num_threads=1)
    interpreter.allocate_tensors()
    entry, ends = interpreter.get_input_details()[0], interpreter.get_output_details()
    made = []
    for picture in pictures:
        interpreter.set_tensor(entry["index"], picture)
        interpreter.invoke()
        parts = [interpreter.get_tensor(ends[at]["index"]).reshape(-1) for at in (scores, boxes)]
        made.append(np.concatenate(parts))
    return np.stack(made)


@there
@pytest.mark.parametrize("name", ["st_ssd_mobilenet_v1_025_192", "st_ssd_mobilenet_v1_025_224"])
def test_a_strangers_keras_detector_is_its_own_integer_twin_but_for_rounding(name: str) -> None:
    """Read from .h5 here, by TensorFlow's converter there."""
    model = loaded(f"{name}.h5")
    images = ImageSet.load(DATA / "coco_val").head(8)
    pictures = [images.pixels(at, model.preprocessing) for at in range(8)]
    ours, theirs = rows(model, 8), litert(f"{name}_int8.tflite", 0, 1, pictures)
    assert (model.output, model.settings["detection"]["activation"]) == ("probabilities", "softmax")
    assert ours.shape == theirs.shape
    scores = 2 * ours.shape[1] // 6
    for part in (slice(0, scores), slice(scores, None)):
        assert np.corrcoef(ours[:, part].ravel(), theirs[:, part].ravel())[0, 1] > 0.95


@there
def test_the_strangers_face_detector_answers_as_in_litert() -> None:
    model = loaded("blazeface_short_range.tflite")
    images = ImageSet.load(DATA / "coco_val").head(4)
    pixels = [images.pixels(at, model.preprocessing) for at in range(4)]
    fed = [(item.astype(np.float32) - 127.5) / np.float32(127.5) for item in pixels]
    theirs = litert("blazeface_short_range.tflite", 1, 0, fed)
    ours = rows(model, 4).astype(np.float64)
    theirs = theirs.astype(np.float64)
    np.testing.assert_allclose(ours[:, 896:], theirs[:, 896:], atol=2e-3)
    np.testing.assert_allclose(
        ours[:, :896], 1 / (1 + np.exp(-np.clip(theirs[:, :896], -100, 100))), atol=1e-5
    )


@there
@pytest.mark.parametrize(
    "name", ["st_ssd_mobilenet_v1_025_192_int8", "ssd_mobilenet_v2_fpnlite_035_192_int8"]
)
def test_a_strangers_integer_detector_keeps_its_scales(name: str) -> None:
    model = loaded(f"{name}.tflite")
    assert model.precision == "int8"
    assert model.settings["detection"]["columns"] == 2
    last = model.proto.graph.node[-1]
    assert (last.op_type, len(model.proto.graph.output)) == ("Concat", 1)
