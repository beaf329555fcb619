"""One network on its way to int8: its channels shaped, its layers rounded, its drift limit kept."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import LibraryError
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.insert import activations, insert_qdq, insert_weights, set_weights
from edgenet.graph.qdq.integer_mean import integer_mean
from edgenet.graph.qdq.movers import moved_from
from edgenet.graph.qdq.wide import is_convolved_end
from edgenet.graph.segments import Step, steps
from edgenet.progress import Progress
from edgenet.quantize.ablation import Ablation
from edgenet.quantize.calibration.curvature import channel_curvature
from edgenet.quantize.calibration.watch import Statistics
from edgenet.quantize.equalization import EqualizationResult, equalize_channels, lanes_to_split
from edgenet.quantize.mixed_precision.candidates import Choice, Times, choices, kept_by
from edgenet.quantize.mixed_precision.search import Attempt, drift_budget_search
from edgenet.quantize.mixed_precision.sensitivity import sensitivity
from edgenet.quantize.noise_tradeoff import trade_noise
from edgenet.quantize.result import Stopwatch
from edgenet.quantize.rounding.compute_budget import plan_compute
from edgenet.quantize.rounding.layerwise import Kept, Reconstruction, reconstruct
from edgenet.recipe import Recipe
from edgenet.task import Task

__all__ = ["NetworkFit", "Pixels", "spread"]

Pixels = NDArray[np.uint8]


class NetworkFit:
    """A float graph, a recipe, and what becomes of them.

    Args:
        task: What the network is for.
        recipe: How to quantize.
        graph: Prepared; its channels are shaped in place.
        progress: Called for the layers done.
        watch: Takes the time of each stage.

    Attributes:
        whole: Whether activations become integers, too.
        zero_point: Of the pixels, where their mean is one.
        shaped: What was done to the channels.
        attempts: What was tried to keep the drift limit.
    """

    def __init__(
        self, task: Task, recipe: Recipe, graph: Graph, progress: Progress, watch: Stopwatch
    ) -> None:
        self.task, self.recipe, self.graph, self.progress, self.watch = task, recipe, graph, progress, watch
        self.whole = recipe.precision == "int8"
        self.zero_point = integer_mean(graph).zero_point if self.whole else None
        self.shaped = EqualizationResult()
        self.attempts: list[Attempt] = []
        self._plain = graph.copy()

    def fit(
        self, seen: Statistics, images: Sequence[Pixels], others: Sequence[Pixels] = ()
    ) -> Reconstruction:
        """Shape the channels as some images showed them, and quantize layer by layer over some.

        Args:
            seen: Statistics of every watched tensor; they follow what is done.
            images: To round by.
            others: To judge a drift limit by.
        """
        self.shape(seen, images)
        count, sweeps = plan_compute(self.graph, self.recipe, len(images))
        images = spread(images, count)
        how = replace(self.recipe, sweeps=sweeps)
        parts = steps(self.graph, self.names())

        def rounded(chosen: Iterable[str]) -> Reconstruction:
            kept, shapes = Kept(tensors=frozenset(self.names())), (self.shaped.limits, self.shaped.shifts)
            if self.whole:
                own = kept_by(parts, chosen)
                tensors = own.tensors | self._scores("float")
                kept = Kept(own.convs, tensors, self._scores("int16") - tensors)
            with self.watch.stage("round"):
                told = self._told("rounding weights (layers)")
                return reconstruct(self.task, self.graph, parts, images, how, *shapes, told, kept)

        named = _named(parts, self.recipe.float_layers)
        result = rounded(named)
        if self.recipe.max_drift:
            judge = Ablation(self.task, self._plain, others)
            result = self._within(parts, images, judge, rounded, named, result)
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

    def names(self) -> list[str]:
        """The tensors that are rounded when nothing stays in float."""
        names = activations(self.graph)
        return names if self.zero_point is None else [name for name in names if name != "pixels/centered"]

    def shape(self, seen: Statistics, images: Sequence[Pixels]) -> None:
        """Prepare the channels; the statistics follow."""
        with self.watch.stage("shape"):
            self.shaped = equalize_channels(self.graph, seen, self.recipe, self._curvature(seen, images))
            if self.recipe.trade_noise:
                trade_noise(self.graph, images, self.shaped, self.recipe.damping)

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
                sources = sensitivity(self.task, self.graph, parts, images, result, shifts, memory, told)
            times = Times.of(self.graph, parts)
            return [item for item in choices(parts, sources, times) if own <= item.steps or not item.steps]

        self.attempts = drift_budget_search(
            self.recipe.max_drift,
            attempt(Choice(own, 1.0, 0.0), result),
            offers,
            lambda choice: attempt(choice, rounded(choice.steps)),
        )
        return cast(Reconstruction, self.attempts[-1].result)

    def _scores(self, how: str) -> frozenset[str]:
        """The tensors that the network's outputs are, where the recipe wants these so ("float", "int16").

        16 bits are for what a convolution computes and nothing else reads; other outputs stay float.
        """
        if self.recipe.scores not in ("float", "int16"):
            return frozenset()
        names = set(self.names())
        ends = (moved_from(self.graph, name, names) for name in self.graph.outputs)
        found = frozenset(name for name in ends if name is not None)
        if self.recipe.scores == "float":
            return found if how == "float" else frozenset()
        wide = frozenset(name for name in found if is_convolved_end(self.graph, name))
        return wide if how == "int16" else found - wide

    def _curvature(self, seen: Statistics, images: Sequence[Pixels]) -> dict[str, NDArray[np.float64]]:
        """What noise in channels does to the answers, where that decides how they are shaped."""
        recipe, names = self.recipe, []
        if recipe.quiet_headroom or recipe.trade_noise:
            names = [name for name in seen if len(self.graph.shape(name)) == 4]
        elif recipe.reuse_dead:
            lanes = lanes_to_split(self.graph, seen, recipe.spare_channels)
            names = [name for lane in lanes for name in (lane.inner, lane.outer)]
        return channel_curvature(self.task, self.graph, names, images)

    def _told(self, stage: str) -> Callable[[int, int], None]:
        return lambda done, total: self.progress(stage, done, total)


def spread(images: Sequence[Pixels], count: int) -> list[Pixels]:
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
