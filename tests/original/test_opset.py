"""Operator sets before 11 and behind 23."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx.defs import onnx_opset_version

from edgenet.errors import ModelError
from tests.original.files import CLASSIFIER, WEIGHTS, keeps, load, network, node, random

NORM = {name: random(4, seed=at) ** 2 + 1 for at, name in enumerate(("g", "o", "m", "v"))}


@pytest.mark.parametrize("opset", [7, 8, 9, 10])
@pytest.mark.parametrize("ir", [3, 4])
def test_old_sets_are_converted(tmp_path: Path, opset: int, ir: int) -> None:
    """Clip has attributes there, and Pad its pads."""
    nodes = [
        node("Pad", ["x"], ["q"], pads=[0, 0, 1, 0, 0, 0, 2, 1]),
        node("Conv", ["q", "w", "b"], ["c"], name="conv"),
        node("BatchNormalization", ["c", "g", "o", "m", "v"], ["n"]),
        node("Clip", ["n"], ["r"], min=0.0, max=6.0),
        *CLASSIFIER[2:],
    ]
    proto = network(nodes, WEIGHTS | NORM, opset=opset, ir=ir)
    model = load(tmp_path, proto)
    assert "conv" in {item.name for item in model.proto.graph.node}
    keeps(proto, model, random(1, 3, 16, 12))


@pytest.mark.parametrize("opset", [24, 25])
def test_new_sets_are_declared_to_be_an_older_one(tmp_path: Path, opset: int) -> None:
    proto = network(opset=opset, ir=10)
    model = load(tmp_path, proto)
    assert model.proto.opset_import[0].version == 23
    keeps(proto, model, random(1, 3, 16, 12))


def test_an_operator_that_older_sets_do_not_have_is_named(tmp_path: Path) -> None:
    nodes = [*CLASSIFIER[:4], node("Swish", ["f"], ["y"], name="swish")]
    with pytest.raises(
        ModelError, match=r"Swish 'swish' has another form in opset 24 than in 23.*opset_version=23"
    ):
        load(tmp_path, network(nodes, opset=24, ir=10))


def test_the_newest_file_format_is_read(tmp_path: Path) -> None:
    proto = network(opset=onnx_opset_version(), ir=13)
    assert load(tmp_path, proto).proto.ir_version == 10


def test_a_set_that_cannot_be_converted_says_so(tmp_path: Path) -> None:
    """One normalization for each pixel has no form in newer sets."""
    names = ("g", "o", "m", "v")
    norm = node("BatchNormalization", ["x", *names], ["n"], spatial=0)
    nodes = [norm, node("Conv", ["n", "w", "b"], ["c"]), *CLASSIFIER[1:]]
    held = WEIGHTS | {name: random(3, 16, 12) for name in names}
    with pytest.raises(ModelError, match="cannot be brought to opset 11.*opset_version=13"):
        load(tmp_path, network(nodes, held, opset=7))
