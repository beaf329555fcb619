"""Bring a graph with Transposes inside to one layout: what converters from TensorFlow leave becomes NCHW.

TensorFlow's layout is NHWC and ONNX's NCHW, so a converter writes every convolution between two Transposes
and leaves what stands between convolutions in NHWC. Here no Transpose is computed where it stands. Its result
is known to be its input with axes in another order, and who reads it computes on the input instead: axes,
pads, steps and constants are put in that order. Only an operator that needs its axes where they are gets a
Transpose; before a convolution the two orders cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from onnx import NodeProto, helper

from edgenet.graph.graph import Graph, attributes
from edgenet.graph.views import Perm, View, Views, keeps_order

__all__ = ["to_nchw"]

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
IMAGE_RANK = 4
ELEMENTWISE = (
    "Abs", "Add", "Cast", "Ceil", "Celu", "Clip", "Div", "Elu", "Erf", "Exp", "Floor", "Gelu", "HardSigmoid",
    "HardSwish", "LeakyRelu", "Log", "Max", "Mean", "Min", "Mish", "Mul", "Neg", "PRelu", "Pow", "Reciprocal",
    "Relu", "Round", "Selu", "Sigmoid", "Sign", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "Tanh",
    "ThresholdedRelu",
)  # fmt: skip
REDUCTIONS = ("ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "ReduceSumSquare")
RESHAPES = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")
SINGLE_AXIS_SOFTMAX = 13  # the first operator set in which Softmax is over one axis


def to_nchw(graph: Graph) -> int:
    """Take the Transposes out of a graph as far as that goes, in place.

    An NHWC input gets one Transpose in front, so that all behind it is NCHW.

    Returns:
        How many Transposes are gone; less than zero if the graph has more of them now.
    """
    before = _transposes(graph)
    nhwc = _is_nhwc(graph)
    if not before and not nhwc:
        return 0
    views, nodes = Views(graph), graph.nodes
    if nhwc:
        _turn_input(views, nodes[0])
    for node in nodes:
        handler = HANDLERS.get(node.op_type)
        if handler is None or not handler(views, node):
            graph.set_inputs(node, [views.logical(node, name) if name else "" for name in node.input])
    views.finish()
    return before - _transposes(graph)


def _transposes(graph: Graph) -> int:
    return sum(node.op_type == "Transpose" for node in graph.nodes)


def _is_nhwc(graph: Graph) -> bool:
    shape = graph.shape(graph.input)
    return len(shape) == IMAGE_RANK and shape[3] == 3 and shape[1] != 3


def _turn_input(views: Views, first: NodeProto) -> None:
    graph, name = views.graph, views.graph.input
    batch, height, width, channels = graph.shape(name)
    planes = graph.fresh(f"{name}/nchw")
    node = helper.make_node("Transpose", [name], [planes], name=planes, perm=list(TO_NCHW))
    graph.insert(first, node, (batch, channels, height, width))
    views.note(name, View(planes, TO_NHWC))


def _transpose(views: Views, node: NodeProto) -> bool:
    view = views.of(node.input[0])
    perm = attributes(node).get("perm", list(reversed(range(len(view.perm)))))
    if not view.perm:
        return False
    views.graph.remove(node)
    views.note(node.output[0], View(view.source, tuple(view.perm[axis] for axis in perm)))
    return True


def _elementwise(views: Views, node: NodeProto) -> bool:
    """All inputs are read in the order of the largest that is a view."""
    graph = views.graph
    moved = [name for name in node.input if views.is_view(name)]
    rank = max((len(views.of(name).perm) for name in node.input if name), default=0)
    moved = [name for name in moved if len(views.of(name).perm) == rank]
    if not moved or any(not _known(views, name) for name in node.input if name):
        return False
    perm = views.of(max(moved, key=lambda name: np.prod(views.shape(name)))).perm
    shape = np.broadcast_shapes(*(views.shape(name) for name in node.input if name))
    graph.set_inputs(node, [views.ordered(node, name, perm) if name else "" for name in node.input])
    views.write(node, perm, shape=shape)
    return True


def _known(views: Views, name: str) -> bool:
    return name in views.graph.constants or all(views.shape(name))


def _quantize(views: Views, node: NodeProto) -> bool:
    """Q or DQ of an activation; scales by channel follow their axis."""
    if not views.is_view(node.input[0]):
        return False
    view, scales = views.of(node.input[0]), views.graph.constant(node.input[1])
    if scales is None:
        return False
    if scales.size > 1:
        _set(node, axis=view.perm[int(attributes(node).get("axis", 1)) % len(view.perm)])
    views.graph.set_input(node, 0, view.source)
    views.write(node, view.perm)
    return True


def _over_axis(views: Views, node: NodeProto) -> bool:
    """Concat, Split, Softmax and the like: ``axis`` follows its axis."""
    kind = node.op_type
    if "Softmax" in kind and views.graph.opset < SINGLE_AXIS_SOFTMAX:
        return False
    parts = list(node.input) if kind == "Concat" else [node.input[0]]
    moved = [name for name in parts if views.is_view(name)]
    if not moved:
        return False
    perm, graph = views.of(moved[0]).perm, views.graph
    axis = int(attributes(node).get("axis", -1 if "Softmax" in kind else 0)) % len(perm)
    shapes = [graph.shape(name) for name in node.output]
    graph.set_inputs(
        node, [views.ordered(node, name, perm) for name in parts] + list(node.input[len(parts) :])
    )
    _set(node, axis=perm[axis])
    for index, shape in enumerate(shapes):
        views.write(node, perm, index, shape)
    return True


def _gather(views: Views, node: NodeProto) -> bool:
    """A constant choice along an axis that stays one."""
    indices = views.graph.constant(node.input[1])
    if indices is None or indices.ndim != 1:
        return False
    return _over_axis(views, node)


def _gather_nd(views: Views, node: NodeProto) -> bool:
    """torch's ``x[:, [2, 1, 0]]``: single indices of the first axis are a Gather."""
    indices = views.graph.constant(node.input[1])
    if indices is None or indices.ndim != 2 or indices.shape[1] != 1 or attributes(node).get("batch_dims", 0):
        return False
    graph, shape = views.graph, views.graph.shape(node.output[0])
    chosen = graph.add_constant(f"{node.output[0]}/indices", indices[:, 0])
    gather = helper.make_node("Gather", [node.input[0], chosen], [node.output[0]], name=node.name, axis=0)
    graph.insert(node, gather, shape)
    graph.remove(node)
    if not _gather(views, gather):
        graph.set_input(gather, 0, views.logical(gather, gather.input[0]))
    return True


