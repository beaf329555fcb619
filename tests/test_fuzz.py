"""What edgenet reads from others, damaged inside valid documents: a few hundred times here."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from edgenet.bundle import Bundle
from edgenet.library import image_folder
from edgenet.steps.compile import compile
from edgenet.zoo import embedded
from tests.house.tree import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import fuzz
import fuzz_cases

FEW = {**fuzz_cases._told(), "card": fuzz_cases._card()}


@pytest.mark.parametrize("name", FEW)
def test_only_our_own_errors_come_out(name: str, tmp_path: Path) -> None:
    tree, read = FEW[name]
    counts = fuzz.run(tree, read, random.Random(7), 30.0, most=400)
    assert counts["found"] == []
    assert counts["refused"] > 50, "the damage is seen"
    assert counts["accepted"] > 0, "not everything is refused"


@pytest.fixture(scope="module")
def built() -> dict[str, tuple[fuzz.Tree, fuzz.Try]]:
    """The cases that stand on a compiled model."""
    images = image_folder("signs", "calib")
    made = compile(str(embedded()), "local", "tflite", "int8", "int8-minmax", images)
    return {
        "bundle": fuzz_cases._bundle(made.bundle),
        "contents": fuzz_cases._contents(made.bundle),
        "archive": (made.data, Bundle.parse),
        "onnx": fuzz_cases._onnx(made.quantized),
        "quantized": fuzz_cases._quantized(made.quantized),
        "graph": fuzz_cases._graph(made.quantized),
        "model": fuzz_cases._model(),
    }


@pytest.mark.parametrize(
    ("name", "most"),
    {
        "bundle": 30, "contents": 20, "archive": 300, "onnx": 300, "quantized": 60, "graph": 8, "model": 30,
    }.items(),
)  # fmt: skip
def test_only_our_own_errors_come_out_of_models(
    built: dict[str, tuple[fuzz.Tree, fuzz.Try]], name: str, most: int
) -> None:
    counts = fuzz.run(*built[name], random.Random(7), 60.0, most)
    assert counts["found"] == []
    assert counts["refused"] > 0


def test_the_fuzzer_finds_what_there_is() -> None:
    def careless(table: dict[str, object]) -> object:
        return int(table["outputs"]) + len(table["dtype"])  # type: ignore[call-overload, arg-type]

    found = fuzz.run(fuzz_cases._told()["replay"][0], careless, random.Random(7), 10.0, most=300)["found"]
    assert {kind for kind, _ in found} >= {"KeyError", "TypeError"}
