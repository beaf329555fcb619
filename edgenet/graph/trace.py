"""Look into an int8 graph while ONNX Runtime runs it: every int8 activation of one run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from edgenet.graph.evaluate import Evaluator, flat
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.align_scales import align_scales
from edgenet.graph.qparams import SIGNED

__all__ = ["LayerByLayer", "onnx_layers", "onnx_run"]

IMAGE_RANK = 4


def onnx_layers(data: bytes, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.int8]]:
    """The int8 activations of :func:`onnx_run` alone."""
    return onnx_run(data, pixels)[0]


def onnx_run(data: bytes, pixels: NDArray[np.uint8]) -> tuple[dict[str, NDArray[np.int8]], NDArray[Any]]:
    """The int8 activations by the names of the float tensors they are made from, NHWC; and the raw scores.

    A tensor that is looked at is not fused away. So other kernels may run than without looking, and the
    scores [classes] be some steps from those of the file as it is.

    Args:
        data: A serialized graph in one of the forms of :mod:`edgenet.graph.qdq.onnxruntime`.
        pixels: uint8 [1, H, W, 3].
    """
    proto = onnx.load_model_from_string(data)
    names = _quantized(proto.graph.node)
    kind = proto.graph.output[0].type.tensor_type.elem_type  # a label is of another
    scores = [item.name for item in proto.graph.output if item.type.tensor_type.elem_type == kind]
    answers = dict(Evaluator(proto, [*names, *scores]).run(pixels))
    return {names[name]: _nhwc(answers[name]) for name in names}, flat(answers[name] for name in scores)


class LayerByLayer:
    """A canonical int8 graph of which every layer computes from int8 values that somebody else found.

    So a layer that computes something else is seen where it stands, and what follows from it is not. Q/DQ is
    computed in float, node by node: no int8 kernel has a part in it.

    Args:
        proto: The quantized graph, as the backends get it.
        known: Float tensors whose int8 values will be given; any other layer's input is computed.
        kept: Whether the backends keep its scales, see :class:`edgenet.model.Model`.

    Attributes:
        names: Of the float tensors that are quantized and known, in graph order.
    """

    def __init__(self, proto: onnx.ModelProto, known: Collection[str], kept: bool = False) -> None:
        graph = Graph(proto)
        if not kept:
            align_scales(graph)
        made = {name: source for name, source in _quantized(graph.nodes).items() if source in known}
        self.names = tuple(made.values())
        self._made = {source: name for name, source in made.items()}
        self._rank = {source: len(graph.shape(source)) for source in self.names}
        self._pixels, self._scores = graph.input, list(graph.outputs)
        for node in graph.nodes:
            if node.op_type == "DequantizeLinear" and node.input[0] in made:
                graph.set_input(node, 0, _given(made[node.input[0]]))
        for source in self.names:
            kind = TensorProto.INT8
            graph.add_graph_input(helper.make_tensor_value_info(_given(source), kind, graph.shape(source)))
        self._evaluator = Evaluator(graph.proto(), [*made, *self._scores], optimize=False)

    def run(
        self, pixels: NDArray[np.uint8], values: Mapping[str, NDArray[np.int8]]
    ) -> tuple[dict[str, NDArray[np.int8]], NDArray[np.float32]]:
        """What each layer makes of the values before it.

        Args:
            pixels: uint8 [1, H, W, 3].
            values: int8 NHWC by name, for every name of :attr:`names`.

        Returns:
            The same for the layers' results, and the real scores [classes].
        """
        feeds = {_given(name): self._laid_out(name, values[name]) for name in self.names}
        answers = self._evaluator.feed({self._pixels: pixels, **feeds})
        scores = flat(answers[name] for name in self._scores)
        return {name: _nhwc(answers[self._made[name]]) for name in self.names}, scores.astype(np.float32)

    def _laid_out(self, name: str, value: NDArray[np.int8]) -> NDArray[np.int8]:
        moved = value.transpose(0, 3, 1, 2) if self._rank[name] == IMAGE_RANK else value
        return np.ascontiguousarray(moved)


def _given(name: str) -> str:
    return f"{name}/given"


def _quantized(nodes: Iterable[onnx.NodeProto]) -> dict[str, str]:
    """Quantized tensor → the float tensor it is made from."""
    return {node.output[0]: node.input[0] for node in nodes if node.op_type == "QuantizeLinear"}


def _nhwc(values: NDArray[np.uint8] | NDArray[np.int8]) -> NDArray[np.int8]:
    signed = values.astype(np.int16) - (SIGNED if values.dtype == np.uint8 else 0)
    moved = signed.transpose(0, 2, 3, 1) if values.ndim == IMAGE_RANK else signed
    return np.ascontiguousarray(moved, np.int8)
