"""Two runs of one network side by side, float and int8, a layer at a time, in bounded memory.

The layers are quantized in order. Each is judged on what it really gets: the output of the layers before it,
already rounded, next to what the float network has there. Only the tensors that are still to be read are
kept: 16 bits of the one run, int8 of the other (16 bits of both where a tensor is not rounded). Narrow late
layers leave room for more images than the wide first ones; images that join late are sent through all layers
before.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.qparams import Affine
from edgenet.graph.segments import Step, subgraph
from edgenet.quantize.calibration.ranges import affine

__all__ = ["Pair", "Pairs", "room"]

# Larger tensors of the float run are kept as int16, which numpy converts ten times as fast as float16.
SMALL = 4096
BYTES = 3
REAL_BYTES = 4

Run = Callable[[Mapping[str, NDArray[Any]]], Mapping[str, NDArray[Any]]]
Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


class _Held(NamedTuple):
    """A tensor as it is kept: integers, or as it is."""

    values: NDArray[Any]
    affine: Affine | None

    def real(self) -> NDArray[Any]:
        return self.values if self.affine is None else self.affine.dequantized(self.values)


def room(
    graph: Graph, parts: Sequence[Step], megabytes: float, images: int, real: Collection[str] = ()
) -> list[int]:
    """How many images each step can have, so that their tensors stay within a budget; never falls."""
    last = {name: index for index, step in enumerate(parts) for name in step.inputs}
    made = {step.output: _bytes(graph, step.output, real) for step in parts}
    live, fits = 0, []  # bytes of what earlier steps made and is still read
    for index, step in enumerate(parts):
        after = live + (made[step.output] if step.output in last else 0)
        after -= sum(made[name] for name in step.inputs if name in made and last[name] == index)
        fits.append(int(megabytes * 1e6 // max(live, after, 1)))
        live = after
    least = [*itertools.accumulate(reversed(fits), min)][::-1]
    return [max(1, min(images, count)) for count in least]


def _bytes(graph: Graph, name: str, real: Collection[str]) -> int:
    return int(np.prod(graph.shape(name))) * (REAL_BYTES if name in real else BYTES)


class Pairs:
    """The two runs.

    Args:
        graph: The prepared float graph; its constants are the float network.
        parts: Its steps.
        images: uint8 [1, H, W, 3] each.
    """

    def __init__(self, graph: Graph, parts: Sequence[Step], images: Sequence[NDArray[np.uint8]]) -> None:
        self._graph, self._parts, self._images = graph, list(parts), images
        self._last = {name: index for index, step in enumerate(parts) for name in step.inputs}
        self._exact: list[dict[str, _Held]] = []
        self._rounded: list[dict[str, _Held]] = []
        self._done: list[tuple[Evaluator, Evaluator]] = []
        self._open = True
        self.tensors: dict[str, Affine] = {}

    def __len__(self) -> int:
        """How many images take part."""
        return len(self._exact)

    def add_images(self, count: int, last: bool) -> None:
        """Let images join until ``count`` take part, through the steps that are done.

        Args:
            count: How many there should be.
            last: No more will join: the done steps are let go.
        """
        while len(self) < min(count, len(self._images)):
            pixels = _Held(self._images[len(self)], None)
            self._exact.append({self._graph.input: pixels})
            self._rounded.append({self._graph.input: pixels})
            for index, (exact, rounded) in enumerate(self._done):
                self._advance(index, len(self) - 1, exact, rounded)
        if last:
            self._done.clear()
        self._open = not last

    def evaluator(
        self, step: Step, outputs: Sequence[str], constants: Mapping[str, NDArray[Any]] | None = None
    ) -> Evaluator:
        """A step as a graph of its own, with other weights if they are given."""
        proto = subgraph(self._graph, step.nodes, step.inputs, outputs, constants)
        return Evaluator(proto, outputs, lean=True)

    def inputs(self, step: Step, image: int) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """What a step reads in the float run and in the int8 run, in real units."""
        runs = self._exact[image], self._rounded[image]
        exact, rounded = ({name: run[name].real() for name in step.inputs} for run in runs)
        return exact, rounded

    def finish(self, index: int, how: Affine | None, exact: Evaluator, rounded: Evaluator) -> float:
        """Run a step for every image, round its output (unless ``None``), let go of what is read no more.

        Returns:
            Signal to noise of the output in the int8 run, in dB.
        """
        if how is not None:
            self.tensors[self._parts[index].output] = how
        if self._open:
            self._done.append((exact, rounded))
        signal = noise = 0.0
        for image in range(len(self)):
            wanted, got = self._advance(index, image, exact, rounded)
            signal += float(np.square(wanted).sum(dtype=np.float64))
            noise += float(np.square(wanted - got).sum(dtype=np.float64))
        return float(10 * np.log10(max(signal, 1e-30) / max(noise, 1e-30 + 1e-12 * signal)))

    def _advance(self, index: int, image: int, exact: Evaluator, rounded: Evaluator) -> Pair:
        step = self._parts[index]
        first, second = self.inputs(step, image)
        wanted = exact.feed(first)[step.output]
        got, how = rounded.feed(second)[step.output], self.tensors.get(step.output)
        kept = _in_16_bits(got) if how is None else _Held(how.quantized(got), how)
        self._exact[image][step.output] = _in_16_bits(wanted)
        self._rounded[image][step.output] = kept
        for name in [*step.inputs, step.output]:
            if self._last.get(name, -1) <= index:
                self._exact[image].pop(name, None)
                self._rounded[image].pop(name, None)
        return wanted, kept.real()


def _in_16_bits(values: NDArray[np.float32]) -> _Held:
    """A tensor of the float run; one that is small, or has NaN or infinity, as it is."""
    low, high = float(values.min()), float(values.max())
    if values.size <= SMALL or not np.isfinite(high - low):
        return _Held(values, None)
    how = affine(low, high, 16)
    return _Held(how.quantized(values), how)
