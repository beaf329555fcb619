"""Round a kernel so that the layer's output changes least, not its weights.

With the second moment H = E[x x'] of the layer's inputs, a change D of a row of weights costs D H D'
(Nagel et al., arXiv 2004.10568, section 3.1). Three stages lower that cost:

1. a scale a channel by search, clipping included;
2. weights are rounded one by one, most important first, and the error of each is passed on to those that are
   still free (OBQ, Frantar & Alistarh, arXiv 2208.11580; in blocks, GPTQ, Frantar et al., arXiv 2210.17323);
3. coordinate descent: each weight moves to its best integer given all others, until none moves
   (Behdin et al., QuantEase, arXiv 2309.01885), and the scale is set to its best value between the rounds.

For a depthwise kernel the same runs over all channels at once, each with its own 9 x 9 matrix. A row that
would cost more than its rounding to nearest, at the scale found or at that of its largest weight, keeps the
latter. Where weights share lanes, every stage keeps to what these take (:mod:`.limits`), and a scale grows
as far as that pays.

Shapes: kernels [groups, rows, inputs], moments [groups, inputs, inputs]; a depthwise layer has a group a
channel with one row, any other layer one group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.qdq.lanes import LANE, Lanes
from edgenet.quantize.rounding.limits import LIMIT, NO_LANES, apart, partners, within

__all__ = ["Rounded", "cost", "nearest", "second_order"]

BLOCK = 64
ROWS = 256
# Scales are tried where this many steps make the largest weight; beyond 127 the largest is clipped.
STEPS = (*range(100, LIMIT + 1), 131, 135, 140, 146, 152, 165, 178)
# Where two equal weights may share a lane, too.
COARSE = range(LANE // 2, STEPS[0])
REFITS = 2

Array = NDArray[np.float64]
Rounded = tuple[Array, Array]


def cost(kernel: Array, moments: Array, values: Array, scales: Array) -> Array:
    """D H D' of every row, float64 [groups, rows]; ``values`` are integers of ``scales``."""
    found = np.empty(scales.shape)
    for part in _parts(kernel):
        change = values[part] * scales[part][..., None] - kernel[part]
        found[part] = _dot(change @ moments, change)
    return found


def nearest(kernel: Array, scales: Array, lanes: Lanes = NO_LANES) -> Array:
    """Each weight to its nearest integer number of steps, within ±127; each pair to one that fits."""
    values = within(np.round(kernel / scales[..., None]))
    one, other = lanes.T
    values[..., one], values[..., other] = apart(values[..., one], values[..., other])
    return values


def second_order(
    kernel: Array,
    moments: Array,
    sweeps: int,
    floor: Array,
    shared_scale: bool = False,
    lanes: Lanes = NO_LANES,
) -> Rounded:
    """Round a kernel by the three stages above.

    Args:
        kernel: The real weights.
        moments: Second moments of the inputs, symmetric and positive definite.
        sweeps: The most rounds of coordinate descent.
        floor: [groups, rows], the smallest scale allowed (a bias must fit into int32).
        shared_scale: One scale for all rows (per-tensor weights).
        lanes: Pairs of columns that must fit into one lane; of a kernel with one group.

    Returns:
        Integers [groups, rows, inputs] and scales [groups, rows].
    """
    scales = np.maximum(_search_scales(kernel, moments, shared_scale, lanes), floor)
    order, factor = _elimination(moments)
    values = np.empty_like(kernel)
    for part in _parts(kernel):
        first = _pass_on(kernel[part], order, factor, scales[part], lanes)
        values[part] = _descend(kernel[part], moments, first, scales[part], sweeps, lanes)
        if not shared_scale:
            values[part], scales[part] = _refit(
                kernel[part], moments, values[part], scales[part], floor[part], sweeps, lanes
            )
        tried = [scales[part]]
        if not shared_scale:
            tried.append(np.maximum(np.maximum(np.abs(kernel[part]).max(axis=2), 1e-30) / LIMIT, floor[part]))
        simple = [(nearest(kernel[part], item, lanes), item) for item in tried]
        found = (values[part], scales[part])
        values[part], scales[part] = _cheapest(kernel[part], moments, [found, *simple])
    return values, scales


def _cheapest(kernel: Array, moments: Array, made: Sequence[Rounded]) -> Rounded:
    """Row by row the rounding that costs least, of equal ones the first."""
    best = np.argmin([cost(kernel, moments, *item) for item in made], axis=0)
    values, scales = made[0]
    for index, item in enumerate(made):
        chosen = best == index
        values, scales = np.where(chosen[..., None], item[0], values), np.where(chosen, item[1], scales)
    return values, scales


def _parts(kernel: Array) -> Iterator[tuple[slice, slice]]:
    """Some rows of every group at a time: rows do not know each other, and few of them stay in cache."""
    for begin in range(0, kernel.shape[1], ROWS):
        yield np.s_[:, begin : begin + ROWS]


def _refit(
    kernel: Array, moments: Array, values: Array, scales: Array, floor: Array, sweeps: int, lanes: Lanes
) -> Rounded:
    """Set the scales to their best for the integers found, go on from there, and keep what is better."""
    for _ in range(REFITS):
        refitted = np.maximum(_best_scales(kernel, moments, values, scales), floor)
        moved = _descend(kernel, moments, values, refitted, sweeps, lanes)
        better = cost(kernel, moments, moved, refitted) < cost(kernel, moments, values, scales)
        values = np.where(better[..., None], moved, values)
        scales = np.where(better, refitted, scales)
    return values, scales


