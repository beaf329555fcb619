"""What a second backend of the same model costs: seconds of `edgenet compile`, first and second; their ratio.

python benchmarks/second_backend.py [--model M.onnx] [--images DIR] [--count 200] [--recipe R] [--rounds N]

Every compile is a process of its own, as a user's is, so Python and its imports are in both. The cache is
empty before each round; backends take turns at being first. Shown are wall seconds a round and the median
ratio; `--goal R` ends with exit code 1 if that is above R. Without --model it is MobileNetV1 0.25-224,
untrained, and without --images smooth random pictures: the work is that of a trained one on photos.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import onnx

from edgenet.agent.preprocess import encode_ppm, fit
from edgenet.imageset import ImageSet
from edgenet.zoo import mobilenet_v1

BACKENDS = ("onnxruntime", "tflite")
SIZE, CLASSES = 224, 1001
CARD = f"""[preprocessing]
size = [{SIZE}, {SIZE}]
color = "rgb"
resize = "stretch"
interpolation = "bilinear-antialias"
mean = [127.5, 127.5, 127.5]
std = [127.5, 127.5, 127.5]
"""


def main() -> None:
    """Measure in turns, print each round and the median."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model")
    parser.add_argument("--images")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--recipe", default="int8-fast")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--goal", type=float)
    options = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory(prefix="edgenet-") as temporary:
        folder = Path(temporary)
        model = Path(options.model).resolve() if options.model else _network(folder)
        images = _some(Path(options.images), options.count, folder) if options.images else None
        images = images or _pictures(folder / "images", options.count)
        for number in range(options.rounds):
            order = BACKENDS if number % 2 == 0 else BACKENDS[::-1]
            cache = folder / f"cache{number}"
            spent = [_seconds(model, backend, images, options.recipe, cache) for backend in order]
            ratios.append(spent[1] / spent[0])
            told = ", ".join(f"{name} {value:.2f} s" for name, value in zip(order, spent, strict=True))
            print(f"round {number + 1}: {told}, ratio {ratios[-1]:.3f}", flush=True)
    print(f"second backend: {median(ratios):.3f} of the first (median of {len(ratios)}, goal 0.35)")
    if options.goal is not None and median(ratios) > options.goal:
        sys.exit(1)


def _seconds(model: Path, backend: str, images: Path, recipe: str, cache: Path) -> float:
    command = [
        sys.executable,
        "-m",
        "edgenet",
        "compile",
        str(model),
        "--target",
        "local",
        "--precision",
        "int8",
    ]
    command += ["--backend", backend, "--recipe", recipe, "--calibration", str(images)]
    command += ["-o", str(cache.parent / f"{backend}.edgenet")]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "EDGENET_CACHE": str(cache)})
    return time.perf_counter() - began


def _network(folder: Path) -> Path:
    path = folder / "mobilenet_v1_025_224.onnx"
    onnx.save(mobilenet_v1(0.25, SIZE, CLASSES, seed=1), path)
    path.with_suffix(".toml").write_text(CARD, encoding="utf-8")
    return path


def _pictures(folder: Path, count: int) -> Path:
    """Smooth pictures with some noise, as large as the network sees."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    spec = {"size": (SIZE, SIZE), "resize": "stretch", "interpolation": "bicubic-antialias"}
    for index in range(count):
        coarse = generator.integers(0, 256, (9, 9, 3), dtype=np.uint8)
        noisy = fit(coarse, spec) + generator.normal(0, 8, (SIZE, SIZE, 3))
        data = encode_ppm(np.clip(noisy, 0, 255).astype(np.uint8))
        (folder / f"{index:04d}.ppm").write_bytes(data)
    return folder


def _some(given: Path, count: int, folder: Path) -> Path:
    """As many images of a folder, linked into one of their own."""
    chosen = folder / "images"
    chosen.mkdir()
    for path in ImageSet.load(given).head(count).files:
        (chosen / path.name).symlink_to(path.resolve())
    return chosen


if __name__ == "__main__":
    main()
