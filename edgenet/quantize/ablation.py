"""What each pass won, measured on a few calibration images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.dialect import to_form
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.view import Graph

__all__ = ["Ablation"]


class Ablation:
    """Lines of a table: int8 graph against float network.

    Args:
        graph: The prepared float graph, before any pass.
        images: uint8 [1, H, W, 3] each; few are enough to see what a pass does.
    """

    def __init__(self, graph: Graph, images: Sequence[NDArray[np.uint8]]) -> None:
        self._images = list(images)
        truth = Evaluator(graph.proto(), lean=True)
        self._truth = np.stack([truth.first(pixels) for pixels in self._images]).astype(np.float64)
        self.lines: list[dict[str, Any]] = []

    def add(self, name: str, graph: Graph) -> None:
        """Judge a graph with Q/DQ inside, or a float one.

        Integer kernels that saturate on some CPUs are kept out: what is measured is the quantization.
        """
        copy = Graph(graph.proto())
        if any(node.op_type == "QuantizeLinear" for node in copy.nodes):
            to_form(copy, "u8u8")
        session = Evaluator(copy.proto(), lean=True)
        got = np.stack([session.first(pixels) for pixels in self._images]).astype(np.float64)
        p, q = _log_probabilities(self._truth), _log_probabilities(got)
        self.lines.append(
            {
                "pass": name,
                "agreement": round(float((got.argmax(axis=1) == self._truth.argmax(axis=1)).mean()), 4),
                "divergence": round(float((np.exp(p) * (p - q)).sum(axis=1).mean()), 5),
            }
        )


def _log_probabilities(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