def _search_scales(kernel: Array, moments: Array, shared: bool, lanes: Lanes) -> Array:
    """The scale of each row with the least cost of rounding to nearest, weights taken one by one."""
    weight = np.asarray(np.einsum("gjj->gj", moments))[:, None, :]
    largest = np.maximum(np.abs(kernel).max(axis=2), 1e-30)
    if shared:
        largest = np.full_like(largest, largest.max())
    best, scales = np.full(largest.shape, np.inf), largest / LIMIT
    for steps in (*COARSE, *STEPS) if len(lanes) else STEPS:
        tried = largest / steps
        error = np.empty_like(tried)
        for part in _parts(kernel):
            off = nearest(kernel[part], tried[part], lanes) * tried[part][..., None] - kernel[part]
            error[part] = (weight * off**2).sum(axis=2)
        if shared:
            error = np.full_like(error, error.sum())
        better = error < best
        best, scales = np.where(better, error, best), np.where(better, tried, scales)
    return np.asarray(scales)


def _elimination(moments: Array) -> tuple[NDArray[np.int64], Array]:
    """For every group the order of its columns, most important first, and the upper Cholesky factor of the
    inverse moments in that order: its row j says how column j's error is passed on."""
    diagonal = np.einsum("gjj->gj", moments)
    order = np.argsort(-diagonal, axis=1, kind="stable")
    factor = np.empty_like(moments)
    for group, columns in enumerate(order):
        factor[group] = moments[group][np.ix_(columns, columns)]
        factor[group] = np.linalg.inv(factor[group])
        factor[group] = np.linalg.cholesky(factor[group]).T
    return order, factor


def _pass_on(kernel: Array, order: NDArray[np.int64], factor: Array, scales: Array, lanes: Lanes) -> Array:
    """GPTQ: round column by column, and let the columns not yet rounded make up for each error."""
    inputs, partner = kernel.shape[2], partners(lanes, order[0])
    left = _by_column(np.take_along_axis(kernel, order[:, None, :], axis=2))
    rounded = np.empty_like(left)
    for begin in range(0, inputs, BLOCK):
        end = min(begin + BLOCK, inputs)
        errors = np.empty((len(left), end - begin, left.shape[2]))
        for column in range(begin, end):
            now, share = left[:, column], factor[:, column, column + 1 : end, None]
            rounded[:, column] = _in_lane(left, rounded, scales, column, partner[column])
            error = (now - rounded[:, column] * scales) / factor[:, column, column, None]
            left[:, column + 1 : end] -= share * error[:, None]
            errors[:, column - begin] = error
        left[:, end:] -= factor[:, begin:end, end:].swapaxes(1, 2) @ errors
    result = np.empty_like(kernel)
    np.put_along_axis(result, order[:, None, :], rounded.swapaxes(1, 2), axis=2)
    return result


def _in_lane(left: Array, rounded: Array, scales: Array, column: int, partner: int) -> Array:
    """A column's integers: beside its partner's, which are settled or are to come nearest."""
    value = np.round(left[:, column] / scales)
    if 0 <= partner < column:
        return within(value, rounded[:, partner])
    value = within(value)
    return value if partner < 0 else apart(value, within(np.round(left[:, partner] / scales)))[0]


def _descend(kernel: Array, moments: Array, values: Array, scales: Array, sweeps: int, lanes: Lanes) -> Array:
    """Coordinate descent on D H D' in blocks of columns; returns the new integers.

    Within a block the gradient follows every change for the columns still to come; the whole gradient follows
    when the block is done.
    """
    inputs = kernel.shape[2]
    partner = partners(lanes, np.arange(inputs))
    curvature = np.maximum(np.einsum("gjj->gj", moments), 1e-300)
    inverse = 1 / (curvature[:, :, None] * scales[:, None, :])
    values = _by_column(values)
    gradient = moments @ (values * scales[:, None, :] - kernel.swapaxes(1, 2))
    for _ in range(sweeps):
        moved = False
        for begin in range(0, inputs, BLOCK):
            end = min(begin + BLOCK, inputs)
            local, changes = gradient[:, begin:end].copy(), np.zeros_like(gradient[:, begin:end])
            for place in range(end - begin):
                column = begin + place
                new = np.rint(values[:, column] - local[:, place] * inverse[:, column])
                new = within(new, values[:, partner[column]] if partner[column] >= 0 else None)
                change = (new - values[:, column]) * scales
                if not change.any():
                    continue
                values[:, column], changes[:, place] = new, change
                local[:, place + 1 :] += moments[:, column, column + 1 : end, None] * change[:, None]
                moved = True
            gradient += moments[:, :, begin:end] @ changes
        if not moved:
            break
    return np.ascontiguousarray(values.swapaxes(1, 2))


def _by_column(rows: Array) -> Array:
    """[groups, inputs, rows]: a column's rows lie together."""
    return np.ascontiguousarray(rows.swapaxes(1, 2))


def _best_scales(kernel: Array, moments: Array, values: Array, scales: Array) -> Array:
    """The real scale of each row with the least cost for given integers (least squares)."""
    response = values @ moments
    wanted, power = _dot(response, kernel), _dot(response, values)
    good = (power > 0) & (wanted > 0)
    return np.where(good, wanted / np.where(good, power, 1.0), scales)


def _dot(first: Array, second: Array) -> Array:
    """Row by row: [groups, rows]."""
    return np.asarray(np.einsum("grj,grj->gr", first, second))
