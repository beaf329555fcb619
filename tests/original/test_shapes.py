"""Batches, free sizes and answers with other axes: the file itself, run by ONNX Runtime, is the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from edgenet.errors import ModelError
from tests.original.files import CLASSIFIER, WEIGHTS, keeps, load, network, node, random, signature

NHWC = (
    node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]),
    node("Conv", ["t", "w", "b"], ["c"]),
    *CLASSIFIER[1:],
)


@pytest.mark.parametrize("batch", [1, 2, 8, None, "N", -1])
@pytest.mark.parametrize("sides", [(16, 12), (None, None), ("h", "w"), (16, "w")])
def test_one_picture_of_the_cards_size(
    tmp_path: Path, batch: int | str | None, sides: tuple[int, int]
) -> None:
    first = None if batch == -1 else batch
    proto = network(shape=(first, 3, *sides))
    model = load(tmp_path, proto)
    assert signature(model) == ([1, 3, 16, 12], [1, 5])
    keeps(
        proto, model, np.repeat(random(1, 3, 16, 12), batch if isinstance(batch, int) and batch > 0 else 1, 0)
    )


@pytest.mark.parametrize("shape", [(None, None, None, 3), (None, None, None, None), (4, 16, 12, 3)])
def test_the_same_in_nhwc(tmp_path: Path, shape: tuple[int | None, ...]) -> None:
    proto = network(NHWC, shape=shape)
    model = load(tmp_path, proto)
    assert signature(model) == ([1, 16, 12, 3], [1, 5])
    keeps(proto, model, np.repeat(random(1, 16, 12, 3), shape[0] or 1, 0))


def test_without_any_size_the_first_convolution_says_where_colors_are(tmp_path: Path) -> None:
    assert signature(load(tmp_path, network(shape=(None,) * 4)))[0] == [1, 3, 16, 12]


@pytest.mark.parametrize("constant", ["weight", "node", "ints"])
def test_shapes_inside_follow_the_batch(tmp_path: Path, constant: str) -> None:
    made = {
        "node": node("Constant", [], ["s"], value=helper.make_tensor("s", 7, [2], [8, -1])),
        "ints": node("Constant", [], ["s"], value_ints=[8, -1]),
    }
    nodes = [*CLASSIFIER[:3], node("Reshape", ["p", "s"], ["f"]), CLASSIFIER[4]]
    if constant in made:
        nodes.insert(0, made[constant])
    held = WEIGHTS | ({"s": np.array([8, 4], np.int64)} if constant == "weight" else {})
    proto = network(nodes, held, (8, 3, 16, 12))
    model = load(tmp_path, proto)
    assert signature(model)[1] == [1, 5]
    keeps(proto, model, np.repeat(random(1, 3, 16, 12), 8, 0))


def test_several_shapes_inside_follow_the_batch(tmp_path: Path) -> None:
    nodes = [
        *CLASSIFIER[:3],
        node("Reshape", ["p", "s"], ["q"]),
        node("Expand", ["q", "s"], ["a"]),
        node("Reshape", ["a", "t"], ["f"]),
        CLASSIFIER[4],
    ]
    held = WEIGHTS | {"s": np.array([8, 4, 1, 1], np.int64), "t": np.array([0, 4], np.int64)}
    proto = network(nodes, held, (8, 3, 16, 12))
    keeps(proto, load(tmp_path, proto), np.repeat(random(1, 3, 16, 12), 8, 0))


def test_a_batch_that_is_folded_into_other_axes_is_refused(tmp_path: Path) -> None:
    nodes = [node("Reshape", ["x", "s"], ["q"]), node("Flatten", ["q"], ["y"])]
    proto = network(nodes, {"s": np.array([24, 16, 12], np.int64)}, (8, 3, 16, 12))
    with pytest.raises(ModelError, match="shapes do not fit|output of"):
        load(tmp_path, proto)


@pytest.mark.parametrize(
    ("last", "held"),
    [
        (node("Conv", ["p", "k"], ["y"]), {}),
        (node("Squeeze", ["g"], ["y"]), {}),
        (node("Reshape", ["g", "s"], ["y"]), {"s": np.array([1, 1, 1, 5], np.int64)}),
        (node("Reshape", ["g", "s"], ["y"]), {"s": np.array([1, 5, 1], np.int64)}),
        (node("Reshape", ["g", "s"], ["y"]), {"s": np.array([5], np.int64)}),
        (node("Reshape", ["g", "s"], ["y"]), {"s": np.array([5, 1], np.int64)}),
    ],
    ids=["1x5x1x1", "squeezed", "1x1x1x5", "1x5x1", "5", "5x1"],
)
def test_one_row_of_answers(tmp_path: Path, last: object, held: dict[str, np.ndarray]) -> None:
    nodes = [*CLASSIFIER[:4], node("Gemm", ["f", "d", "e"], ["g"]), last]
    proto = network(nodes, WEIGHTS | {"k": random(5, 4, 1, 1)} | held)
    model = load(tmp_path, proto)
    assert signature(model)[1] == [1, 5]
    keeps(proto, model, random(1, 3, 16, 12))


def test_answers_for_every_pixel_are_no_row(tmp_path: Path) -> None:
    proto = network([node("Conv", ["x", "w", "b"], ["y"], name="mask")])
    with pytest.raises(ModelError, match="'mask' is 1x4x14x10, a map and no row.*global pooling"):
        load(tmp_path, proto)


def test_weights_that_are_listed_as_inputs_are_none(tmp_path: Path) -> None:
    proto = network(ir=3)
    assert len(proto.graph.input) == 5
    model = load(tmp_path, proto)
    assert [item.name for item in model.proto.graph.input] == ["x"]
    keeps(network(), model, random(1, 3, 16, 12))


def test_inputs_that_nobody_reads_are_none(tmp_path: Path) -> None:
    """Keras's exporter leaves the constants of layers that it folded."""
    proto = network()
    proto.graph.input.append(helper.make_tensor_value_info("norm/y:0", 1, [1, 1, 1, 3]))
    assert [item.name for item in load(tmp_path, proto).proto.graph.input] == ["x"]


@pytest.mark.parametrize(
    ("shape", "words"), [((1, 1, 1, 3), "lost: leave that layer"), ((1, 3, 8, 8), "image input only")]
)
def test_a_second_input_is_named_with_its_reader(tmp_path: Path, shape: list[int], words: str) -> None:
    nodes = [*CLASSIFIER[:4], node("ReduceSum", ["z"], ["s"], name="sum"), node("Mul", ["f", "s"], ["y"])]
    proto = network(nodes)
    proto.graph.input.append(helper.make_tensor_value_info("z", 1, shape))
    with pytest.raises(ModelError, match=f"2 inputs, one was expected; ReduceSum 'sum' reads 'z'.*{words}"):
        load(tmp_path, proto)
