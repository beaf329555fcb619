"""Two models in a chain: whether the second can look at what the first finds."""

from __future__ import annotations

from edgenet.errors import PlanError
from edgenet.task import Task

__all__ = ["check_chain"]

# Points that tell where to cut and how to turn.
FEWEST = 2


def check_chain(first: Task, second: Task) -> None:
    """Refuse a chain that cannot work, before a board is asked.

    Raises:
        PlanError: The first finds no points, or too few of those by which the second is aligned.
    """
    found = first.settings.get("detection", {}).get("points", ())
    if not found:
        raise PlanError(
            f"{first.noun} without points is no first model of a chain",
            "give a detector whose card names points, such as BlazeFace",
        )
    wanted = second.settings.get("alignment", {})
    common = {_plain(name) for name in found} & {_plain(name) for name in wanted}
    if len(common) < FEWEST:
        raise PlanError(
            f"the first model finds {', '.join(found)}, the second is aligned by "
            f"{', '.join(wanted) or 'nothing'}: {len(common)} points are the same, and two are needed",
            "name the points of [alignment] in the second model's card as the first model's card does",
        )


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").lower()
