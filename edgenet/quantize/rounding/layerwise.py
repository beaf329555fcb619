"""Quantize layer by layer, each layer on what the int8 layers before it really give."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.errors import DataError
from edgenet.graph.graph import Graph, attributes
from edgenet.graph.passes.equalize import depthwise
from edgenet.graph.qdq.lanes import lanes
from edgenet.graph.qparams import STEPS, Affine, Int8Weights
from edgenet.graph.segments import Step
from edgenet.quantize.calibration.calibrate import calibrate
from edgenet.quantize.calibration.observers import OBSERVERS
from edgenet.quantize.calibration.ranges import affine, output_range, with_headroom
from edgenet.quantize.memory import malloc_trim
from edgenet.quantize.rounding.fit_layer import FittedLayer, fit, keep
from edgenet.quantize.rounding.limits import NO_LANES
from edgenet.quantize.rounding.paired_activations import Pairs, room
from edgenet.quantize.rounding.second_moments import Moments, columns
from edgenet.recipe import Recipe
from edgenet.task import Task

__all__ = ["Kept", "Reconstruction", "reconstruct"]

# Values of one image's output that are looked at to find a range.
SAMPLE = 8192
# 16 bits are enough for values twice as large as those seen.
WIDE_HEADROOM = 1.0


@dataclass(frozen=True)
class Kept:
    """What does not become int8.

    Attributes:
        convs: Outputs of convolutions whose weights stay float.
        tensors: Activations that are not rounded.
        wide: Activations of 16 bits.
    """

    convs: frozenset[str] = frozenset()
    tensors: frozenset[str] = frozenset()
    wide: frozenset[str] = frozenset()


@dataclass
class Reconstruction:
    """The whole network in integers.

    Attributes:
        tensors: int8 parameters by tensor.
        weights: By a convolution's output.
        real: Kernel and bias of the layers that stay in float, by a convolution's output.
        biases: In real units, of all layers.
        layers: One record a step, in order.
    """

    tensors: dict[str, Affine] = field(default_factory=dict)
    weights: dict[str, Int8Weights] = field(default_factory=dict)
    real: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] = field(default_factory=dict)
    biases: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    layers: list[dict[str, Any]] = field(default_factory=list)


def reconstruct(
    task: Task,
    graph: Graph,
    parts: Sequence[Step],
    images: Sequence[NDArray[np.uint8]],
    recipe: Recipe,
    limits: Mapping[str, float],
    shifts: Mapping[str, NDArray[np.float64]],
    progress: Callable[[int, int], None],
    kept: Kept | None = None,
) -> Reconstruction:
    """Choose every scale, weight and bias of a prepared graph.

    Args:
        task: What the network is for.
        graph: Float; not changed.
        parts: The steps that make the tensors that become int8.
        images: uint8 [1, H, W, 3] each.
        recipe: Says how hard to try.
        limits: Tensors whose range ends there.
        shifts: Output of a convolution → shares of an output step to add to its bias.
        progress: Called with how many layers are done, of how many.
        kept: What does not become int8; nothing if ``None``.

    Raises:
        DataError: A layer computes NaN or infinity; names it.
    """
    kept = kept or Kept()
    pairs, result = Pairs(graph, parts, images), Reconstruction()
    allowed = room(graph, parts, recipe.memory_mb, len(images), kept.tensors)
    ranges = _seen_ranges(graph, parts, allowed, images, recipe, {*limits, *kept.tensors, *kept.wide})
    for index, step in enumerate(parts):
        pairs.add_images(allowed[index], allowed[index] == allowed[-1])
        exact = pairs.evaluator(step, [step.output])
        fitted, constants = None, {}
        if step.conv is not None:
            name = step.conv.output[0]
            step_size = 0.0 if step.output in kept.tensors else limits.get(step.output, 0.0) / STEPS
            shift = shifts.get(name, np.zeros(1)) * step_size
            fitted = _fit(graph, pairs, step, recipe, shift, name not in kept.convs)
            result.biases[name] = fitted.real[1]
            if fitted.weights is not None:
                result.weights[name] = fitted.weights
            else:
                result.real[name] = fitted.real
            constants = dict(zip(step.conv.input[1:3], fitted.real, strict=True))
        own = pairs.evaluator(step, [step.output], constants) if constants else exact
        scale = affine(*ranges[step.output]) if step.output in ranges else None
        if scale is None and step.output not in kept.tensors:
            last = task if index == len(parts) - 1 and len(graph.outputs) == 1 else None
            bits = 16 if step.output in kept.wide else 8
            scale = _range(graph, pairs, step, exact, own, recipe, limits, last, bits)
        noise = pairs.finish(index, scale, exact, own)
        result.layers.append(_record(step, scale, noise, fitted))
        malloc_trim()
        progress(index + 1, len(parts))
    result.tensors = pairs.tensors
    return result


def _seen_ranges(
    graph: Graph,
    parts: Sequence[Step],
    allowed: Sequence[int],
    images: Sequence[NDArray[np.uint8]],
    recipe: Recipe,
    known: Collection[str],
) -> dict[str, tuple[float, float]]:
    """Ranges, from the float run, of tensors of which memory lets the int8 run see few images.

    What is largest in ten images is chance; that the values are those of the float run matters less.
    """
    count = min(recipe.observe_images, len(images))
    few = [step.output for step, seen in zip(parts, allowed, strict=True) if seen < count]
    names = [name for name in few if name not in known]
    if not names:
        return {}
    return calibrate(graph, images[:count], recipe.observer, headroom=recipe.headroom, names=names).ranges


def _fit(
    graph: Graph, pairs: Pairs, step: Step, recipe: Recipe, shift: NDArray[np.float64], whole: bool
) -> FittedLayer:
    conv = step.conv
    assert conv is not None
    kernel, bias = graph.constants[conv.input[1]], graph.constants[conv.input[2]]
    apart, source = depthwise(graph, conv), conv.input[0]
    before = None if source in step.inputs else pairs.evaluator(step, [source])
    seen = Moments()
    for image in range(len(pairs)):
        values = pairs.inputs(step, image)
        exact, rounded = (before.feed(item)[source] if before else item[source] for item in values)
        if not np.isfinite(exact).all():
            raise DataError(f"{step.name} reads NaN or infinity", "check the network's weights")
        windows = (
            columns(item, conv, kernel.shape[2:], apart, recipe.positions) for item in (rounded, exact)
        )
        seen.update(*windows)
    scale = _input_scale(pairs, step) if recipe.precision == "int8" else None
    if not whole:
        return keep(kernel, bias, seen, recipe, shift)
    beside = lanes(kernel.shape, int(attributes(conv).get("group", 1))) if recipe.paired else NO_LANES
    return fit(kernel, bias, seen, scale, recipe, shift, beside)


def _input_scale(pairs: Pairs, step: Step) -> float:
    """int8 scale of what a convolution reads, through reshapes; 1 for the pixels."""
    found = [pairs.tensors[name].scale for name in step.inputs if name in pairs.tensors]
    return found[0] if found else 1.0


def _range(
    graph: Graph,
    pairs: Pairs,
    step: Step,
    exact: Any,
    own: Any,
    recipe: Recipe,
    limits: Mapping[str, float],
    task: Task | None,
    bits: int,
) -> Affine:
    """The range of a step's output, from what the int8 run puts there; of the last with its task.

    Those of several heads are observed: chosen by the divergence of whole answers they were no better, on
    calibration images left out, and took three times as long.
    """
    if step.output in limits:
        return affine(0.0, limits[step.output])
    observer = OBSERVERS[recipe.observer]()
    got, wanted = [], []
    for image in range(len(pairs)):
        first, second = pairs.inputs(step, image)
        values = own.feed(second)[step.output]
        if not np.isfinite(values).all():
            raise DataError(f"{step.name} computes NaN or infinity", "check the network's weights")
        observer.update(values)
        if task is not None and recipe.scores == "divergence":
            got.append(values.reshape(-1))
            wanted.append(exact.feed(first)[step.output].reshape(-1))
    if task is not None and got:
        return output_range(np.stack(got), task.divergence(np.stack(wanted)))
    headroom = recipe.headroom if bits == 8 else WIDE_HEADROOM
    return affine(*with_headroom(graph, step.output, observer.range(), headroom), bits)


def _record(step: Step, scale: Affine | None, noise: float, fitted: FittedLayer | None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "name": step.name,
        "op": "Conv" if step.conv is not None else str(step.nodes[-1].op_type),
        "range": [round(scale.low, 5), round(scale.high, 5)] if scale is not None else None,
        "sqnr_db": round(noise, 1),
    }
    if fitted is not None:
        record["weights"] = "int8" if fitted.weights is not None else "float"
        record["rounding_gain_db"] = round(fitted.gain_db, 1)
        record["bias_moved"] = round(fitted.bias_moved, 5)
    return record
