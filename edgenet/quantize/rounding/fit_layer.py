"""Quantize one convolution from what it gets in the int8 run and what it should give in the float run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.qdq.lanes import Lanes
from edgenet.graph.qparams import LARGEST_WEIGHT, Int8Weights
from edgenet.quantize.calibration.ranges import BIAS_LIMIT
from edgenet.quantize.rounding.detect_grid import grid_scales
from edgenet.quantize.rounding.limits import NO_LANES
from edgenet.quantize.rounding.second_moments import Moments
from edgenet.quantize.rounding.second_order import cost, nearest, second_order
from edgenet.recipe import Recipe

__all__ = ["FittedLayer", "fit", "keep"]

Array = NDArray[np.float64]
Real = NDArray[np.floating]
TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class FittedLayer:
    """A convolution as the int8 run computes it.

    Attributes:
        weights: In integers; ``None`` where it stays float.
        real: Kernel and bias in real units.
        gain_db: Output error of rounding to nearest over that of the rounding used, in dB.
        bias_moved: Largest change of a bias, in real units.
    """

    weights: Int8Weights | None
    real: tuple[NDArray[np.float32], NDArray[np.float32]]
    gain_db: float
    bias_moved: float


def fit(
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    seen: Moments,
    input_scale: float | None,
    recipe: Recipe,
    shift: NDArray[np.float64],
    lanes: Lanes = NO_LANES,
) -> FittedLayer:
    """Choose whole-numbered weights and bias for a layer.

    The real kernel is first moved a share of the way to the one that best gives the float output from the
    int8 run's inputs (ridge regression; the noise of the inputs makes it rely less on noisy channels; as in
    GPTAQ, Li et al., arXiv 2504.02692), then rounded by :mod:`.second_order`. The
    bias takes up what remains of the mean (empirical bias correction, Nagel et al., arXiv 1906.04721, D.2);
    moments are central for that reason. A channel whose weights lie on an int8 grid keeps them and the grid,
    unless a lane would overflow or the recipe lets it go.

    Args:
        kernel: [outputs, ...].
        bias: [outputs].
        seen: Moments of the inputs.
        input_scale: int8 scale of the input; ``None`` where it stays float, and the bias with it.
        recipe: Its granularity, sweeps, damping and adapt.
        shift: [outputs], added to the bias at the end (dither of channels that carry copies).
        lanes: Pairs of a row's weights that must fit into one lane.
    """
    wanted, moments = _wanted(kernel, seen, recipe)
    shared = recipe.granularity == "per-tensor"
    lowest = _lowest_scale(bias, input_scale).reshape(len(moments), -1)
    values, scales = second_order(wanted, moments, recipe.sweeps, lowest, shared, lanes)
    if not shared and not recipe.leave_grid:
        real, grid = _by_group(kernel, len(moments)), grid_scales(kernel).reshape(scales.shape)
        exact = grid > lowest
        exact[exact] = _fits(np.round(real[exact] / grid[exact][:, None]), lanes)
        wanted[exact], scales[exact] = real[exact], grid[exact]
        values[exact] = np.round(real[exact] / grid[exact][:, None])
    scales = scales.astype(np.float32).astype(np.float64)
    moved = _moved(kernel, values * scales[..., None], seen)
    weights = _whole(kernel, values, scales, bias + moved + shift, input_scale or 1.0)
    used, offset = _in_real_units(weights)
    if input_scale is None:
        offset = (bias + moved + shift).astype(np.float32)
    gain = _gain(wanted, moments, values, scales, shared)
    return FittedLayer(weights, (used, offset), gain, float(np.abs(moved).max()))


def keep(
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    seen: Moments,
    recipe: Recipe,
    shift: NDArray[np.float64],
) -> FittedLayer:
    """Leave a layer in float, but let it undo the noise of its inputs; arguments as of :func:`fit`."""
    wanted, _ = _wanted(kernel, seen, recipe)
    moved = _moved(kernel, wanted, seen)
    real = wanted.reshape(kernel.shape).astype(np.float32), (bias + moved + shift).astype(np.float32)
    return FittedLayer(None, real, 0.0, float(np.abs(moved).max()))


def _wanted(kernel: NDArray[np.float32], seen: Moments, recipe: Recipe) -> tuple[Array, Array]:
    """The real kernel [groups, rows, inputs] that is to be rounded, and the damped moments of its inputs."""
    share = recipe.adapt * _share(kernel, seen.halves(), recipe.damping) if recipe.adapt else 0.0
    moments, cross = seen.covariances()
    real = _by_group(kernel, len(moments))
    _damp(moments, cross, recipe.damping)
    if share <= 0:
        return real, moments
    best: Array = np.asarray(_regression(real, moments, cross), np.float64)
    best -= real
    best *= share
    best += real
    return best, moments


def _share(kernel: NDArray[np.float32], halves: list[tuple[Array, Array]], damping: float) -> float:
    """How much of the way to the regression helps images that it was not made from, 0 to 1.

    Each half's regression is judged on the other half, where the best share of the way is a closed form. All
    images together make a better regression; the share is kept.
    """
    if len(halves) < 2:
        return 0.0
    real = _by_group(kernel, len(halves[0][0]))
    won = power = 0.0
    for (own, cross), (other, other_cross) in (halves, halves[::-1]):
        short = own.astype(np.float32), cross.astype(np.float32)  # half the memory, and enough for a share
        _damp(*short, damping)
        way = _regression(real.astype(np.float32), *short).astype(np.float64)
        way -= real
        del short
        won += _inner(real, other_cross, way) - _inner(real, other, way)
        power += _inner(way, other, way)
    return float(np.clip(won / max(power, 1e-300), 0.0, 1.0))


def _inner(left: Array, matrix: Array, right: Array) -> float:
    """The sum over groups and rows of left matrix right'."""
    product = left @ matrix
    product *= right
    return float(product.sum())


