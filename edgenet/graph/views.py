"""Tensors that are others with their axes in another order, so that no Transpose has to be computed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from edgenet.graph.graph import Graph

__all__ = ["Perm", "View", "Views", "inverse", "keeps_order"]

Perm = tuple[int, ...]
DEQUANTIZE = "DequantizeLinear"


@dataclass(frozen=True)
class View:
    """A tensor whose axis ``i`` is axis ``perm[i]`` of ``source``, as ONNX's Transpose has it."""

    source: str
    perm: Perm


def inverse(perm: Sequence[int]) -> Perm:
    """The permutation that undoes one."""
    return tuple(perm.index(axis) for axis in range(len(perm)))


def keeps_order(shape: Sequence[int], perm: Sequence[int]) -> bool:
    """Whether a transposition of this shape moves axes of one element only, and so no number."""
    long = [axis for axis in perm if shape[axis] != 1]
    return long == sorted(long)


class Views:
    """Which tensors of a graph are views, while a pass walks over it.

    A tensor's name in the user's graph stands for its *logical* form. Where it is a view, the tensor that the
    graph really computes is the view's source.

    Args:
        graph: Edited in place.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._views: dict[str, View] = {}
        self._made: dict[tuple[str, Perm], str] = {}

    def of(self, name: str) -> View:
        """A tensor as a view: of itself where it is none."""
        return self._views.get(name) or View(name, tuple(range(len(self.graph.shape(name)))))

    def is_view(self, name: str) -> bool:
        """Whether a tensor has another order than the one that is computed, or is another one altogether."""
        return name in self._views

    def shape(self, name: str) -> tuple[int, ...]:
        """The logical shape of a tensor."""
        view = self.of(name)
        shape = self.graph.shape(view.source)
        return tuple(shape[axis] for axis in view.perm)

    def note(self, name: str, view: View) -> None:
        """Let a name stand for a view; the node that wrote it is the caller's to remove."""
        self._views[name] = view

    def write(self, node: NodeProto, perm: Perm, index: int = 0, shape: Sequence[int] | None = None) -> None:
        """Let a node's output be computed in another order: axis ``perm[i]`` of it is the logical axis ``i``.

        Args:
            node: Its inputs are in that order already.
            perm: The order.
            index: Of the output.
            shape: The logical shape; the one that is known by default.
        """
        name = node.output[index]
        logical = tuple(self.graph.shape(name) if shape is None else shape)
        if perm == tuple(range(len(perm))):
            return
        if self.graph.is_output(name):
            self.graph.set_output(node, index, self.graph.fresh(f"{name}/nchw"))
        source = node.output[index]
        self.graph.reshape(source, (logical[axis] for axis in inverse(perm)) if logical else ())
        self._views[name] = View(source, perm)

    def logical(self, before: NodeProto | None, name: str) -> str:
        """A tensor in its logical form, for a node that must have it so."""
        view = self.of(name)
        if name not in self._views:
            return name
        wanted = f"{name}/transposed" if self.graph.is_output(name) else name  # the user's own, if it is free
        return self._ordered(before, view.source, view.perm, wanted)

    def ordered(self, before: NodeProto, name: str, perm: Perm) -> str:
        """A tensor, variable or constant, such that its axis ``perm[i]`` is the logical axis ``i``.

        A lower rank is filled up with ones in front, as broadcasting does.
        """
        values = self.graph.constant(name)
        if values is not None:
            return self._constant(name, values, perm)
        whole = self._whole_constant(before, name, perm)
        if whole:
            return whole
        view, missing = self.of(name), len(perm) - len(self.of(name).perm)
        if missing:
            shape = (1,) * missing + self.shape(name)
            name = self.reshaped(before, self.logical(before, name), shape)
            view = View(name, tuple(range(len(shape))))
        return self._ordered(before, view.source, tuple(view.perm[axis] for axis in inverse(perm)))

    def reshaped(self, before: NodeProto | None, source: str, shape: Iterable[int]) -> str:
        """A computed tensor with another shape, its numbers in the same order."""
        shape = tuple(shape)
        name = self.graph.fresh(f"{source}/as_{'x'.join(map(str, shape))}")
        wanted = self.graph.add_constant(f"{name}/shape", np.array(shape, np.int64))
        node = helper.make_node("Reshape", [source, wanted], [name], name=name)
        self.graph.insert(before, node, shape)
        return name

    def finish(self) -> None:
        """Give the graph's outputs in their logical form, and drop what nobody reads."""
        graph = self.graph
        for name in [name for name in graph.outputs if name in self._views]:
            view = self._views[name]
            shape = self.shape(name)
            plain = view.perm == tuple(range(len(view.perm)))
            producer = graph.producer(view.source)
            if plain and producer is not None and not graph.is_output(view.source):
                graph.redirect(name, view.source)
                continue
            if keeps_order(graph.shape(view.source), view.perm):
                made = self.reshaped(None, view.source, shape)
                graph.redirect(name, made)
                continue
            node = helper.make_node("Transpose", [view.source], [name], name=name, perm=list(view.perm))
            graph.insert(None, node, shape)
        for name in reversed(list(self._made.values())):
            producer = graph.producer(name)
            if producer is not None and not graph.consumers(name) and not graph.is_output(name):
                graph.remove(producer)

    def _ordered(self, before: NodeProto | None, source: str, perm: Perm, wanted: str = "") -> str:
        """A computed tensor with its axes in another order."""
        graph = self.graph
        if perm == tuple(range(len(perm))):
            return source
        if (source, perm) in self._made:
            return self._made[source, perm]
        shape = graph.shape(source)
        target = tuple(shape[axis] for axis in perm)
        if keeps_order(shape, perm) and all(shape):
            name = self.reshaped(before, source, target)
        else:
            name = graph.fresh(wanted or f"{source}/transposed")
            node = helper.make_node("Transpose", [source], [name], name=name, perm=list(perm))
            graph.insert(before, node, target)
        self._made[source, perm] = name
        return name

    def _whole_constant(self, before: NodeProto, name: str, perm: Perm) -> str:
        """A constant of whole numbers behind a DequantizeLinear of one scale, which stays one; else empty."""
        graph = self.graph
        node = graph.producer(name)
        values = graph.constant(node.input[0]) if node is not None and node.op_type == DEQUANTIZE else None
        if node is None or values is None or graph.constants[node.input[1]].size != 1:
            return ""
        source = self._constant(node.input[0], values, perm)
        if source == node.input[0]:
            return name
        made = graph.fresh(f"{name}/nchw")
        parts = [source, *node.input[1:]]
        graph.insert(
            before, helper.make_node(DEQUANTIZE, parts, [made], name=made), graph.constants[source].shape
        )
        return made

    def _constant(self, name: str, values: NDArray[np.generic], perm: Perm) -> str:
        if values.size == 1 or math.prod(values.shape) == 1:
            return name
        full = values.reshape((1,) * (len(perm) - values.ndim) + values.shape)
        return self.graph.add_constant(f"{name}/nchw", np.ascontiguousarray(full.transpose(inverse(perm))))
