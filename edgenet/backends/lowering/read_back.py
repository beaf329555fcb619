"""A written TFLite file read again and computed in ONNX Runtime: what it answers where there is no LiteRT."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.evaluate import Evaluator
from edgenet.importers.tflite_file.convert import convert
from edgenet.importers.tflite_file.network import Affine, parse_network

__all__ = ["ReadBack"]

ANY = (0, 0)  # our files leave no side free


class ReadBack:
    """A session of one of edgenet's own files, by what its operators mean, not by LiteRT's kernels.

    Args:
        data: The file.
        where: Its name, for messages.
        threads: Threads inside an operator.

    Raises:
        ModelError: It is damaged.
        UnsupportedError: An operator of it has no words in ONNX.
    """

    def __init__(self, data: bytes, where: str, threads: int) -> None:
        network = parse_network(memoryview(data), where)
        self._evaluator = Evaluator(convert(network, ANY).proto, threads=threads)
        self._stored = [network.tensors[index] for index in network.outputs]

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[Any]:
        """Raw values for uint8 [1, H, W, 3] pixels, as :class:`edgenet.backend.HostSession`."""
        found = self._evaluator.run(pixels.transpose(0, 3, 1, 2))
        # What chooses the best class comes last, and the converter leaves it out.
        rows = [_raw(real, item.affine) for real, item in zip(found.values(), self._stored, strict=False)]
        return np.concatenate(rows)


def _raw(real: NDArray[np.float32], stored: Affine | None) -> NDArray[Any]:
    """The numbers of the file's own output, from their real values: exact, for those lie on its grid."""
    flat = real.reshape(-1)
    if stored is None:
        return flat
    steps: NDArray[Any] = np.round(flat / stored.scales[0] + stored.zeros[0])
    return steps.astype(np.int8)
