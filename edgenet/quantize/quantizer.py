"""From a prepared float model and calibration images to the same model in int8."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgenet.errors import LibraryError, UnsupportedError
from edgenet.graph.graph import Graph
from edgenet.model import Model
from edgenet.progress import Progress, silent
from edgenet.quantize.ablation import Ablation
from edgenet.quantize.calibration.calibrate import calibrate
from edgenet.quantize.calibration.image_stream import Feed
from edgenet.quantize.calibration.observers import OBSERVERS
from edgenet.quantize.calibration.watch import Watched, watch
from edgenet.quantize.equalization import watched
from edgenet.quantize.memory import malloc_trim
from edgenet.quantize.network_fit import NetworkFit, Pixels, spread
from edgenet.quantize.result import Quantization, Stopwatch, peak_mb
from edgenet.quantize.rounding.layerwise import Reconstruction
from edgenet.quantize.rounding.round_to_nearest import nearest
from edgenet.quantize.variants import Variant, best_variant, told
from edgenet.recipe import Recipe
from edgenet.threads import one_blas_thread

__all__ = ["Quantization", "quantize"]

# Calibration images on which the passes are compared.
COMPARED = 32


@one_blas_thread()
def quantize(
    model: Model, recipe: Recipe, images: Iterable[Pixels], progress: Progress = silent
) -> tuple[Model, Quantization]:
    """Quantize a prepared float model.

    Args:
        model: What :func:`edgenet.graph.passes.prepare` returns.
        recipe: How.
        images: Calibration pixels, uint8 [1, H, W, 3] each; read once, a few ahead in a thread.
        progress: Called for the images observed and the layers done.

    Returns:
        The model with Q/DQ inside (precision "int8", or "int8-dynamic" with int8 weights alone) and an
        account of the work.

    Raises:
        DataError: No image, useless images, or NaN on the way.
        DriftError: The recipe's drift limit cannot be kept.
        LibraryError: The recipe names an unknown observer or layer, or makes fp16.
        UnsupportedError: An operator has no int8 form.
    """
    if recipe.observer not in OBSERVERS:
        raise LibraryError(
            f"recipe {recipe.name!r}: there is no observer {recipe.observer!r}",
            f"choose one of {', '.join(OBSERVERS)}",
        )
    if recipe.precision == "fp16":
        raise LibraryError(f"recipe {recipe.name!r} makes fp16", "let compile write it: nothing is quantized")
    graph = Graph(model.proto)
    _check_weights(graph)
    run = _Run(NetworkFit(model.task, recipe, graph, progress, Stopwatch()))
    result = run.second_order(images) if recipe.rounding == "second-order" else run.nearest(images)
    finished = run.network.finished(graph, result)
    return model.with_proto(finished.proto(), precision=recipe.precision), run.account(result)


class _Run:
    """A network and the user's images: what they are used for, and the account."""

    def __init__(self, network: NetworkFit) -> None:
        self.network, self.watch = network, network.watch
        self.plain = network.graph.copy()
        self.feed: Feed | None = None
        self.lines: list[dict[str, Any]] = []
        self.variants: list[Variant] = []
        self.said: tuple[str, ...] = ()  # how it was chosen between them

    def nearest(self, images: Iterable[Pixels]) -> Reconstruction:
        """Ranges by the observer over all images, weights to nearest."""
        graph, recipe = self.network.graph, self.network.recipe
        if not self.network.whole:
            return nearest(graph, {}, recipe)
        if recipe.equalize == "none" and not recipe.reuse_dead:
            self.feed = Feed(images)
            with self.watch.stage("calibrate"):
                seen = calibrate(graph, self.feed, recipe.observer, self._observed(images), recipe.headroom)
            return nearest(graph, seen.ranges, recipe)
        found = self._watch(images)
        kept = found.kept()
        self.network.shape(found.all(), kept)
        with self.watch.stage("observe"):
            seen = calibrate(graph, kept, recipe.observer, headroom=recipe.headroom)
        return nearest(graph, seen.ranges, recipe)

    def second_order(self, images: Iterable[Pixels]) -> Reconstruction:
        """Channels shaped over all images, then layer by layer over some of them."""
        found = self._watch(images)
        if self.network.recipe.variants:
            self.network.recipe = self._chosen(found)
        kept = spread(found.kept(), max(1, self.network.recipe.rounding_images))
        result = self.network.fit(found.all(), kept, found.others)
        with self.watch.stage("compare"):
            self._compare(kept[:: max(1, len(kept) // COMPARED)][:COMPARED], result)
        return result

    def account(self, result: Reconstruction) -> Quantization:
        """What it all was and cost."""
        feed, shaped = self.feed or Feed(()), self.network.shaped
        return Quantization(
            seconds=self.watch.seconds,
            images=feed.count,
            peak_mb=peak_mb(),
            layers=tuple(result.layers),
            stages=self.watch.stages,
            passes=tuple(self.lines),
            notes=(*feed.notes(), *self.said),
            variants=tuple(item.to_table() for item in self.variants),
            reused=shaped.reused,
            equalized=shaped.equalized,
            attempts=tuple(attempt.to_table() for attempt in self.network.attempts),
        )

    def _watch(self, images: Iterable[Pixels]) -> Watched:
        """Go through all images once."""
        self.feed = Feed(images)
        names = watched(self.network.graph) if self.network.whole else []
        with self.watch.stage("calibrate"):
            return watch(self.network.graph, names, self.feed, self.network.recipe, self._observed(images))

    def _chosen(self, found: Watched) -> Recipe:
        """The recipe, or the variant of it that does best on images that it was not made with."""
        task, graph, progress = self.network.task, self.network.graph, self.network.progress
        if not found.halves:
            self.said = ("too few calibration images to choose between the variants of the recipe",)
            return self.network.recipe.varied({})
        judge = Ablation(task, graph, found.images[1])

        def judged(recipe: Recipe, words: str) -> Mapping[str, Any]:
            trial = replace(recipe, max_drift=0.0)
            network = NetworkFit(task, trial, graph.copy(), _prefixed(progress, words), Stopwatch())
            result = network.fit(found.half(0), spread(found.images[0], trial.rounding_images))
            line = judge.add("", network.finished(network.graph, result))
            gc.collect()  # sessions in closures
            malloc_trim()
            return line

        with self.watch.stage("variants"):
            recipe, self.variants = best_variant(self.network.recipe, judged)
        self.said = (told(self.variants),)
        return recipe

    def _compare(self, images: Sequence[Pixels], result: Reconstruction) -> None:
        """One line for each stage, the simple ones made anew for the purpose."""
        network, shaped = self.network, self.network.graph
        table = Ablation(network.task, self.plain, images)
        simple = [("min-max, nearest", self.plain), ("+ channels shaped", shaped)]
        for name, graph in simple if network.whole else [("nearest", self.plain)]:
            ranges = calibrate(graph, images, "min-max").ranges if network.whole else {}
            ranges.update({key: (0.0, end) for key, end in network.shaped.limits.items() if graph is shaped})
            table.add(name, network.finished(graph, nearest(graph, ranges, network.recipe)))
        table.add("+ layer by layer", network.finished(shaped, result))
        self.lines += table.lines

    def _observed(self, images: Iterable[Pixels]) -> Callable[[int], None]:
        total = len(images) if isinstance(images, Sequence) else getattr(images, "total", None)
        return lambda done: self.network.progress("calibrating (images)", done, total)


def _prefixed(progress: Progress, words: str) -> Progress:
    return lambda stage, done, total: progress(words + stage, done, total)


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
