"""What a user names to sweep: a plan, or trained models and families of networks."""

from __future__ import annotations

from collections.abc import Sequence

from edgenet.errors import PlanError
from edgenet.library import names
from edgenet.sweeps.plan import SweepPlan
from edgenet.zoo.named import FAMILIES

__all__ = ["chosen"]


def chosen(what: Sequence[str]) -> SweepPlan:
    """The plan that is named, or a new one of these models and families; without a name the usual one.

    Raises:
        PlanError: A plan is named beside others.
        LibraryError: The plan cannot be read.
    """
    plans = [item for item in what if item in names("sweep") or item.endswith(".toml")]
    if plans and len(what) > 1:
        raise PlanError("a plan stands alone", "give it alone: options change what it says")
    if plans:
        return SweepPlan.load(plans[0])
    return SweepPlan().changed(
        files=[item for item in what if item not in FAMILIES],
        families=[item for item in what if item in FAMILIES],
    )
