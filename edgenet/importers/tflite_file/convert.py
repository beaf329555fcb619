"""From a TFLite network to an ONNX graph: the operators that the answer needs, in their order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from onnx import NodeProto, TensorProto, helper

from edgenet.errors import UnsupportedError
from edgenet.importer import Imported
from edgenet.importers.tflite_file.constants import fold
from edgenet.importers.tflite_file.layout import TO_GRAPH, graph_shape
from edgenet.importers.tflite_file.network import STATELESS, Network, Operator, Tensor
from edgenet.importers.tflite_file.operators.table import OPERATORS
from edgenet.importers.tflite_file.scope import ELSEWHERE, Scope

__all__ = ["convert"]

ONE_ROW = (
    "convert the model again with the one output that counts, a classifier's or an embedding's row of numbers"
)
KINDS = {"FLOAT32": TensorProto.FLOAT, "UINT8": TensorProto.UINT8, "INT8": TensorProto.INT8}
CHOICES = ("ARG_MAX",)  # the best class instead of the scores
COLORS = (1, 3)
# Pattern of an operator's name, why it is not read, and what to do; the first that fits.
UNREAD = (
    (
        "edgetpu-custom-op",
        "the file was compiled for another processor by edgetpu_compiler",
        "give the file from before edgetpu_compiler, its name without _edgetpu",
    ),
    ("ethos-u", "the file was compiled for another processor by Vela", "give the file from before Vela"),
    (
        "^CUSTOM 'Flex",
        "TensorFlow itself computes it (Select TF operators), which no board has",
        "convert the model with TFLITE_BUILTINS only",
    ),
    (
        "^CUSTOM",
        "an operator of its own, which only its author's runtime knows",
        "convert the model without that layer",
    ),
    (
        "^(CALL|CALL_ONCE|IF|WHILE)$",
        "what is computed is decided while it runs",
        "convert the model for inference with a fixed shape",
    ),
    (
        "LSTM|RNN|SVDF|VARIABLE|VAR_HANDLE",
        "it keeps a state from one picture to the next",
        STATELESS,
    ),
)


def convert(network: Network, size: tuple[int, int]) -> Imported:
    """Write a network as ONNX: pictures NCHW, float or with the file's own scales.

    Args:
        network: The file.
        size: Height and width of the input where the file leaves them free.

    Raises:
        ModelError: It is damaged.
        UnsupportedError: An operator, or a form of it, has no words in ONNX here; it is named.
    """
    scope = Scope(network)
    outputs = _outputs(scope)
    needed = _needed(network, outputs)
    _enter(scope, needed, size)
    for op in needed:
        if not fold(scope, op):
            _operator(scope, op)
    _leave(scope, outputs)
    return Imported(scope.model, tuple(scope.notes), ONE_ROW)


def _operator(scope: Scope, op: Operator) -> None:
    writer = OPERATORS.get(op.code)
    if writer is None:
        raise scope.refuse(op, *_why(op.code))
    unknown = next((index for index in op.inputs if index >= 0 and not scope.is_known(index)), None)
    if unknown is not None and not (op.code == "RESHAPE" and unknown == op.inputs[-1] != op.inputs[0]):
        raise scope.damaged(op, f"nothing gives {scope.tensor(unknown).name!r}")
    if not op.inputs or min(op.inputs[:1]) < 0:
        raise scope.damaged(op, "it reads nothing")
    writer(scope, op)


def _why(code: str) -> tuple[str, str]:
    """Why an operator is not read, and what to do."""
    for pattern, reason, remedy in UNREAD:
        if re.search(pattern, code):
            return reason, remedy
    return "edgenet does not know it", ELSEWHERE


def _outputs(scope: Scope) -> list[int]:
    """The tensors that the file gives; the best class beside or behind scores is left out."""
    network = scope.network
    makers = {index: op for op in network.operators for index in op.outputs}
    found: list[int] = []
    for given in network.outputs:
        index, op = given, makers.get(given)
        if op is not None and op.code in CHOICES and op.inputs and op.inputs[0] >= 0:
            name = scope.tensor(index).name
            scope.notes.append(f"left out: {op.code} {name!r}, the best class of the scores before it")
            index = op.inputs[0]
        found += [index] if index not in found else []
    return found


def _needed(network: Network, outputs: Sequence[int]) -> list[Operator]:
    """The operators on which the answers depend."""
    wanted, needed = {*outputs}, []
    for op in reversed(network.operators):
        if wanted & set(op.outputs):
            needed.append(op)
            wanted |= {index for index in op.inputs if index >= 0}
    return needed[::-1]


def _enter(scope: Scope, needed: list[Operator], size: tuple[int, int]) -> None:
    """The picture, as which any other input that something reads is refused."""
    network = scope.network
    read = {index for op in needed for index in op.inputs}
    used = [index for index in network.inputs if index in read]
    told = [scope.tensor(index).name for index in network.inputs if index not in read]
    if len(used) != 1:
        names = ", ".join(f"{scope.tensor(index).name!r}" for index in network.inputs[:8])
        raise UnsupportedError(
            f"{network.where}: the answer depends on {len(used)} inputs of {names}, on one picture it should",
            "convert the model with its image input only",
        )
    if told:
        scope.notes.append(f"left out: the input {', '.join(map(repr, told))}, on which nothing depends")
    tensor = scope.tensor(used[0])
    shape = _picture(scope, tensor, size)
    _declare(scope, tensor, shape)


def _picture(scope: Scope, tensor: Tensor, size: tuple[int, int]) -> tuple[int, ...]:
    """The input's shape: batch 1 and the card's size where the file leaves them free."""
    shape = list(tensor.shape)
    if len(shape) != 4 or -1 in (shape[3],):
        raise UnsupportedError(
            f"{scope.where}: input {tensor.name!r} is {shape}, no pictures [batch, height, width, channels]",
            "convert the model with its image input only",
        )
    first = 2 if _is_planes(shape) else 1
    for axis, side in ((0, 1), (first, size[0]), (first + 1, size[1])):
        shape[axis] = side if shape[axis] == -1 else shape[axis]
    if min(shape) < 1:
        raise UnsupportedError(f"{scope.where}: input {tensor.name!r} is {shape}", "convert the model again")
    return tuple(shape)


def _is_planes(shape: list[int]) -> bool:
    """Whether a picture comes NCHW, as some converters from torch leave it."""
    return shape[1] in COLORS and shape[3] not in COLORS


def _declare(scope: Scope, tensor: Tensor, shape: tuple[int, ...]) -> None:
    """The graph's input; bytes that have a scale are dequantized."""
    if tensor.kind not in KINDS or (tensor.kind == "INT8" and tensor.affine is None):
        raise UnsupportedError(
            f"{scope.where}: input {tensor.name!r} is {tensor.kind}",
            "convert the model with a float, uint8 or int8 input",
        )
    planes = _is_planes(list(shape))
    entry = helper.make_tensor_value_info(
        tensor.name, KINDS[tensor.kind], shape if planes else graph_shape(shape)
    )
    scope.model.graph.input.append(entry)
    source = tensor.name
    affine = scope.whole(tensor.index)
    if affine is not None:
        parts = [scope.held(affine.scales[0]), scope.zero_point(tensor)]
        source = scope.emit("DequantizeLinear", [source, *parts], f"{tensor.name}/real")
    if planes:  # the file's tensor is [1, 3, H, W], which stands in the graph as if it were NHWC
        source = scope.emit("Transpose", [source], f"{tensor.name}/turned", perm=TO_GRAPH)
    scope.enter(tensor, shape, source)


