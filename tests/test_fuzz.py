"""What edgenet reads from others, damaged inside valid documents: a few hundred times here."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import fuzz

FEW = {**fuzz._told(), "card": fuzz._card()}


@pytest.mark.parametrize("name", FEW)
def test_only_our_own_errors_come_out(name: str, tmp_path: Path) -> None:
    tree, read = FEW[name]
    counts = fuzz.run(tree, read, random.Random(7), 30.0, most=400)
    assert counts["found"] == []
    assert counts["refused"] > 50, "the damage is seen"
    assert counts["accepted"] > 0, "not everything is refused"


def test_the_fuzzer_finds_what_there_is() -> None:
    def careless(table: dict[str, object]) -> object:
        return int(table["outputs"]) + len(table["dtype"])  # type: ignore[call-overload, arg-type]

    found = fuzz.run(fuzz._told()["replay"][0], careless, random.Random(7), 10.0, most=300)["found"]
    assert {kind for kind, _ in found} >= {"KeyError", "TypeError"}
