"""The order in which a model's calls can be made, and which of them its answers need."""

from __future__ import annotations

import heapq
import json
import re
from collections import defaultdict
from collections.abc import Collection, Sequence

from edgenet.importers.keras_network.architecture import Entry, Ref

__all__ = ["in_order", "needed_calls"]

# Functions of TensorFlow, and operators of its graphs, that read the shape of a tensor and no number of it.
SHAPES = re.compile(
    r"^(compat\.v[12]\.)?(shape|shape_v2|size|size_v2|rank|(zeros|ones)_like(_v2)?)$", re.IGNORECASE
)


def in_order(calls: Sequence[tuple[Ref, Collection[Ref]]]) -> list[int]:
    """Numbers of the calls, as near to the given order as can be.

    Args:
        calls: What each gives, and the distinct ones that it waits for.

    Returns:
        Those that can be made; one that waits for itself, or for what nobody gives, is not among them.
    """
    waiting = [len(taken) for _, taken in calls]
    readers: dict[Ref, list[int]] = defaultdict(list)
    for number, (_, taken) in enumerate(calls):
        for ref in taken:
            readers[ref].append(number)
    ready = [number for number, count in enumerate(waiting) if not count]
    order = []
    while ready:
        order.append(number := heapq.heappop(ready))
        for reader in readers.pop(calls[number][0], ()):
            waiting[reader] -= 1
            if not waiting[reader]:
                heapq.heappush(ready, reader)
    return order


def needed_calls(
    calls: Sequence[tuple[Ref, Entry, Collection[Ref]]], given: Collection[Ref], ends: Collection[Ref]
) -> set[Ref]:
    """The calls on which those ends depend that are not the same for every picture.

    A branch that reads shapes alone, as one that lays out a detector's anchors, makes constants, whatever its
    layers are called.

    Args:
        calls: What each gives, its layer and what it takes, in the order in which they can be made.
        given: The inputs.
        ends: What the model gives.

    Returns:
        All calls where no end depends on an input.
    """
    moving = set(given)
    for made, entry, taken in calls:
        if not moving.isdisjoint(taken) and not _reads_shape(entry):
            moving.add(made)
    needed = moving.intersection(ends)
    if not needed:
        return {made for made, _, _ in calls}
    for made, _, taken in reversed(calls):
        if made in needed:
            needed.update(taken)
    return needed


def _reads_shape(entry: Entry) -> bool:
    name: object = entry.config.get("function")
    if entry.kind == "TensorFlowOpLayer":
        node: object = entry.config.get("node_def")
        try:
            node = json.loads(node) if isinstance(node, str) else node
        except (ValueError, RecursionError):
            return False
        name = node.get("op") if isinstance(node, dict) else None
    return isinstance(name, str) and SHAPES.match(name) is not None
