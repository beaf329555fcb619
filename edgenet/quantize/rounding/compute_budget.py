"""How much layer-by-layer work a recipe's seconds pay for: counted, not measured."""

from __future__ import annotations

from edgenet.graph.cost import cost
from edgenet.graph.graph import Graph
from edgenet.recipe import Recipe

__all__ = ["RATE", "plan_compute"]

# Multiply-adds a second of the machine that a recipe's seconds are meant for.
RATE = 5e9
# A layer is run in float and in int8, once to see its inputs and range and once to go on.
RUNS = 4
FEWEST = 8


def plan_compute(graph: Graph, recipe: Recipe, images: int) -> tuple[int, int]:
    """Images and rounds of coordinate descent that fit into the recipe's seconds.

    Counting multiply-adds instead of reading a clock keeps the result the same on every machine.

    Args:
        graph: The prepared float graph.
        recipe: With ``seconds``, ``rounding_images`` and ``sweeps``.
        images: How many images there are.
    """
    images = max(1, min(images, recipe.rounding_images))
    if recipe.seconds <= 0:
        return images, recipe.sweeps
    one_image = one_round = 0.0
    for node, macs in zip(
        [node for node in graph.nodes if node.op_type == "Conv"], _macs(graph), strict=True
    ):
        kernel = graph.constants[node.input[1]]
        inputs = kernel[0].size
        one_image += RUNS * macs + 2 * recipe.positions * inputs**2
        one_round += 3 * kernel.size * inputs
    left = recipe.seconds * RATE
    sweeps = max(1, min(recipe.sweeps, int(left / 2 // max(one_round, 1))))
    return max(min(FEWEST, images), min(images, int((left - sweeps * one_round) // one_image))), sweeps


def _macs(graph: Graph) -> list[int]:
    return [layer.macs for layer in cost(graph.proto()).layers if layer.op == "Conv"]
