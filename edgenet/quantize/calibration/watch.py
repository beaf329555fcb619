"""One pass over the calibration images: the channels' extremes, and the images that are needed again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.graph import Graph
from edgenet.quantize.calibration.calibrate import channel_statistics
from edgenet.quantize.calibration.channel_statistics import ChannelStatistics
from edgenet.quantize.calibration.image_stream import FEWEST, Reservoir
from edgenet.recipe import Recipe

__all__ = ["Statistics", "Watched", "watch"]

# The most calibration images from which those are taken that judge a drift limit.
JUDGED = 256
# The most of each half, where one half judges what was made with the other.
HALF = 96

Pixels = NDArray[np.uint8]
Statistics = Mapping[str, ChannelStatistics]


@dataclass(frozen=True)
class Watched:
    """What was seen and kept.

    Attributes:
        seen: Statistics of every watched tensor: over all images, or over each half of them.
        images: Images kept for rounding: of all, or of each half.
        others: Images to judge a drift limit by, none of them used for rounding if there are enough.
    """

    seen: Sequence[Statistics]
    images: Sequence[Sequence[Pixels]]
    others: Sequence[Pixels]

    @property
    def halves(self) -> bool:
        """Whether each half has images enough to make something, or to judge it."""
        return len(self.images) > 1 and all(len(half) >= FEWEST for half in self.images)

    def all(self) -> Statistics:
        """The statistics over all images; a copy."""
        first, *others = self.seen
        return {name: item.joined(*(half[name] for half in others)) for name, item in first.items()}

    def half(self, index: int) -> Statistics:
        """The statistics over one half; a copy."""
        return {name: item.joined() for name, item in self.seen[index].items()}

    def kept(self) -> list[Pixels]:
        """All images kept for rounding, those of both halves in turn."""
        longest = max(map(len, self.images))
        return [half[index] for index in range(longest) for half in self.images if index < len(half)]


def watch(
    graph: Graph,
    names: Sequence[str],
    images: Iterable[Pixels],
    recipe: Recipe,
    progress: Callable[[int], None],
) -> Watched:
    """Run the float network over all images once.

    Args:
        graph: A prepared float graph.
        names: The tensors to watch.
        images: uint8 [1, H, W, 3] each.
        recipe: Says how many images are needed again, and for what.
        progress: Called with the number of images done.

    Raises:
        DataError: There is no image, or the network computes NaN or infinity.
    """
    parts = 2 if recipe.variants else 1
    kept = [Reservoir(HALF if parts > 1 else max(1, recipe.rounding_images)) for _ in range(parts)]
    wide = Reservoir(JUDGED if recipe.max_drift else 1)

    def noted() -> Iterable[Pixels]:
        for index, pixels in enumerate(images):
            kept[index % parts].offer(pixels)
            wide.offer(pixels)
            yield pixels

    seen = channel_statistics(graph, names, noted(), progress, parts)
    used = {id(pixels) for half in kept for pixels in half.images}
    others = [pixels for pixels in wide.images if id(pixels) not in used]
    others = others if len(others) >= FEWEST else wide.images
    return Watched(seen, [half.images for half in kept], others)
