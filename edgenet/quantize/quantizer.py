"""From a prepared float model and calibration images to the same model in int8."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import LibraryError, UnsupportedError
from edgenet.graph.insert_qdq import SHAPE_ONLY, activations, insert_qdq
from edgenet.graph.int8 import Affine, Int8Weights
from edgenet.graph.view import Graph
from edgenet.graph.whole_mean import whole_mean
from edgenet.model import Model
from edgenet.progress import Progress, silent
from edgenet.quantize.ablation import Ablation
from edgenet.quantize.account import Quantization, Stopwatch, peak_mb
from edgenet.quantize.budget import afford
from edgenet.quantize.calibrate import calibrate, channel_statistics
from edgenet.quantize.channelwise import Shaped, balance, equalize, put_to_work, watched
from edgenet.quantize.feed import Feed, Reservoir
from edgenet.quantize.observers import OBSERVERS
from edgenet.quantize.ranges import affine, quantize_weights
from edgenet.quantize.reconstruct import Reconstruction, reconstruct
from edgenet.recipe import Recipe

__all__ = ["Quantization", "quantize"]

# Calibration images on which the passes are compared.
COMPARED = 32
Pixels = NDArray[np.uint8]


def quantize(
    model: Model, recipe: Recipe, images: Iterable[Pixels], progress: Progress = silent
) -> tuple[Model, Quantization]:
    """Quantize a prepared float model.

    Args:
        model: What :func:`edgenet.graph.prepare` returns.
        recipe: How.
        images: Calibration pixels, uint8 [1, H, W, 3] each; read once, a few ahead in a thread.
        progress: Told of the images observed ("calibrate") and the layers done ("round").

    Returns:
        The model with Q/DQ inside (precision "int8") and an account of the work.

    Raises:
        DataError: No image, useless images, or NaN on the way.
        LibraryError: The recipe names an unknown observer.
        UnsupportedError: An operator has no int8 form.
    """
    if recipe.observer not in OBSERVERS:
        raise LibraryError(
            f"recipe {recipe.name!r}: there is no observer {recipe.observer!r}",
            f"choose one of {', '.join(OBSERVERS)}",
        )
    graph = Graph(model.proto)
    _check_weights(graph)
    zero_point = whole_mean(graph)
    job = _Job(recipe, graph, zero_point, progress)
    result = job.second_order(images) if recipe.rounding == "second-order" else job.nearest(images)
    insert_qdq(job.graph, result.tensors, result.weights, zero_point)
    return model.with_proto(job.graph.proto(), precision="int8"), job.account(result)


class _Job:
    """One model on its way: the graph, the images that are kept, and the account."""

    def __init__(self, recipe: Recipe, graph: Graph, zero_point: int | None, progress: Progress) -> None:
        self.recipe, self.graph, self.zero_point, self.progress = recipe, graph, zero_point, progress
        self.watch, self.shaped = Stopwatch(), Shaped()
        self.feed: Feed | None = None
        self.lines: list[dict[str, Any]] = []

    def nearest(self, images: Iterable[Pixels]) -> Reconstruction:
        """Ranges by the observer over all images, weights to nearest."""
        if self.recipe.equalize == "none" and not self.recipe.reuse_dead:
            self.feed = Feed(images)
            with self.watch.stage("calibrate"):
                seen = calibrate(self.graph, self.feed, self.recipe.observer, self._observed(images))
            return _nearest(self.graph, seen.ranges, self.recipe)
        kept = self._shape(images)
        with self.watch.stage("observe"):
            seen = calibrate(self.graph, kept, self.recipe.observer)
        return _nearest(self.graph, seen.ranges, self.recipe)

    def second_order(self, images: Iterable[Pixels]) -> Reconstruction:
        """Channels shaped over all images, then layer by layer over some of them."""
        plain = Graph(self.graph.proto())
        kept = self._shape(images)
        count, sweeps = afford(self.graph, self.recipe, len(kept))
        kept = [kept[index * len(kept) // count] for index in range(count)]
        names = activations(self.graph)
        if self.zero_point is not None:
            names = [name for name in names if name != "pixels/centred"]
        with self.watch.stage("round"):
            how = replace(self.recipe, sweeps=sweeps)
            told = self._told("round")
            result = reconstruct(self.graph, names, kept, how, self.shaped.limits, self.shaped.shifts, told)
        with self.watch.stage("compare"):
            self._compare(plain, kept[:: max(1, len(kept) // COMPARED)][:COMPARED], result)
        return result

    def account(self, result: Reconstruction) -> Quantization:
        """What it all was and cost."""
        feed = self.feed or Feed(())
        return Quantization(
            seconds=self.watch.seconds,
            images=feed.count,
            peak_mb=peak_mb(),
            layers=tuple(result.layers),
            stages=self.watch.stages,
            passes=tuple(self.lines),
            notes=feed.notes(),
            reused=self.shaped.reused,
            equalized=self.shaped.equalized,
        )

    def _shape(self, images: Iterable[Pixels]) -> list[Pixels]:
        """Watch the channels over all images and prepare them; returns the images kept for what follows."""
        self.feed, kept = Feed(images), Reservoir(max(1, self.recipe.rounding_images))

        def noted() -> Iterable[Pixels]:
            for pixels in self.feed or ():
                kept.offer(pixels)
                yield pixels

        with self.watch.stage("calibrate"):
            names = watched(self.graph)
            seen = channel_statistics(self.graph, names, noted(), self._observed(images))
        with self.watch.stage("shape"):
            if self.recipe.reuse_dead:
                put_to_work(self.graph, seen, self.shaped)
            if self.recipe.equalize == "weights":
                balance(self.graph, seen, self.shaped, self.recipe.balance)
            elif self.recipe.equalize != "none":
                equalize(self.graph, seen, self.shaped, clip=self.recipe.equalize == "error")
        return kept.images

    def _compare(self, plain: Graph, images: Sequence[Pixels], result: Reconstruction) -> None:
        """One line for each stage, the simple ones made anew for the purpose."""
        table = Ablation(plain, images)
        for name, graph in (("min-max, nearest", plain), ("+ channels shaped", self.graph)):
            copy = Graph(graph.proto())
            ranges = calibrate(copy, images, "min-max").ranges
            ranges.update({key: (0.0, end) for key, end in self.shaped.limits.items() if graph is self.graph})
            simple = _nearest(copy, ranges, self.recipe)
            insert_qdq(copy, simple.tensors, simple.weights, self.zero_point)
            table.add(name, copy)
        final = Graph(self.graph.proto())
        insert_qdq(final, result.tensors, result.weights, self.zero_point)
        table.add("+ layer by layer", final)
        self.lines = table.lines

    def _observed(self, images: Iterable[Pixels]) -> Callable[[int], None]:
        total = len(images) if isinstance(images, Sequence) else getattr(images, "total", None)
        return lambda done: self.progress("calibrate", done, total)

    def _told(self, stage: str) -> Callable[[int, int], None]:
        return lambda done, total: self.progress(stage, done, total)


def _nearest(graph: Graph, ranges: dict[str, tuple[float, float]], recipe: Recipe) -> Reconstruction:
    """Scales from ranges, every weight to its nearest step."""
    tensors = {name: affine(*limits) for name, limits in ranges.items()}
    result = Reconstruction(tensors)
    for conv in [node for node in graph.nodes if node.op_type == "Conv"]:
        kernel, bias = graph.constants[conv.input[1]], graph.constants[conv.input[2]]
        scale = _input_scale(graph, conv.input[0], tensors)
        rounded = quantize_weights(kernel, bias, scale, recipe.granularity == "per-channel")
        result.weights[conv.output[0]] = rounded
        result.layers.append({"name": conv.name or conv.output[0], "sqnr_db": _sqnr(kernel, rounded)})
    return result


def _check_weights(graph: Graph) -> None:
    for conv in [node for node in graph.nodes if node.op_type == "Conv"]:
        if conv.input[1] not in graph.constants:
            raise UnsupportedError(
                f"Conv {conv.name!r} computes its kernel while it runs",
                "export it with constant weights",
            )
        kernel, bias = graph.constants[conv.input[1]], graph.constants[conv.input[2]]
        if not np.isfinite(kernel).all() or not np.isfinite(bias).all():
            raise UnsupportedError(f"Conv {conv.name!r} has NaN or infinite weights", "check the training")


def _input_scale(graph: Graph, name: str, tensors: dict[str, Affine]) -> float:
    """The int8 scale of a convolution's input, looked up through reshapes; 1 for the pixels."""
    while name not in tensors:
        producer = graph.producer(name)
        if producer is None or producer.op_type not in SHAPE_ONLY:
            return 1.0
        name = producer.input[0]
    return tensors[name].scale


def _sqnr(kernel: NDArray[np.float32], rounded: Int8Weights) -> float:
    """Signal to quantization noise of the weights, in dB; 120 where nothing was lost."""
    scales = rounded.scales.reshape(-1, *[1] * (kernel.ndim - 1))
    noise = float(np.square(kernel - rounded.values * scales, dtype=np.float64).mean())
    signal = float(np.square(kernel, dtype=np.float64).mean())
    return round(10 * np.log10(signal / noise), 1) if noise > signal * 1e-12 else 120.0
