"""A plan, models and families are told apart by their names."""

from __future__ import annotations

import pytest

from edgenet.errors import LibraryError, PlanError
from edgenet.sweeps.choice import chosen
from edgenet.sweeps.plan import SweepPlan


def test_models_and_families_are_told_apart() -> None:
    found = chosen(["v2", "a.onnx", "signs"])
    assert (found.files, found.families) == (("a.onnx", "signs"), ("v2",))
    assert chosen([]) == SweepPlan()


def test_a_plan_stands_alone() -> None:
    assert chosen(["what-to-train"]) == SweepPlan.load("what-to-train")
    with pytest.raises(PlanError, match="a plan stands alone"):
        chosen(["what-to-train", "v2"])
    with pytest.raises(LibraryError):
        chosen(["nowhere.toml"])
