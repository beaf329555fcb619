"""What a V4L2 device offers: its formats, their sizes and rates.

Structures and numbers: the kernel's include/uapi/linux/videodev2.h (v4l2_fmtdesc, v4l2_frmsizeenum,
v4l2_frmivalenum), the same on every system.
"""

import struct

from .modes import Mode
from .need import SIZE, smallest

ENUM_FMT, ENUM_SIZES, ENUM_RATES = 0xC0405602, 0xC02C564A, 0xC034564B
CAPTURE, DISCRETE = 1, 1
KINDS = {
    b"YU12": "yuv420",
    b"NV12": "nv12",
    b"YUYV": "yuyv",
    b"UYVY": "uyvy",
    b"RGB3": "rgb24",
    b"GREY": "grey",
    b"MJPG": "jpeg",
    b"JPEG": "jpeg",
}
MOST = 256
# Drivers like widths of whole words of memory; else they leave a gap at each row's end.
GRID = 16


def offered(call, specs):
    """``(modes, codes)``: the modes that edgenet reads, and every format's code, read or not.

    A device that takes any size of a range offers the smallest that covers the models, the usual one and the
    largest; one that tells no sizes offers the usual one.

    Args:
        call: ``call(number, structure)``: what the kernel made of it; raises OSError.
        specs: Preprocessing of the models.
    """
    codes = [found[44:48] for found in _each(call, ENUM_FMT, "=II56x", CAPTURE)]
    modes = []
    for code in codes:
        if code in KINDS:
            sizes = _sizes(call, code, specs) or [SIZE]
            modes += [Mode(KINDS[code], size, _rate(call, code, size), code) for size in sizes]
    return modes, codes


def _each(call, number, form, *values):
    """The structures of index 0, 1 … until the driver has no more."""
    for index in range(MOST):
        try:
            yield call(number, struct.pack(form, index, *values))
        except OSError:
            return


def _sizes(call, code, specs):
    sizes = []
    for found in _each(call, ENUM_SIZES, "=I4s36x", code):
        form, *numbers = struct.unpack_from("=7I", found, 8)
        if form == DISCRETE:
            sizes.append((numbers[0], numbers[1]))
        else:
            return _of_range(numbers, specs)
    return [size for size in sizes if min(size) > 0]


def _of_range(numbers, specs):
    """Sizes worth a look of a whole range of them: least, most and step of the width, then of the height."""
    most = numbers[1], numbers[4]
    wanted = (smallest(specs, most, GRID, most), SIZE, most)
    return [(_on(width, *numbers[:3]), _on(height, *numbers[3:])) for width, height in wanted]


def _on(value, least, most, step):
    """The next place on a grid."""
    step = max(step, 1)
    return min(least + -(-max(value - least, 0) // step) * step, most)


def _rate(call, code, size):
    """Most pictures a second; None where the driver does not tell."""
    best = None
    for found in _each(call, ENUM_RATES, "=I4sII36x", code, *size):
        form, numerator, denominator = struct.unpack_from("=III", found, 16)
        if numerator:
            best = max(best or 0.0, float(denominator) / numerator)
        if form != DISCRETE:
            break  # the shortest interval stands first
    return best
