"""From a prepared float model and calibration images to the same model in int8."""

from __future__ import annotations

import difflib
import gc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import LibraryError, UnsupportedError
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.insert import activations, insert_qdq, insert_weights, set_weights
from edgenet.graph.qdq.integer_mean import integer_mean
from edgenet.graph.qdq.movers import moved_from
from edgenet.graph.qdq.wide import is_convolved_end
from edgenet.graph.segments import Step, steps
from edgenet.model import Model
from edgenet.progress import Progress, silent
from edgenet.quantize.ablation import Ablation
from edgenet.quantize.calibration.calibrate import calibrate
from edgenet.quantize.calibration.curvature import channel_curvature
from edgenet.quantize.calibration.image_stream import Feed
from edgenet.quantize.calibration.observers import OBSERVERS
from edgenet.quantize.calibration.watch import Statistics, Watched, watch
from edgenet.quantize.equalization import EqualizationResult, equalize_channels, lanes_to_split, watched
from edgenet.quantize.memory import malloc_trim
from edgenet.quantize.mixed_precision.candidates import Choice, Times, choices, kept_by
from edgenet.quantize.mixed_precision.search import Attempt, drift_budget_search
from edgenet.quantize.mixed_precision.sensitivity import sensitivity
from edgenet.quantize.result import Quantization, Stopwatch, peak_mb
from edgenet.quantize.rounding.compute_budget import plan_compute
from edgenet.quantize.rounding.layerwise import Kept, Reconstruction, reconstruct
from edgenet.quantize.rounding.round_to_nearest import nearest
from edgenet.quantize.variants import Variant, best_variant, told
from edgenet.recipe import Recipe
from edgenet.task import Task
from edgenet.threads import one_blas_thread

__all__ = ["Quantization", "quantize"]

# Calibration images on which the passes are compared.
COMPARED = 32
Pixels = NDArray[np.uint8]


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
    job = _Job(model.task, recipe, graph, progress)
    result = job.second_order(images) if recipe.rounding == "second-order" else job.nearest(images)
    finished = job.finished(job.graph, result)
    return model.with_proto(finished.proto(), precision=recipe.precision), job.account(result)


