"""The order in which a model's calls can be made: each after those whose tensors it takes."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Sequence

from edgenet.importers.keras_network.architecture import Ref

__all__ = ["in_order"]


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
