"""What each pass won, measured on a few calibration images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.qdq.onnxruntime import to_qdq_format
from edgenet.statistics import at_least
from edgenet.task import Answers, Task

__all__ = ["Ablation"]


class Ablation:
    """Lines of a table: int8 graph against float network.

    Args:
        task: What the network is for.
        graph: The prepared float graph, before any pass.
        images: uint8 [1, H, W, 3] each; few are enough to see what a pass does.
    """

    def __init__(self, task: Task, graph: Graph, images: Sequence[NDArray[np.uint8]]) -> None:
        self._images = list(images)
        truth = Evaluator(graph.proto(), lean=True)
        self._task = task
        self._truth = self._comparable(truth)
        self.lines: list[dict[str, Any]] = []

    def add(self, name: str, graph: Graph) -> dict[str, Any]:
        """Judge a graph with Q/DQ inside, or a float one; returns its line.

        Integer kernels that saturate on some CPUs are kept out: what is measured is the quantization.
        """
        copy = graph.copy()
        if any(node.op_type == "QuantizeLinear" for node in copy.nodes):
            to_qdq_format(copy, "u8u8")
        got = self._comparable(Evaluator(copy.proto(), lean=True))
        same = self._task.same(self._truth, got, None)
        line = {
            "pass": name,
            "images": len(same),
            "agreement": round(float(same.mean()), 4),
            "agreement_at_least": round(at_least(int(same.sum()), len(same)), 4),
            "divergence": round(self._task.divergence(self._truth)(got), 5),
            "expected_loss_pp": round(100 * self._task.expected_loss(self._truth, got), 3),
        }
        self.lines.append(line)
        return line

    def _comparable(self, session: Evaluator) -> Answers:
        values = np.stack([session.row(pixels) for pixels in self._images])
        return self._task.comparable(values, self._task.outputs[0])