class _Job:
    """One model on its way: the graph, the images that are kept, and the account."""

    def __init__(self, task: Task, recipe: Recipe, graph: Graph, progress: Progress) -> None:
        self.task = task
        self.recipe, self.graph, self.progress = recipe, graph, progress
        self.whole = recipe.precision == "int8"  # activations too
        self.zero_point = integer_mean(graph).zero_point if self.whole else None
        self.watch, self.shaped = Stopwatch(), EqualizationResult()
        self.feed: Feed | None = None
        self.lines: list[dict[str, Any]] = []
        self.attempts: list[Attempt] = []
        self.variants: list[Variant] = []
        self.said: tuple[str, ...] = ()  # how it was chosen between them
        self.plain = graph.copy()

    def nearest(self, images: Iterable[Pixels]) -> Reconstruction:
        """Ranges by the observer over all images, weights to nearest."""
        if not self.whole:
            return nearest(self.graph, {}, self.recipe)
        if self.recipe.equalize == "none" and not self.recipe.reuse_dead:
            self.feed = Feed(images)
            with self.watch.stage("calibrate"):
                seen = calibrate(
                    self.graph, self.feed, self.recipe.observer, self._observed(images), self.recipe.headroom
                )
            return nearest(self.graph, seen.ranges, self.recipe)
        found = self._watch(images)
        kept = found.kept()
        self._shape(found.all(), kept)
        with self.watch.stage("observe"):
            seen = calibrate(self.graph, kept, self.recipe.observer, headroom=self.recipe.headroom)
        return nearest(self.graph, seen.ranges, self.recipe)

    def second_order(self, images: Iterable[Pixels]) -> Reconstruction:
        """Channels shaped over all images, then layer by layer over some of them."""
        found = self._watch(images)
        if self.recipe.variants:
            self.recipe = self._chosen(found)
        kept = _spread(found.kept(), max(1, self.recipe.rounding_images))
        result = self.fit(found.all(), kept, found.others)
        with self.watch.stage("compare"):
            self._compare(kept[:: max(1, len(kept) // COMPARED)][:COMPARED], result)
        return result

    def fit(
        self, seen: Statistics, images: Sequence[Pixels], others: Sequence[Pixels] = ()
    ) -> Reconstruction:
        """Shape the channels as some images showed them, and quantize layer by layer over some.

        Args:
            seen: Statistics of every watched tensor; they follow what is done.
            images: To round by.
            others: To judge a drift limit by.
        """
        self._shape(seen, images)
        count, sweeps = plan_compute(self.graph, self.recipe, len(images))
        images = _spread(images, count)
        how = replace(self.recipe, sweeps=sweeps)
        parts = steps(self.graph, self._names())

        def rounded(chosen: Iterable[str]) -> Reconstruction:
            kept = kept_by(parts, chosen)
            tensors = kept.tensors | self._scores("float") if self.whole else frozenset(self._names())
            with self.watch.stage("round"):
                shapes, told = (
                    (self.shaped.limits, self.shaped.shifts),
                    self._told("rounding weights (layers)"),
                )
                convs = kept.convs if self.whole else frozenset()
                kept = Kept(convs, tensors, self._scores("int16") - tensors)
                return reconstruct(self.task, self.graph, parts, images, how, *shapes, told, kept)

        own = _named(parts, self.recipe.float_layers)
        result = rounded(own)
        if self.recipe.max_drift:
            judge = Ablation(self.task, self.plain, others)
            result = self._within(parts, images, judge, rounded, own, result)
        return result

    def finished(self, graph: Graph, result: Reconstruction) -> Graph:
        """A copy of a float graph with the result in it."""
        copy = graph.copy()
        set_weights(copy, result.real)
        if self.whole:
            insert_qdq(copy, result.tensors, result.weights, self.zero_point)
        else:
            insert_weights(copy, result.weights, result.biases)
        return copy

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
            notes=(*feed.notes(), *self.said),
            variants=tuple(item.to_table() for item in self.variants),
            reused=self.shaped.reused,
            equalized=self.shaped.equalized,
            attempts=tuple(attempt.to_table() for attempt in self.attempts),
        )

    def _names(self) -> list[str]:
        """The tensors that are rounded when nothing stays in float."""
        names = activations(self.graph)
        return names if self.zero_point is None else [name for name in names if name != "pixels/centered"]

    def _within(
        self,
        parts: Sequence[Step],
        images: Sequence[Pixels],
        judge: Ablation,
        rounded: Callable[[Iterable[str]], Reconstruction],
        own: frozenset[str],
        result: Reconstruction,
    ) -> Reconstruction:
        """Keep the recipe's limit with the fastest set of float layers that does."""

        def attempt(choice: Choice, made: Reconstruction) -> Attempt:
            with self.watch.stage("judge"):
                return Attempt(choice, judge.add("", self.finished(self.graph, made)), made)

        def offers() -> list[Choice]:
            with self.watch.stage("sensitivity"):
                memory, told = self.recipe.memory_mb, self._told("finding layers that need float (layers)")
                shifts = self.shaped.shifts
                self.sources = sensitivity(self.task, self.graph, parts, images, result, shifts, memory, told)
            times = Times.of(self.graph, parts)
            return [
                item for item in choices(parts, self.sources, times) if own <= item.steps or not item.steps
            ]

        self.attempts = drift_budget_search(
            self.recipe.max_drift,
            attempt(Choice(own, 1.0, 0.0), result),
            offers,
            lambda choice: attempt(choice, rounded(choice.steps)),
        )
        return cast(Reconstruction, self.attempts[-1].result)

    def _shape(self, seen: Statistics, images: Sequence[Pixels]) -> None:
        """Prepare the channels; the statistics follow."""
        with self.watch.stage("shape"):
            self.shaped = equalize_channels(self.graph, seen, self.recipe, self._curvature(seen, images))

    def _watch(self, images: Iterable[Pixels]) -> Watched:
        """Go through all images once."""
        self.feed = Feed(images)
        names = watched(self.graph) if self.whole else []
        with self.watch.stage("calibrate"):
            return watch(self.graph, names, self.feed, self.recipe, self._observed(images))

    def _chosen(self, found: Watched) -> Recipe:
        """The recipe, or the variant of it that does best on images that it was not made with."""
        if not found.halves:
            self.said = ("too few calibration images to choose between the variants of the recipe",)
            return self.recipe.varied({})
        judge = Ablation(self.task, self.graph, found.images[1])

        def judged(recipe: Recipe, words: str) -> Mapping[str, Any]:
            trial = replace(recipe, max_drift=0.0)
            job = _Job(self.task, trial, self.graph.copy(), _prefixed(self.progress, words))
            result = job.fit(found.half(0), _spread(found.images[0], trial.rounding_images))
            line = judge.add("", job.finished(job.graph, result))
            gc.collect()  # sessions in closures
            malloc_trim()
            return line

        with self.watch.stage("variants"):
            recipe, self.variants = best_variant(self.recipe, judged)
        self.said = (told(self.variants),)
        return recipe

    def _scores(self, how: str) -> frozenset[str]:
        """The tensors that the network's outputs are, where the recipe wants these so ("float", "int16").

        16 bits are for what a convolution computes and nothing else reads; other outputs stay float.
        """
        if self.recipe.scores not in ("float", "int16"):
            return frozenset()
        names = set(self._names())
        ends = (moved_from(self.graph, name, names) for name in self.graph.outputs)
        found = frozenset(name for name in ends if name is not None)
        if self.recipe.scores == "float":
            return found if how == "float" else frozenset()
        wide = frozenset(name for name in found if is_convolved_end(self.graph, name))
        return wide if how == "int16" else found - wide

    def _curvature(self, seen: Statistics, images: Sequence[Pixels]) -> dict[str, NDArray[np.float64]]:
        """What noise in channels does to the answers, where that decides how they are shaped."""
        recipe, names = self.recipe, []
        if recipe.quiet_headroom:
            names = [name for name in seen if len(self.graph.shape(name)) == 4]
        elif recipe.reuse_dead:
            lanes = lanes_to_split(self.graph, seen, recipe.spare_channels)
            names = [name for lane in lanes for name in (lane.inner, lane.outer)]
        return channel_curvature(self.task, self.graph, names, images)

    def _compare(self, images: Sequence[Pixels], result: Reconstruction) -> None:
        """One line for each stage, the simple ones made anew for the purpose."""
        plain = self.plain
        table = Ablation(self.task, plain, images)
        simple = [("min-max, nearest", plain), ("+ channels shaped", self.graph)]
        for name, graph in simple if self.whole else [("nearest", plain)]:
            ranges = calibrate(graph, images, "min-max").ranges if self.whole else {}
            ranges.update({key: (0.0, end) for key, end in self.shaped.limits.items() if graph is self.graph})
            table.add(name, self.finished(graph, nearest(graph, ranges, self.recipe)))
        table.add("+ layer by layer", self.finished(self.graph, result))
        self.lines += table.lines

    def _observed(self, images: Iterable[Pixels]) -> Callable[[int], None]:
        total = len(images) if isinstance(images, Sequence) else getattr(images, "total", None)
        return lambda done: self.progress("calibrating (images)", done, total)

    def _told(self, stage: str) -> Callable[[int, int], None]:
        return lambda done, total: self.progress(stage, done, total)


def _prefixed(progress: Progress, words: str) -> Progress:
    return lambda stage, done, total: progress(words + stage, done, total)


def _spread(images: Sequence[Pixels], count: int) -> list[Pixels]:
    """At most ``count`` of some images, from all over them."""
    count = min(count, len(images))
    return [images[index * len(images) // count] for index in range(count)]


def _named(parts: Sequence[Step], names: Sequence[str]) -> frozenset[str]:
    """The outputs of the steps that a recipe names."""
    known = {step.name: step.output for step in parts}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, list(known), 1)
            raise LibraryError(
                f"float_layers: the model has no layer {name!r}",
                f"did you mean {near[0]}?" if near else f"its layers are {', '.join(known)}",
            )
    return frozenset(known[name] for name in names)


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
