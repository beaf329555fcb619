"""Try variants of a recipe on half of the images, and keep the one that does best on the other half."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgenet.figures import number
from edgenet.recipe import Recipe

__all__ = ["Variant", "best_variant", "told"]


@dataclass(frozen=True)
class Variant:
    """A recipe that was tried.

    Attributes:
        changes: What it changes of the recipe that was given; empty for that one itself.
        line: Agreement and divergence on the images that it was not made with.
    """

    changes: Mapping[str, Any]
    line: Mapping[str, Any]

    @property
    def words(self) -> str:
        """Its changes for people."""
        return ", ".join(f"{key} = {value}" for key, value in self.changes.items()) or "the recipe as it is"

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"variant": self.words, **{key: value for key, value in self.line.items() if key != "pass"}}


def best_variant(
    recipe: Recipe, judged: Callable[[Recipe, str], Mapping[str, Any]]
) -> tuple[Recipe, list[Variant]]:
    """Judge a recipe and all its variants.

    Args:
        recipe: With variants.
        judged: Makes something by a recipe and judges it; gets what is tried in words, too.

    Returns:
        The recipe to follow, and what was tried, the best one first.
    """
    tried = []
    choices = ({}, *recipe.variants)
    for place, changes in enumerate(choices, 1):
        line = judged(recipe.varied(changes), f"variant {place} of {len(choices)}, ")
        tried.append(Variant(changes, line))
    tried.sort(key=lambda item: float(item.line["divergence"]))
    return recipe.varied(tried[0].changes), tried


def told(tried: list[Variant]) -> str:
    """Which variant was followed and why, in a sentence."""
    best, images = tried[0], tried[0].line["images"]
    rest = "; ".join(f"{item.words}: {_figure(item)}" for item in tried[1:])
    return f"on {images} images left out, best was {best.words} (divergence {_figure(best)}; {rest})"


def _figure(item: Variant) -> str:
    return number(float(item.line["divergence"]), 4)