def _leave(scope: Scope, outputs: Sequence[int]) -> None:
    """The answers, and the nodes that they need; several under their names in the file, constants too."""
    if not scope.nodes or all(index in scope.values for index in outputs):
        name = scope.tensor(outputs[0]).name
        raise UnsupportedError(f"{scope.where}: output {name!r} does not depend on a picture", ONE_ROW)
    graph = scope.model.graph
    graph.name = "network"
    made = {index: _answer(scope, index, len(outputs) > 1) for index in outputs}
    graph.node.extend(_pruned(scope.nodes, made.values()))
    for index, name in made.items():
        shape = graph_shape(scope.shape(index))
        scope.model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    read = {item for node in graph.node for item in node.input}
    for at in reversed([at for at, item in enumerate(graph.initializer) if item.name not in read]):
        del graph.initializer[at]


def _answer(scope: Scope, index: int, named: bool) -> str:
    """The name of an output; the file's own where there are several."""
    name = scope.tensor(index).name
    if not scope.is_known(index):
        raise UnsupportedError(f"{scope.where}: output {name!r} does not depend on a picture", ONE_ROW)
    made = scope.real(index)
    if not named or (made == name and index not in scope.values):
        return made
    return scope.emit("Identity", [made], scope.own_name(index))


def _pruned(nodes: list[NodeProto], outputs: Iterable[str]) -> list[Any]:
    """The nodes on which some tensors depend."""
    wanted, kept = {*outputs}, []
    for node in reversed(nodes):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(node.input)
    return kept[::-1]
