"""Any mixture of signatures, precisions and operator sets; onnx's reference runs the file."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import NodeProto, TensorProto
from onnx.reference import ReferenceEvaluator

from edgenet.original.settle import settled
from tests.original.files import CLASSIFIER, WEIGHTS, load, network, node, random, run

KINDS = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16, TensorProto.DOUBLE: np.float64}
SIDES = st.sampled_from([(16, 12), (None, None), ("h", 12), (16, "w")])


def ending(kind: str, batch: int) -> list[NodeProto]:
    """The dense layer, and the answers with other axes."""
    last = {
        "row": [],
        "pixel": [node("Unsqueeze", ["z"], ["y"], axes=[2, 3])],
        "flat": [node("Squeeze", ["z"], ["y"], axes=[0])] if batch == 1 else [],
    }[kind]
    return [node("Gemm", ["f", "d", "e"], ["z" if last else "y"]), *last]


@settings(max_examples=60)
@given(
    batch=st.sampled_from([1, 2, 8, None, "n"]),
    sides=SIDES,
    nhwc=st.booleans(),
    kind=st.sampled_from(list(KINDS)),
    opset=st.sampled_from([7, 9, 11, 12]),
    ir=st.sampled_from([3, 6, 8]),
    last=st.sampled_from(["row", "pixel", "flat"]),
)
def test_what_is_read_answers_as_the_file(
    batch: int | str | None,
    sides: tuple[int | str | None, ...],
    nhwc: bool,
    kind: int,
    opset: int,
    ir: int,
    last: str,
) -> None:
    nodes = [*CLASSIFIER[1:4], *ending(last, batch if isinstance(batch, int) else 2)]
    source = "t" if nhwc else "x"
    first = node("Conv", [source, "w", "b"], ["c"], name="conv", pads=[1] * 4)
    turn = [node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])] if nhwc else []
    held = {name: value.astype(KINDS[kind]) for name, value in WEIGHTS.items()}
    shape = (batch, *sides, 3) if nhwc else (batch, 3, *sides)
    proto = network([*turn, first, *nodes], held, shape, kind, kind, opset, ir)
    value = random(1, 16, 12, 3) if nhwc else random(1, 3, 16, 12)
    many = np.repeat(value, batch if isinstance(batch, int) else 2, axis=0).astype(KINDS[kind])
    expected = ReferenceEvaluator(proto).run(None, {"x": many})[0].astype(np.float64).reshape(-1)[:5]
    with tempfile.TemporaryDirectory() as folder:
        model = load(Path(folder), proto)
    got = run(model.proto, value)
    assert got.shape == (1, 5)
    slack = 2e-2 if kind == TensorProto.FLOAT16 else 1e-5
    assert np.abs(got[0] - expected).max() <= slack * np.ptp(expected)


def test_what_was_read_is_in_that_form_already(tmp_path: Path) -> None:
    """A bundle carries it, and reads it again."""
    held = {name: value.astype(np.float16) for name, value in WEIGHTS.items()}
    nodes = [*CLASSIFIER[:4], *ending("flat", 1)]
    proto = network(nodes, held, kind=TensorProto.FLOAT16, out=TensorProto.FLOAT16, opset=9)
    model = load(tmp_path, proto)
    before = model.proto.SerializeToString(deterministic=True)
    again = settled(model.proto, model.preprocessing, Path("again"))
    assert again.SerializeToString(deterministic=True) == before
