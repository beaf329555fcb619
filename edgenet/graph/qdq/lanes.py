"""Which weights an x86 without VNNI adds in one 16-bit lane, and when such a sum can overflow.

``vpmaddubsw`` multiplies uint8 activations with int8 weights and adds two neighboring products in int16,
saturating (Intel SDM, PMADDUBSW). ONNX Runtime's kernels for AVX2 and AVX-512 without VNNI begin with it, and
all read a row of weights alike: position by position of the kernel, channel by channel, in quads of two lanes
(``mlas/lib``: ``MlasConvSymPackW`` in convsym.cpp; ``MlasGemmU8S8CopyPackB`` in QgemmU8S8KernelAvx2.S after
``ReorderFilter`` in qlinearconv.cc). A depthwise kernel has no such lanes: its products are added in 32 bits
(ConvSymKernelAvx2.S, qdwconv_avx2.cpp).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["LANE", "Lanes", "fits", "lanes"]

# The largest sum of two weights: 255 x 128 = 32640, and 129 would pass 32767. Two of different signs do not
# reach it, nor does one alone.
LANE = 128

Lanes = NDArray[np.int64]


def lanes(shape: Sequence[int], groups: int) -> Lanes:
    """The pairs of a row's weights that share a lane; none in a depthwise kernel.

    Args:
        shape: Of the kernel, [outputs, inputs of a group, height, width].
        groups: Of the convolution.

    Returns:
        [pairs, 2], places in a row of inputs x height x width weights as ONNX keeps it. The last weight of an
        odd row is in no pair: it shares its lane with padding.
    """
    if groups == shape[0] > 1 == shape[1]:
        return np.empty((0, 2), np.int64)
    places = np.arange(int(np.prod(shape[1:]))).reshape(shape[1:])
    order = np.moveaxis(places, 0, -1).reshape(-1)
    return order[: len(order) // 2 * 2].reshape(-1, 2)


def fits(values: NDArray[np.int8], groups: int) -> bool:
    """Whether no activations make a lane saturate, for int8 weights of a shape as :func:`lanes` takes it."""
    pairs = values.reshape(len(values), -1)[:, lanes(values.shape, groups)]
    return bool((np.abs(pairs.sum(axis=2, dtype=np.int64)) <= LANE).all())
