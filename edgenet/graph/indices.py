"""What a graph knows without looking at all of its nodes: their order, and which of them mention a tensor.

Nodes are told apart by identity: two with the same text are two, and comparing protobufs is slow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from onnx import NodeProto

__all__ = ["Mentions", "Order"]

# Distance between the labels of neighbors; halved by each insertion at one place.
GAP = 1 << 60


@dataclass(slots=True, eq=False)
class _Place:
    node: NodeProto
    label: int
    before: _Place | None = None
    after: _Place | None = None


class Order:
    """A doubly linked list of nodes with growing labels: who stands first is one comparison.

    Where the labels between two neighbors are used up, all are given anew (Dietz and Sleator, "Two algorithms
    for maintaining order in a list", STOC 1987, in its simplest form).
    """

    def __init__(self) -> None:
        self._places: dict[int, _Place] = {}
        self._first: _Place | None = None
        self._last: _Place | None = None
        self._nodes: tuple[NodeProto, ...] | None = ()

    @property
    def nodes(self) -> tuple[NodeProto, ...]:
        """All nodes in order; made again only after a change."""
        if self._nodes is None:
            self._nodes = tuple(place.node for place in self._walk())
        return self._nodes

    def insert(self, node: NodeProto, before: NodeProto | None) -> None:
        """Put a node before another one, at the end if ``None``.

        Raises:
            ValueError: The node is there already, or the other one is not.
        """
        if id(node) in self._places:
            raise ValueError(f"{node.op_type} {node.name!r} is in the graph already")
        after = None if before is None else self._place(before)
        place = _Place(node, 0, self._last if after is None else after.before, after)
        self._places[id(node)], self._nodes = place, None
        self._join(place.before, place)
        self._join(place, after)
        self._label(place)

    def remove(self, node: NodeProto) -> None:
        """Take a node out.

        Raises:
            ValueError: It is not there.
        """
        place = self._place(node)
        del self._places[id(node)]
        self._nodes = None
        self._join(place.before, place.after)

    def following(self, node: NodeProto) -> NodeProto | None:
        """The node behind one; ``None`` for the last."""
        after = self._place(node).after
        return None if after is None else after.node

    def ordered(self, nodes: Iterable[NodeProto]) -> list[NodeProto]:
        """Some of the nodes, in their order."""
        found = list(nodes)
        return sorted(found, key=lambda node: self._places[id(node)].label) if len(found) > 1 else found

    def _place(self, node: NodeProto) -> _Place:
        place = self._places.get(id(node))
        if place is None:
            raise ValueError(f"{node.op_type} {node.name!r} is not in the graph")
        return place

    def _walk(self) -> Iterable[_Place]:
        place = self._first
        while place is not None:
            yield place
            place = place.after

    def _join(self, before: _Place | None, after: _Place | None) -> None:
        if before is None:
            self._first = after
        else:
            before.after = after
        if after is None:
            self._last = before
        else:
            after.before = before

    def _label(self, place: _Place) -> None:
        low = place.before.label if place.before else 0
        high = place.after.label if place.after else low + 2 * GAP
        place.label = (low + high) // 2
        if place.label == low:
            for number, item in enumerate(self._walk(), 1):
                item.label = number * GAP


@dataclass(slots=True)
class Mentions:
    """Name of a tensor → the nodes that mention it, each with how often it does.

    The empty name, which stands for an operand left out, is no tensor.
    """

    _nodes: dict[str, dict[int, tuple[NodeProto, int]]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def of(self, name: str) -> list[NodeProto]:
        """The nodes, each once, in no order."""
        return [node for node, _ in self._nodes.get(name, {}).values()]

    def add(self, name: str, node: NodeProto) -> None:
        """Note one more mention."""
        if not name:
            return
        found = self._nodes.setdefault(name, {})
        found[id(node)] = node, found.get(id(node), (node, 0))[1] + 1

    def drop(self, name: str, node: NodeProto) -> None:
        """Forget one mention."""
        if not name:
            return
        found = self._nodes[name]
        count = found[id(node)][1] - 1
        if count:
            found[id(node)] = node, count
            return
        del found[id(node)]
        if not found:
            del self._nodes[name]
