"""Half and double precision and bytes become float32; ONNX Runtime, or onnx's reference, runs the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from edgenet.errors import ModelError
from edgenet.verify.reference import Reference
from tests.original.files import CLASSIFIER, WEIGHTS, load, network, node, random, run

HALF, DOUBLE = TensorProto.FLOAT16, TensorProto.DOUBLE
KINDS = {HALF: np.float16, DOUBLE: np.float64}


@pytest.mark.parametrize(("kind", "tolerance"), [(HALF, 1e-2), (DOUBLE, 1e-5)])
@pytest.mark.parametrize("keep_io_types", [False, True])
def test_other_precisions(tmp_path: Path, kind: int, tolerance: float, keep_io_types: bool) -> None:
    """With ``keep_io_types`` a converter casts at both ends and leaves them float32."""
    nodes, ends = list(CLASSIFIER), kind
    if keep_io_types:
        ends = TensorProto.FLOAT
        nodes[0] = node("Conv", ["x16", "w", "b"], ["c"], pads=[1] * 4)
        nodes[4] = node("Gemm", ["f", "d", "e"], ["y16"])
        nodes = [
            node("Cast", ["x"], ["x16"], to=kind),
            *nodes,
            node("Cast", ["y16"], ["y"], to=TensorProto.FLOAT),
        ]
    held = {name: value.astype(KINDS[kind]) for name, value in WEIGHTS.items()}
    proto = network(nodes, held, kind=ends, out=ends)
    model = load(tmp_path, proto)
    assert "Cast" not in {item.op_type for item in model.proto.graph.node}
    assert {item.data_type for item in model.proto.graph.initializer} == {TensorProto.FLOAT}
    value = random(1, 3, 16, 12)
    feed = value if keep_io_types else value.astype(KINDS[kind])
    expected = ReferenceEvaluator(proto).run(None, {"x": feed})[0].astype(np.float64)
    assert np.abs(run(model.proto, value) - expected).max() <= tolerance * np.ptp(expected)


def test_numbers_inside_nodes_too(tmp_path: Path) -> None:
    constant = node("Constant", [], ["two"], value=helper.make_tensor("t", HALF, [], [2.0]))
    nodes = [constant, *CLASSIFIER[:4], node("Mul", ["f", "two"], ["y"])]
    held = {name: WEIGHTS[name].astype(np.float16) for name in ("w", "b")}
    model = load(tmp_path, network(nodes, held, kind=HALF, out=HALF))
    plain = load(tmp_path, network([*CLASSIFIER[:4], node("Add", ["f", "f"], ["y"])]))
    value = random(1, 3, 16, 12)
    assert np.allclose(run(model.proto, value), run(plain.proto, value), atol=1e-2)


def test_a_weight_beyond_float32_is_refused(tmp_path: Path) -> None:
    held = {name: value.astype(np.float64) for name, value in WEIGHTS.items()}
    held["e"][0] = 1e300
    with pytest.raises(ModelError, match="'e' has NaN or infinity"):
        load(tmp_path, network(weights=held, kind=DOUBLE, out=DOUBLE))


@pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.INT32])
def test_bytes_are_taken_as_numbers(tmp_path: Path, kind: int) -> None:
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
        node("Cast", ["t"], ["f32"], to=TensorProto.FLOAT),
        node("Conv", ["f32", "w", "b"], ["c"], pads=[1] * 4),
        *CLASSIFIER[1:],
    ]
    proto = network(nodes, shape=(1, 16, 12, 3), kind=kind)
    model = load(tmp_path, proto, 0, 1)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 16, 12, 3), dtype=np.uint8)
    given = pixels.astype(helper.tensor_dtype_to_np_dtype(kind))
    expected = run(proto, given)
    assert np.allclose(run(model.proto, pixels.astype(np.float32)), expected, rtol=1e-5, atol=1e-4)
    answer = Reference(model.proto, model.preprocessing, model.task).run(pixels)
    assert np.allclose(answer, expected[0], rtol=1e-5, atol=1e-4)


def test_signed_bytes_are_pixels_minus_128(tmp_path: Path) -> None:
    nodes = [node("Cast", ["x"], ["f32"], to=1), node("Conv", ["f32", "w", "b"], ["c"]), *CLASSIFIER[1:]]
    proto = network(nodes, kind=TensorProto.INT8)
    assert load(tmp_path, proto, 128, 1).proto.graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT
    with pytest.raises(ModelError, match="int8, which the card's mean and std do not make"):
        load(tmp_path, proto, 0, 1)


def test_bytes_and_a_card_that_makes_fractions_contradict_each_other(tmp_path: Path) -> None:
    nodes = [node("Cast", ["x"], ["f32"], to=1), node("Conv", ["f32", "w", "b"], ["c"]), *CLASSIFIER[1:]]
    with pytest.raises(ModelError, match=r"takes uint8.*write mean = \[0, 0, 0\]"):
        load(tmp_path, network(nodes, kind=TensorProto.UINT8))


def test_whole_numbers_that_are_computed_with_are_refused(tmp_path: Path) -> None:
    """They wrap around, floats would not."""
    nodes = [
        node("Add", ["x", "x"], ["z"], name="twice"),
        node("Cast", ["z"], ["f32"], to=1),
        node("Conv", ["f32", "w", "b"], ["c"]),
        *CLASSIFIER[1:],
    ]
    with pytest.raises(ModelError, match=r"Add 'twice' computes with the input's uint8.*float32 input"):
        load(tmp_path, network(nodes, kind=TensorProto.UINT8), 0, 1)
