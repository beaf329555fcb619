"""Run the float graph over the calibration images and observe the tensors that will be int8."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import DataError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.channel_outputs import channel_outputs
from edgenet.graph.qdq.insert import activations
from edgenet.quantize.calibration.channel_statistics import ChannelStatistics
from edgenet.quantize.calibration.observers import OBSERVERS, Observer
from edgenet.quantize.calibration.ranges import with_headroom
from edgenet.threads import usable_threads

__all__ = ["Calibration", "calibrate", "calibration_threads", "channel_statistics"]

# ONNX Runtime's kernels give the same bits with any number; small networks gain nothing from more.
MOST_THREADS = 4


@dataclass(frozen=True)
class Calibration:
    """What was seen: tensor name → (low, high) in real units, and over how many images."""

    ranges: dict[str, tuple[float, float]]
    images: int


def calibration_threads() -> int:
    """Threads for runs of the float network over the images."""
    return min(MOST_THREADS, usable_threads())


def calibrate(
    graph: Graph,
    images: Iterable[NDArray[np.uint8]],
    observer: str,
    progress: Callable[[int], None] = lambda _: None,
    headroom: float = 0.0,
    names: Sequence[str] | None = None,
) -> Calibration:
    """Observe activations over the images, one image's tensors in memory at a time.

    Args:
        graph: A prepared float graph.
        images: uint8 [1, H, W, 3] each.
        observer: A name of ``OBSERVERS``.
        progress: Called with the number of images done.
        headroom: The share by which ranges are wider than what was seen.
        names: Of the tensors; default is every activation.

    Raises:
        DataError: There is no image, or the network computes NaN or infinity.
    """
    names = activations(graph) if names is None else names
    evaluator = Evaluator(graph.proto(), names, calibration_threads(), lean=True)
    observers: dict[str, Observer] = {name: OBSERVERS[observer]() for name in names}
    done = 0
    for pixels in images:
        for name, values in evaluator.run(pixels).items():
            try:
                observers[name].update(values)
            except DataError as error:
                raise DataError(f"{error.what}, at {name}", error.remedy) from None
        done += 1
        progress(done)
    if done == 0:
        raise DataError("no calibration image", "give --calibration DIR with typical images")
    ranges = {name: with_headroom(graph, name, item.range(), headroom) for name, item in observers.items()}
    return Calibration(ranges, done)


def channel_statistics(
    graph: Graph,
    names: Sequence[str],
    images: Iterable[NDArray[np.uint8]],
    progress: Callable[[int], None] = lambda _: None,
    parts: int = 1,
) -> list[dict[str, ChannelStatistics]]:
    """Watch the channels of some tensors [1, channels, rows, columns] over the images.

    Args:
        graph: A prepared float graph.
        names: The tensors.
        images: uint8 [1, H, W, 3] each.
        progress: Called with the number of images done.
        parts: The images are dealt to so many parts in turn.

    Returns:
        What each part saw.

    Raises:
        DataError: The network computes NaN or infinity; names the tensor.
    """
    seen = [{name: ChannelStatistics(name, graph.shape(name)[1]) for name in names} for _ in range(parts)]
    model, outputs = channel_outputs(graph, names)
    given = [output for item in outputs.values() for output in item.names]
    run = Evaluator(model, given, calibration_threads(), lean=True).run if names else lambda _: {}
    for done, values in enumerate(map(run, images), 1):
        for name, item in outputs.items():
            high, mean = values[item.high].reshape(-1), values[item.mean].reshape(-1)
            low = values[item.low].reshape(-1) if item.low else np.zeros_like(high)
            seen[(done - 1) % parts][name].update(low, high, mean)
        progress(done)
    return seen