def _reduce(views: Views, node: NodeProto) -> bool:
    if not views.is_view(node.input[0]):
        return False
    graph, view, options = views.graph, views.of(node.input[0]), attributes(node)
    given = graph.constant(node.input[1]) if len(node.input) > 1 else options.get("axes")
    if given is None:
        return False
    axes = [int(axis) % len(view.perm) for axis in given]
    _set_axes(views, node, [view.perm[axis] for axis in axes])
    graph.set_input(node, 0, view.source)
    views.write(node, view.perm if options.get("keepdims", 1) else _without(view.perm, axes))
    return True


def _without(perm: Perm, axes: Sequence[int]) -> Perm:
    """The order of what is left when logical axes are gone."""
    left = [axis for index, axis in enumerate(perm) if index not in axes]
    return tuple(sorted(left).index(axis) for axis in left)


def _pad(views: Views, node: NodeProto) -> bool:
    """``pads`` are begins and ends, one of each an axis (or an axis of ``axes``)."""
    if not views.is_view(node.input[0]) or len(node.input) < 2:
        return False
    graph, view = views.graph, views.of(node.input[0])
    pads = graph.constant(node.input[1])
    if pads is None:
        return False
    rank = len(view.perm)
    if len(node.input) > 3 and node.input[3]:
        axes = graph.constant(node.input[3])
        if axes is None:
            return False
        turned = np.array([view.perm[int(axis) % rank] for axis in axes], np.int64)
        graph.set_input(node, 3, graph.add_constant(f"{node.output[0]}/axes", turned))
    else:
        ends = pads.reshape(2, rank)
        turned = np.ascontiguousarray(ends[:, np.argsort(view.perm)]).reshape(-1)
        graph.set_input(node, 1, graph.add_constant(f"{node.output[0]}/pads", turned))
    graph.set_input(node, 0, view.source)
    views.write(node, view.perm)
    return True


def _slice(views: Views, node: NodeProto) -> bool:
    if not views.is_view(node.input[0]) or len(node.input) < 3:
        return False
    graph, view = views.graph, views.of(node.input[0])
    starts = graph.constant(node.input[1])
    axes = graph.constant(node.input[3]) if len(node.input) > 3 and node.input[3] else None
    if starts is None or (axes is None and len(node.input) > 3 and node.input[3]):
        return False
    given = range(len(starts)) if axes is None else axes
    turned = np.array([view.perm[int(axis) % len(view.perm)] for axis in given], np.int64)
    name = graph.add_constant(f"{node.output[0]}/axes", turned)
    graph.set_inputs(node, [view.source, *node.input[1:3], name, *node.input[4:]])
    views.write(node, view.perm)
    return True