def _damp(moments: Real, cross: Real, damping: float) -> None:
    spread = np.maximum(np.einsum("gjj->gj", moments).mean(axis=1), 1e-12)
    for product in (moments, cross):
        np.einsum("gjj->gj", product)[...] += damping * spread[:, None]


def _regression(real: Real, moments: Real, cross: Real) -> Real:
    """The kernel that best gives the float output from the int8 run's inputs: real C H^-1."""
    goal = cross.swapaxes(1, 2) @ real.swapaxes(1, 2)
    return np.asarray(np.linalg.solve(moments, goal)).swapaxes(1, 2)


def _fits(steps: Array, lanes: Lanes) -> NDArray[np.bool_]:
    """In which rows of integers within ±127 every pair fits into its lane."""
    return np.asarray((nearest(steps, np.ones(len(steps)), lanes) == steps).all(axis=1))


def _moved(kernel: NDArray[np.float32], used: Array, seen: Moments) -> Array:
    """What a bias must take up, so that the mean of the output is that of the float run: [outputs]."""
    rounded_mean, exact_mean = seen.means
    exact = np.einsum("grj,gj->gr", _by_group(kernel, len(exact_mean)), exact_mean)
    return np.asarray(exact - np.einsum("grj,gj->gr", used, rounded_mean)).reshape(-1)


def _by_group(kernel: NDArray[np.float32], groups: int) -> Array:
    return kernel.astype(np.float64).reshape(groups, len(kernel) // groups, -1)


def _in_real_units(weights: Int8Weights) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    shape = (-1, *[1] * (weights.values.ndim - 1))
    kernel = weights.values * weights.scales.astype(np.float64).reshape(shape)
    bias = weights.bias * weights.bias_scales.astype(np.float64)
    return kernel.astype(np.float32), bias.astype(np.float32)


def _whole(
    kernel: NDArray[np.float32], values: Array, scales: Array, bias: Array, input_scale: float
) -> Int8Weights:
    flat = scales.reshape(-1).astype(np.float32)
    bias_scales = (np.float32(input_scale) * flat).astype(np.float32)
    steps = np.clip(np.round(bias / bias_scales.astype(np.float64)), -BIAS_LIMIT, BIAS_LIMIT)
    return Int8Weights(
        values.astype(np.int8).reshape(kernel.shape), flat, steps.astype(np.int32), bias_scales
    )


def _lowest_scale(bias: NDArray[np.float32], input_scale: float | None) -> Array:
    """The scale below which a bias would not fit into int32, with room for its correction."""
    if input_scale is None:
        return np.full(len(bias), TINY)
    return np.maximum(np.abs(bias.astype(np.float64)) * 2 / (input_scale * BIAS_LIMIT), TINY)


def _gain(wanted: Array, moments: Array, values: Array, scales: Array, shared: bool) -> float:
    largest = np.maximum(np.abs(wanted).max(axis=2), TINY)
    plain = (np.full_like(largest, largest.max()) if shared else largest) / LARGEST_WEIGHT
    before = cost(wanted, moments, nearest(wanted, plain), plain).sum()
    after = cost(wanted, moments, values, scales).sum()
    return float(10 * np.log10(max(before, 1e-30) / max(after, 1e-30)))
