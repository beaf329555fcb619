"""Which of a camera's modes costs least and still shows the models everything."""

import collections

from .need import covers

FPS = 30.0
# What one pixel costs until the network has it, decoding and resampling, relative to planar YUV: measured on
# 640x480 (docs/demo.md). Gray comes last, for a camera that has colors shall show them.
COSTS = {"yuv420": 1.0, "nv12": 1.0, "yuyv": 1.4, "uyvy": 1.4, "rgb24": 1.2, "jpeg": 2.7, "grey": 100.0}
# Cameras crop or squeeze what they give in other shapes.
SHAPES = (4 / 3.0, 16 / 9.0)
NEAR = 0.02
# A cost that is not worth a narrower view: that of 320x240 in YUYV.
LITTLE = 320 * 240 * 1.4

# What a camera offers: the kind of its pictures, their (width, height), its best rate or None where it does
# not say; ``code`` is its driver's name of the format.
Mode = collections.namedtuple("Mode", "kind size fps code")


def choose(modes, specs, size=None, fps=None):
    """The cheapest mode that covers the models and reaches the rate.

    Where none covers, the largest; where none is fast enough, the fastest. Modes of the shape of the largest
    picture are preferred: they show all that the sensor sees.

    Args:
        modes: All, at least one.
        specs: Preprocessing of the models.
        size: (width, height) that the user wants, or None.
        fps: The rate that the user wants, or None.
    """
    wanted = fps or FPS
    if size:
        far = min(_distance(mode, size) for mode in modes)
        return min(_fast([mode for mode in modes if _distance(mode, size) == far], wanted), key=_cost)
    pool = _fast([mode for mode in modes if covers(mode.size, specs)], wanted)
    if not pool:
        return min(_fast(modes, wanted), key=lambda mode: (mode.kind == "grey", -_area(mode), _cost(mode)))
    native = _shape(max(_fast(modes, wanted), key=_area))
    usual = [mode for mode in pool if any(_like(mode, shape) for shape in SHAPES + (native,))]
    return min(
        usual or pool,
        key=lambda mode: (max(_cost(mode), LITTLE) * (1 if _like(mode, native) else 2), _cost(mode)),
    )


def _fast(modes, wanted):
    """Those that reach the rate, within the tolerance of 29.97; else the fastest."""
    rates = [wanted if mode.fps is None else mode.fps for mode in modes]
    least = 0.95 * min([wanted, max(rates)]) if modes else 0
    return [mode for mode, rate in zip(modes, rates) if rate >= least]


def _area(mode):
    return mode.size[0] * mode.size[1]


def _shape(mode):
    return mode.size[0] / float(mode.size[1])


def _like(mode, shape):
    return abs(_shape(mode) / shape - 1) <= NEAR


def _cost(mode):
    return _area(mode) * COSTS[mode.kind]


def _distance(mode, size):
    return abs(mode.size[0] - size[0]) + abs(mode.size[1] - size[1])