def _resize(views: Views, node: NodeProto) -> bool:
    """``scales`` or ``sizes``: one number an axis."""
    if not views.is_view(node.input[0]) or attributes(node).get("axes"):
        return False
    graph, view = views.graph, views.of(node.input[0])
    turned = {}
    for index, name in enumerate(node.input[2:4], 2):
        values = graph.constant(name) if name else np.zeros(0)
        if values is None or values.size not in (0, len(view.perm)):
            return False
        if values.size:
            turned[index] = values[np.argsort(view.perm)]
    for index, values in turned.items():
        graph.set_input(node, index, graph.add_constant(f"{node.output[0]}/turned", values))
    graph.set_inputs(node, [view.source, "", *node.input[2:]])
    views.write(node, view.perm)
    return True


def _reshape(views: Views, node: NodeProto) -> bool:
    """Where numbers stay in their order, the computed tensor is reshaped; [1, 1, 1, C] is one of NHWC."""
    graph, shape = views.graph, views.graph.shape(node.output[0])
    view = views.of(node.input[0])
    if node.op_type == "Squeeze" and views.is_view(node.input[0]) and _squeeze(views, node, view):
        return True
    pixel = len(shape) == IMAGE_RANK and shape[:3] == (1, 1, 1) and shape[3] > 1
    if not shape or not all(shape) or not (pixel or views.is_view(node.input[0])):
        return False
    source = graph.shape(view.source)
    if not all(source) or not keeps_order(source, view.perm):
        if not pixel:
            return False
        source_name = views.logical(node, node.input[0])
    else:
        source_name = view.source
    wanted = (1, shape[3], 1, 1) if pixel else shape
    made = views.reshaped(node, source_name, wanted)
    graph.remove(node)
    views.note(node.output[0], View(made, TO_NHWC if pixel else tuple(range(len(shape)))))
    return True


def _squeeze(views: Views, node: NodeProto, view: View) -> bool:
    """Axes that are gone, where the others keep an order that no reshape could give them."""
    source = views.graph.shape(view.source)
    if all(source) and keeps_order(source, view.perm):
        return False
    given = views.graph.constant(node.input[1]) if len(node.input) > 1 else attributes(node).get("axes")
    if given is None:
        return False
    axes = [int(axis) % len(view.perm) for axis in given]
    _set_axes(views, node, [view.perm[axis] for axis in axes])
    views.graph.set_input(node, 0, view.source)
    views.write(node, _without(view.perm, axes))
    return True


def _matmul(views: Views, node: NodeProto) -> bool:
    """A dense layer over the last axis of an image in NHWC is a convolution 1x1 of it in NCHW."""
    graph, weights = views.graph, views.graph.constant(node.input[1])
    shape = views.shape(node.input[0])
    if weights is None or weights.ndim != 2 or len(shape) != IMAGE_RANK or not all(shape):
        return False
    source = views.ordered(node, node.input[0], TO_NHWC)
    name = node.name or node.output[0]
    kernel = np.ascontiguousarray(weights.T[:, :, None, None])
    made = graph.fresh(f"{name}/conv")
    conv = helper.make_node(
        "Conv", [source, graph.add_constant(f"{name}/kernel", kernel)], [made], name=name, kernel_shape=[1, 1]
    )
    graph.insert(node, conv, (shape[0], len(kernel), *shape[1:3]))
    graph.remove(node)
    views.note(node.output[0], View(made, TO_NHWC))
    return True


def _set(node: NodeProto, **values: int) -> None:
    kept = [item for item in node.attribute if item.name not in values]
    del node.attribute[:]
    node.attribute.extend([*kept, *(helper.make_attribute(name, value) for name, value in values.items())])


def _set_axes(views: Views, node: NodeProto, axes: Sequence[int]) -> None:
    """Axes stand in an attribute or, in newer operator sets, in an input."""
    if len(node.input) > 1:
        name = views.graph.add_constant(f"{node.output[0]}/axes", np.array(axes, np.int64))
        views.graph.set_input(node, 1, name)
        return
    kept = [item for item in node.attribute if item.name != "axes"]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute("axes", list(axes))])


HANDLERS: dict[str, Callable[[Views, NodeProto], bool]] = {
    **dict.fromkeys(ELEMENTWISE, _elementwise),
    **dict.fromkeys(REDUCTIONS, _reduce),
    **dict.fromkeys(RESHAPES, _reshape),
    **dict.fromkeys(("Concat", "LogSoftmax", "Softmax", "Split"), _over_axis),
    "Gather": _gather,
    "GatherND": _gather_nd,
    "MatMul": _matmul,
    "Pad": _pad,
    **dict.fromkeys(("DequantizeLinear", "QuantizeLinear"), _quantize),
    "Resize": _resize,
    "Slice": _slice,
    "Transpose": _transpose,
}
