"""Make the input's mean an integer number of pixel steps, so that pixels are their own int8 values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgenet.graph.graph import Graph
from edgenet.graph.passes.fold_normalization import PIXELS

__all__ = ["IntegerMean", "integer_mean"]


@dataclass(frozen=True)
class IntegerMean:
    """What became of the pixels' mean.

    Attributes:
        zero_point: Of the pixels (0..255); ``None`` when the channels' means differ by more than a grey level
            (the Add then stays and is quantized like any other).
        changes: Convolutions that were rewritten.
    """

    zero_point: int | None
    changes: int = 0


def integer_mean(graph: Graph) -> IntegerMean:
    """Round a mean that is the same for every channel, and put the rest into the first bias, in place.

    A camera's byte then is the quantized input itself: scale 1, zero point the rounded mean; no rounding
    happens at all. Inside the picture the result is exact; at a padded border a pad means the rounded
    mean instead of the mean, at most half a grey level away.

    Returns:
        With the count the zero point, which whoever inserts Q/DQ needs.
    """
    cast = graph.producer("pixels/float")
    if cast is None:
        raise ValueError(f"not a prepared graph: {PIXELS!r} is not cast to float")
    reader = graph.sole_consumer("pixels/float")
    if reader is None or reader.op_type == "Conv":
        return IntegerMean(0)
    if reader.op_type != "Add":
        return IntegerMean(None)
    mean = -graph.constants[reader.input[1]].reshape(-1).astype(np.float64)
    whole = np.clip(np.round(mean.mean()), 0, 255)
    conv = graph.sole_consumer(reader.output[0])
    if conv is None or conv.op_type != "Conv" or np.abs(mean - whole).max() > 0.5:
        return IntegerMean(None)
    kernel = graph.constants[conv.input[1]].astype(np.float64)
    bias = graph.constants[conv.input[2]] + np.einsum("oihw,i->o", kernel, whole - mean)
    own = graph.add_constant(f"{conv.input[2]}/whole_mean", bias.astype(np.float32))
    graph.set_input(conv, 2, own)
    graph.constants[reader.input[1]] = np.full((1, 3, 1, 1), -whole, np.float32)
    return IntegerMean(int(whole), 1)
