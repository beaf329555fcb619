"""A model that came quantized is held to itself: the canonical form to the graph as it was given."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgenet.errors import ModelError
from edgenet.golden import Golden
from edgenet.graph.evaluate import Evaluator
from edgenet.measure.drift import conversion
from edgenet.model import Model
from edgenet.task import Task

__all__ = ["check_taken"]

# Of the answers' range. A sum in the middle between two steps may go either way, and in a deep network that
# grows from layer to layer: up to 0.05 was seen, where one wrong layer gives other answers altogether.
TOLERANCE = 0.25


def check_taken(task: Task, model: Model, golden: Golden) -> dict[str, Any]:
    """Run the canonical form in float, each node by itself, and compare it with the user's graph.

    Args:
        task: How the user's graph is read; the canonical form may end before its Softmax or Sigmoid.
        model: What :func:`edgenet.graph.given.take.take_given` returned.
        golden: The golden set, with the answers of the user's graph.

    Returns:
        Share of equal answers and the largest difference, for a bundle's ``conversion``.

    Raises:
        ModelError: They are not one network.
    """
    simulated = Evaluator(model.proto, optimize=False)
    answers = np.stack([simulated.row(item[None]) for item in golden.pixels])
    stage = conversion(task, task.comparable(answers, model.output), golden.reference).to_table()
    if stage["max_abs"] > TOLERANCE * (float(np.ptp(golden.reference)) or 1.0):
        raise ModelError(
            f"the quantized graph as edgenet reads it differs from the model by {stage['max_abs']:.3g} "
            f"(its answers span {float(np.ptp(golden.reference)):.3g})",
            "report this as a bug in edgenet with the model",
        )
    return stage
