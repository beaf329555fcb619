"""What calibration costs: beside the float network alone, and beside ONNX Runtime's entropy calibration.

python benchmarks/calibration.py [--model FILE.onnx --images FOLDER] [--count N] [--rival-images N]

"float" runs the prepared network over the calibration images on as many threads as calibration does;
"calibrate" is that stage of each recipe. Both decode nothing: the pixels lie ready. ONNX Runtime's calibrator
and ours with the same method then quantize with so few images that the former fits into memory, each in a
process of its own.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from quantization import Case, interpreter, load_case, run_worker

from edgenet.graph.evaluate import Evaluator
from edgenet.graph.passes.prepare import prepare
from edgenet.quantize.calibration.calibrate import THREADS
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe

RECIPES = ("int8-minmax", "int8-fast")
ENTROPY = """
name = "entropy"
summary = "Entropy ranges, weights to nearest"
observer = "entropy"
granularity = "per-channel"
images = 0
skip_corrupt_percent = 5
"""


def float_seconds(case: Case, pixels: list[np.ndarray]) -> float:
    """The float network alone."""
    session = Evaluator(prepare(case.model).proto, threads=THREADS, lean=True)
    began = time.perf_counter()
    for item in pixels:
        session.row(item)
    return time.perf_counter() - began


def stage_seconds(case: Case, recipe: str, pixels: list[np.ndarray]) -> float:
    """The calibration stage of a recipe; what follows it is kept short."""
    short = replace(Recipe.load(recipe), rounding_images=8, sweeps=1, positions=32)
    return quantize(prepare(case.model), short, pixels)[1].stages["calibrate"]


def rivals(case: Case, cache: Path, count: int) -> dict[str, dict[str, Any]]:
    """Seconds and peak MB of entropy calibration by ONNX Runtime and by edgenet."""
    found = {}
    for tool in ("ort", "edgenet"):
        interpreter(tool, cache)
        with tempfile.TemporaryDirectory(prefix="edgenet-benchmark-") as folder:
            recipe = Path(folder) / "entropy.toml"
            recipe.write_text(ENTROPY)
            variant = "entropy" if tool == "ort" else str(recipe)
            found[tool] = run_worker(tool, variant, case, cache, Path(folder), count)
    return found


def main() -> None:
    """Measure in turns, print medians and ratios."""
    shared = Path(os.environ.get("EDGENET_SHARED", "../shared")) / "data"
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "edgenet-benchmark"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=shared / "models/mobilenet_v1_100_224_deq.onnx")
    parser.add_argument("--images", type=Path, default=shared / "imagenet")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--rival-images", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=cache)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    case = load_case(options.model, options.images, options.cache, quick=True)
    pixels = [item[None] for item in np.load(case.calibration)[: options.count]]
    rounds = [
        (float_seconds(case, pixels), *(stage_seconds(case, recipe, pixels) for recipe in RECIPES))
        for _ in range(options.rounds)
    ]
    print(f"{options.model.stem}, {len(pixels)} images, medians of {options.rounds} rounds")
    print(f"  float network alone      {median(row[0] for row in rounds):7.1f} s")
    for place, recipe in enumerate(RECIPES, start=1):
        ratio = median(row[place] / row[0] for row in rounds)
        print(f"  calibrate, {recipe:12}  {median(row[place] for row in rounds):7.1f} s  {ratio:5.2f} of it")
    found = rivals(case, options.cache, options.rival_images)
    print(f"entropy calibration with {options.rival_images} images")
    for tool, cost in found.items():
        said = cost.get("failed") or f"{cost['seconds']:8.1f} s {cost['peak_mb']:8.0f} MB"
        print(f"  {tool:12} {said}")
    if not any("failed" in cost for cost in found.values()):
        times, memory = (found["ort"][key] / found["edgenet"][key] for key in ("seconds", "peak_mb"))
        print(f"  edgenet is {times:.1f} times as fast and takes {memory:.1f} times less memory")


if __name__ == "__main__":
    main()
