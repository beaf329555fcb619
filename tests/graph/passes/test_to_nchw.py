"""One layout for graphs from TensorFlow: Transposes vanish, and what is computed stays the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import NodeProto

from edgenet.graph.graph import Graph
from edgenet.graph.passes.to_nchw import to_nchw
from tests.graph.small import answers, graph, inputs, keeps, kinds, node, random, written

FORTH, BACK = [0, 3, 1, 2], [0, 2, 3, 1]
CONV = {"w": random(4, 3, 3, 3), "b": random(4, seed=1)}
NHWC = (1, 6, 5, 3)


def island(
    inside: list[NodeProto], weights: dict[str, Any] | None = None, opset: int = 13, back: bool = True
) -> Graph:
    """Conv → NHWC, ``inside`` from ``a`` to ``z``, back to NCHW → Conv; as tf2onnx leaves it."""
    nodes = [
        node("Transpose", ["x"], ["t"], perm=FORTH),
        node("Conv", ["t", "w", "b"], ["c"], pads=[1, 1, 1, 1]),
        node("Transpose", ["c"], ["a"], perm=BACK),
        *inside,
    ]
    if back:
        nodes += [node("Transpose", ["z"], ["u"], perm=FORTH), node("Conv", ["u", "v"], ["y"])]
    return graph(nodes, CONV | {"v": random(2, 4, 1, 1)} | (weights or {}), NHWC, opset)


def one_layout(small: Graph, left: int = 1) -> None:
    before = small.copy()
    to_nchw(small)
    assert kinds(small)["Transpose"] == left, "only the input's own is left"
    keeps(before, small)


@pytest.mark.parametrize("kind", ["HardSwish", "Relu", "Sigmoid", "Tanh", "Neg"])
def test_pointwise_operators_between_convolutions_are_computed_in_nchw(kind: str) -> None:
    one_layout(island([node(kind, ["a"], ["z"])], opset=14))


@pytest.mark.parametrize("shape", [(4,), (1, 1, 1, 4), (5, 1), (1, 6, 5, 4), (), (1,)])
@pytest.mark.parametrize("kind", ["Add", "Mul", "Sub", "Div"])
def test_constants_are_laid_out_along(kind: str, shape: tuple[int, ...]) -> None:
    one_layout(island([node(kind, ["k", "a"], ["z"])], {"k": random(*shape) + 3}))


def test_a_bound_stays_a_number() -> None:
    bounds = {"lo": np.array(-1.0), "hi": np.array(0.5)}
    one_layout(island([node("Clip", ["a", "lo", "hi"], ["z"])], bounds))


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize("axes", [[1, 2], [-2, -3], [3], [1]])
def test_a_mean_that_keeps_its_axes(opset: int, axes: list[int]) -> None:
    how = {"axes": axes} if opset == 13 else {}
    parts = ["a"] if opset == 13 else ["a", "axes"]
    held = {"axes": np.array(axes, np.int64)} if opset == 18 else {}
    mean = node("ReduceMean", parts, ["m"], keepdims=1, **how)
    one_layout(island([mean, node("Mul", ["a", "m"], ["z"])], held, opset))


def test_a_mean_over_the_picture_gives_channels_in_order() -> None:
    small = island([node("ReduceMean", ["a"], ["y"], axes=[1, 2], keepdims=0)], back=False)
    one_layout(small)
    assert small.shape("y") == (1, 4)


def test_a_gate_made_of_a_vector_is_reshaped_not_transposed() -> None:
    inside = [
        node("ReduceMean", ["a"], ["m"], axes=[1, 2], keepdims=0),
        node("Reshape", ["m", "shape"], ["r"]),
        node("Transpose", ["r"], ["rt"], perm=FORTH),
        node("Conv", ["rt", "g"], ["gc"]),
        node("Transpose", ["gc"], ["gate"], perm=BACK),
        node("Mul", ["gate", "a"], ["z"]),
    ]
    one_layout(island(inside, {"shape": np.array([-1, 1, 1, 4], np.int64), "g": random(4, 4, 1, 1)}))


def test_a_vector_of_channels_broadcasts_over_the_last_axis() -> None:
    inside = [
        node("ReduceMean", ["a"], ["m"], axes=[1, 2], keepdims=0),
        node("Mul", ["a", "m"], ["z"]),
    ]
    one_layout(island(inside))


@pytest.mark.parametrize("axis", [3, -1, 1, 2])
def test_concat_and_split_follow_their_axis(axis: int) -> None:
    sizes = {3: [1, 3], -1: [1, 3], 1: [2, 4], 2: [4, 1]}[axis]
    inside = [
        node("Split", ["a", "sizes"], ["p", "q"], axis=axis),
        node("Relu", ["q"], ["r"]),
        node("Concat", ["r", "p"], ["z"], axis=axis),
    ]
    one_layout(island(inside, {"sizes": np.array(sizes, np.int64)}))


@pytest.mark.parametrize("opset", [13, 18])
def test_pads_follow_their_axes(opset: int) -> None:
    pads = np.array([0, 1, 2, 0, 0, 3, 0, 0], np.int64)
    one_layout(island([node("Pad", ["a", "pads"], ["z"])], {"pads": pads}, opset))


def test_pads_of_chosen_axes_follow_them() -> None:
    held = {"pads": np.array([1, 2], np.int64), "axes": np.array([-2], np.int64)}
    one_layout(island([node("Pad", ["a", "pads", "", "axes"], ["z"])], held, 18))


@pytest.mark.parametrize("axes", [None, [1, 2], [-1, -2]])
def test_slices_follow_their_axes(axes: list[int] | None) -> None:
    count = 4 if axes is None else 2
    held = {"s": np.array([0, 1, 1, 0][:count], np.int64), "e": np.array([1, 5, 4, 4][:count], np.int64)}
    parts = ["a", "s", "e"]
    inside = [node("Slice", parts, ["z"])]
    if axes is not None:
        held |= {"s": np.array([1, 0], np.int64), "e": np.array([4, 4], np.int64)}
        held["axes"] = np.array(axes, np.int64)
        inside = [node("Slice", [*parts, "axes"], ["q"]), node("Relu", ["q"], ["z"])]
    small = island(inside, held, back=axes != [-1, -2])
    if axes == [-1, -2]:
        small = island([node("Slice", [*parts, "axes"], ["y"])], held, back=False)
        one_layout(small, 2)
        return
    one_layout(small)


def test_a_picture_grows_along_its_own_axes() -> None:
    sizes = {"sizes": np.array([1, 12, 15, 4], np.int64)}
    one_layout(island([node("Resize", ["a", "", "", "sizes"], ["z"], mode="nearest")], sizes))
    scales = {"scales": np.array([1, 2, 3, 1], np.float32)}
    one_layout(island([node("Resize", ["a", "", "scales"], ["z"], mode="linear")], scales))


def test_a_dense_layer_over_channels_is_a_convolution() -> None:
    small = island([node("MatMul", ["a", "d"], ["z"])], {"d": random(4, 4)})
    one_layout(small)
    assert kinds(small)["Conv"] == 3


def test_normalization_before_the_first_transpose_moves_behind_it() -> None:
    nodes = [
        node("Mul", ["x", "k"], ["m"]),
        node("Sub", ["m", "mean"], ["s"]),
        node("Transpose", ["s"], ["t"], perm=FORTH),
        node("Conv", ["t", "w", "b"], ["y"]),
    ]
    small = graph(nodes, CONV | {"k": np.array(2.0), "mean": random(3)}, NHWC)
    one_layout(small)
    assert small.nodes[0].op_type == "Transpose"


def test_an_answer_in_nhwc_stays_so() -> None:
    small = island([node("Relu", ["a"], ["y"])], back=False)
    one_layout(small, 2)
    assert small.shape("y") == (1, 6, 5, 4)


def test_flattened_pixels_keep_their_order() -> None:
    inside = [node("Reshape", ["a", "shape"], ["f"]), node("MatMul", ["f", "d"], ["y"])]
    small = island(inside, {"shape": np.array([1, -1], np.int64), "d": random(120, 2)}, back=False)
    one_layout(small, 2)


def test_an_nchw_graph_is_left_alone() -> None:
    small = graph([node("Conv", ["x", "w", "b"], ["c"]), node("Relu", ["c"], ["y"])], CONV)
    before = written(small)
    assert to_nchw(small) == 0
    assert written(small) == before


def rounded(name: str, axis: int | None = None) -> list[NodeProto]:
    """A pair behind a tensor, to ``NAMEq``."""
    how = {} if axis is None else {"axis": axis}
    scale = "s" if axis is None else "sc"
    return [
        node("QuantizeLinear", [name, scale], [f"{name}8"], **how),
        node("DequantizeLinear", [f"{name}8", scale], [f"{name}q"], **how),
    ]


@pytest.mark.parametrize("axis", [None, 3, -1])
def test_pairs_of_a_quantized_graph_are_passed(axis: int | None) -> None:
    nodes = [
        *rounded("a", axis),
        node("DequantizeLinear", ["k8", "s"], ["k"]),
        node("Mul", ["aq", "k"], ["m"]),
        *rounded("m"),
        node("Neg", ["mq"], ["z"]),
    ]
    held = {"s": np.array(0.25), "sc": np.full(4, 0.25), "k8": np.arange(1, 5, dtype=np.uint8)}
    small = island(nodes, held)
    one_layout(small)
    assert kinds(small)["Reshape"] == 0, "the constant is turned where it stands"


PERMS = st.permutations(range(4)).map(list)
STEPS = st.sampled_from(
    ["Transpose", "Mul", "Add", "Relu", "Mean", "Pad", "Slice", "Concat", "Gate", "Conv", "Flat"]
)


@st.composite
def walks(draw: st.DrawFn) -> Graph:
    """Some operators in a row, in layouts that change all the time."""
    shape = list(draw(st.sampled_from([NHWC, (1, 3, 6, 5), (1, 1, 1, 4), (2, 3, 4, 3)])))
    start, nodes, held, name = tuple(shape), [], {}, "x"
    for number in range(draw(st.integers(2, 9))):
        kind, out = draw(STEPS), f"t{number}"
        key = f"k{number}"
        if kind == "Transpose":
            perm = draw(PERMS)
            nodes.append(node("Transpose", [name], [out], perm=perm))
            shape = [shape[axis] for axis in perm]
        elif kind in ("Mul", "Add"):
            kept = draw(st.lists(st.booleans(), min_size=4, max_size=4))
            held[key] = (
                random(*(side if keep else 1 for side, keep in zip(shape, kept, strict=True)), seed=number)
                + 2
            )
            nodes.append(node(kind, draw(st.permutations([name, key])), [out]))
        elif kind == "Relu":
            nodes.append(node("Relu", [name], [out]))
        elif kind == "Mean":
            axis = draw(st.integers(-4, 3))
            nodes += [node("ReduceMean", [name], [key], axes=[axis]), node("Sub", [name, key], [out])]
        elif kind == "Gate":
            nodes.append(node("ReduceMean", [name], [f"{key}m"], axes=[1, 2]))
            nodes += [node("Sigmoid", [f"{key}m"], [f"{key}s"]), node("Mul", [name, f"{key}s"], [out])]
        elif kind == "Pad":
            pads = draw(st.lists(st.integers(0, 2), min_size=8, max_size=8))
            held[key] = np.array(pads, np.int64)
            nodes.append(node("Pad", [name, key], [out]))
            shape = [side + pads[axis] + pads[axis + 4] for axis, side in enumerate(shape)]
        elif kind == "Slice":
            axis = draw(st.integers(0, 3))
            held |= {f"{key}s": np.array([0], np.int64), f"{key}a": np.array([axis], np.int64)}
            shape[axis] = max(1, shape[axis] - 1)
            held[f"{key}e"] = np.array([shape[axis]], np.int64)
            nodes.append(node("Slice", [name, f"{key}s", f"{key}e", f"{key}a"], [out]))
        elif kind == "Concat":
            axis = draw(st.integers(-4, 3))
            nodes += [node("Neg", [name], [key]), node("Concat", [name, key], [out], axis=axis)]
            shape[axis] *= 2
        elif kind == "Conv":
            held[key] = random(3, shape[1], 1, 1, seed=number)
            nodes.append(node("Conv", [name, key], [out]))
            shape[1] = 3
        else:
            held[key] = np.array(shape, np.int64)
            nodes += [node("Flatten", [name], [f"{key}f"]), node("Reshape", [f"{key}f", key], [out])]
        name = out
    nodes.append(node("Mul", [name, "two"], ["y"]))
    return graph(nodes, held | {"two": np.array(2.0)}, start)


@settings(max_examples=150)
@given(walks())
def test_whatever_the_layouts_are_the_numbers_stay(small: Graph) -> None:
    before = small.copy()
    to_nchw(small)
    shown = inputs(before)
    expected, got = answers(before.proto(), shown), answers(small.proto(), shown)
    assert small.shape("y") == before.shape("y")
    assert np.abs(got - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())
