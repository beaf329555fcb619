"""Add nodes to the end of a graph, their outputs named and shaped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from edgenet.graph.graph import Graph

__all__ = ["Emitter"]


class Emitter:
    """Writes operators behind those that a graph has.

    Args:
        graph: Edited in place.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._constants: dict[tuple[str, bytes], str] = {}

    def node(self, kind: str, inputs: Sequence[str], shape: Sequence[int], **options: Any) -> str:
        """One more operator with one output; returns the output's name."""
        name = self.graph.fresh(f"gradient/{kind}")
        node = helper.make_node(kind, list(inputs), [name], name=name, **options)
        self.graph.insert(None, node, shape)
        return name

    def constant(self, value: Any, kind: type = np.float32) -> str:
        """A constant, kept once."""
        array: NDArray[Any] = np.asarray(value, kind)
        key = (str((array.dtype, array.shape)), array.tobytes())
        if key not in self._constants:
            self._constants[key] = self.graph.add_constant("gradient/constant", array)
        return self._constants[key]

    def shape(self, name: str) -> tuple[int, ...]:
        """The static shape of a tensor."""
        return self.graph.shape(name)

    def reshape(self, name: str, shape: Sequence[int]) -> str:
        """The same numbers in another shape; the tensor itself where it has that shape."""
        if self.shape(name) == tuple(shape):
            return name
        return self.node("Reshape", [name, self.constant(shape, np.int64)], shape)

    def times(self, first: str, second: str) -> str:
        """The product of a tensor and of another one that has its shape or is broadcast to it."""
        return self.node("Mul", [first, second], self.shape(first))

    def plus(self, first: str, second: str) -> str:
        """The sum, shaped as :meth:`times`."""
        return self.node("Add", [first, second], self.shape(first))

    def choose(self, condition: str, value: str, other: str | None = None) -> str:
        """The value where a condition of its shape holds, elsewhere the other one, or zero."""
        rest = self.constant(0.0) if other is None else other
        return self.node("Where", [condition, value, rest], self.shape(value))

    def above(self, value: str, limit: float) -> str:
        """Where a tensor is at least a limit; bool."""
        return self.node("GreaterOrEqual", [value, self.constant(limit)], self.shape(value))

    def below(self, value: str, limit: float) -> str:
        """Where a tensor is at most a limit; bool."""
        return self.node("LessOrEqual", [value, self.constant(limit)], self.shape(value))

    def sum(self, value: str, axes: Sequence[int]) -> str:
        """The sum along some axes, which stay as axes of length 1."""
        shape = [1 if axis in axes else size for axis, size in enumerate(self.shape(value))]
        return self.node("ReduceSum", [value, self.constant(axes, np.int64)], shape, keepdims=1)

    def summed_to(self, value: str, shape: Sequence[int]) -> str:
        """A gradient summed over what broadcasting repeated, in the shape of what was broadcast."""
        own = self.shape(value)
        padded = (1,) * (len(own) - len(shape)) + tuple(shape)
        axes = [axis for axis, (wide, one) in enumerate(zip(own, padded, strict=True)) if one == 1 != wide]
        return self.reshape(self.sum(value, axes) if axes else value, shape)
