"""edgenet's recipes beside other post-training quantizers: one table, one run.

python benchmarks/quantization.py [--quick] [--models A,B] [--tools edgenet,ort,nncf,aiedge] [--json F]
                                  [--model FILE.onnx --images FOLDER]

Every quantizer runs in a process and an environment of its own (made once, under --cache) and gets the same
pixels. Every artifact is judged as a user runs it: its own runtime, graph optimization on, all labelled
images. Seconds and memory are those of quantizing alone, memory above the interpreter with its imports.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgenet.backend import load_backend
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.passes.prepare import prepare
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.target import Target
from edgenet.verify.reference import Reference

WORKERS = Path(__file__).parent / "quantizers"
MODELS = {
    "mobilenet_v1_025_224": "imagenet",
    "mobilenet_v1_075_224": "imagenet",
    "mobilenet_v1_100_224_deq": "imagenet",
    "mobilenet_v2_100_224_deq": "imagenet",
    "mobilenet_v2_035_224_flowers5": "flowers",
}
# tool: (packages, variant → most calibration images, 0 = all)
TOOLS: dict[str, tuple[list[str], dict[str, int]]] = {
    "edgenet": (
        [],
        dict.fromkeys(
            ("int8-minmax", "int8-fast", "int8-accurate", "int8-per-tensor", "int8-mixed", "int8-dynamic"), 0
        ),
    ),
    "ort": (
        ["onnxruntime", "onnx", "sympy"],
        # Histograms of all images are held in memory: more than a few gigabytes from some 100 images on.
        {"min-max": 256, "percentile": 32, "entropy": 32, "per-tensor": 256},
    ),
    "nncf": (["nncf", "onnx", "onnxruntime"], {"fast": 256, "accurate": 256}),
    "aiedge": (["ai-edge-quantizer", "ai-edge-litert"], {"static": 256}),
}
QUICK = {"edgenet": ("int8-fast",), "ort": ("min-max",), "nncf": (), "aiedge": ()}


@dataclass(frozen=True)
class Case:
    """A model with its images: pixels uint8 [n, H, W, 3], float answers and labels of the judged ones."""

    model: Model
    path: Path
    calibration: Path
    pixels: np.ndarray
    reference: np.ndarray
    labels: np.ndarray


def load_case(path: Path, folder: Path, cache: Path, quick: bool) -> Case:
    """Decode the images of ``folder/calib`` and ``folder/val`` once and run the float network."""
    name, model = path.stem, Model.load(path)
    calibration = cache / f"{name}-calibration.npy"
    judged = ImageSet.load(folder / "val")
    if quick:
        judged = judged.head(200)
    if not calibration.exists():
        np.save(calibration, decoded(ImageSet.load(folder / "calib"), model))
    pixels, truth = decoded(judged, model), Reference(model.proto, model.preprocessing, model.task)
    reference = np.stack([truth.run(item[None]) for item in pixels])
    labels = np.array([int(row["class_index"]) for row in judged.truth or ()])
    return Case(model, path, calibration, pixels, reference, labels + model.label_offset)


def decoded(images: ImageSet, model: Model) -> np.ndarray:
    """All images as the network sees them."""
    return np.concatenate([images.pixels(index, model.preprocessing) for index in range(len(images))])


def interpreter(tool: str, cache: Path) -> Path:
    """A Python with the tool's packages, made on first use; edgenet's own is this one."""
    packages = TOOLS[tool][0]
    if not packages:
        return Path(sys.executable)
    folder = cache / "envs" / tool
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        (folder / "ready").touch()
    return python


def run_worker(
    tool: str, variant: str, case: Case, cache: Path, work: Path, images: int | None = None
) -> dict[str, Any]:
    """Quantize in another process, with so many images; its seconds and memory, or why it failed."""
    job = {
        "model": str(case.path.resolve()),
        "pixels": str(case.calibration.resolve()),
        "images": TOOLS[tool][1][variant] if images is None else images,
        "mean": case.model.preprocessing.mean,
        "std": case.model.preprocessing.std,
        "variant": variant,
        "output": str(work / "artifact"),
        "result": str(work / "result.json"),
        "tflite": str(work / "float.tflite"),
    }
    if tool == "aiedge":
        artifact = load_backend("tflite").lower(prepare(case.model), Target.load("local"))
        Path(job["tflite"]).write_bytes(artifact.data)
    (work / "job.json").write_text(json.dumps(job))
    script = WORKERS / f"{tool}_worker.py"
    try:
        command = [str(interpreter(tool, cache)), str(script), str(work / "job.json")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    except (subprocess.SubprocessError, OSError) as error:
        return {"failed": str(error)}
    if done.returncode:
        return {"failed": (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1][:120]}
    return dict(json.loads((work / "result.json").read_text()))


def answers(tool: str, case: Case, work: Path) -> dict[str, np.ndarray]:
    """Raw scores [n, classes] of what a worker wrote, by runtime."""
    if tool == "edgenet":
        return {
            name: run_backend(name, work / f"artifact.{name}", case) for name in ("onnxruntime", "tflite")
        }
    if tool == "aiedge":
        return {"tflite": run_backend("tflite", work / "artifact.tflite", case)}
    session = Evaluator((work / "artifact.onnx").read_bytes(), threads=os.cpu_count() or 1)
    mean, std = np.float32(case.model.preprocessing.mean), np.float32(case.model.preprocessing.std)
    inputs = (np.ascontiguousarray(((item - mean) / std).transpose(2, 0, 1)[None]) for item in case.pixels)
    return {"onnxruntime": np.stack([session.row(value) for value in inputs])}


def run_backend(name: str, file: Path, case: Case) -> np.ndarray:
    """Run an artifact through edgenet's own runtime module, with its defaults."""
    session = load_backend(name).open(file)
    return np.stack([session.run(item[None]) for item in case.pixels])


def judge(scores: np.ndarray, case: Case) -> dict[str, float]:
    """Top-1 and agreement with the float network, in percent."""
    said, float_said = scores.argmax(axis=1), case.reference.argmax(axis=1)
    return {
        "top1_float": 100 * float((float_said == case.labels).mean()),
        "top1": 100 * float((said == case.labels).mean()),
        "agreement": 100 * float((said == float_said).mean()),
    }


def rows_of(tool: str, variant: str, name: str, case: Case, cache: Path) -> list[dict[str, Any]]:
    """One row for each runtime that a quantizer's result was judged in."""
    with tempfile.TemporaryDirectory(prefix="edgenet-benchmark-") as folder:
        cost = run_worker(tool, variant, case, cache, Path(folder))
        row = {"model": name, "tool": tool, "variant": variant, **cost}
        if "failed" in cost:
            return [row]
        return [
            {**row, "runtime": runtime, **judge(scores, case)}
            for runtime, scores in answers(tool, case, Path(folder)).items()
        ]


def show(row: dict[str, Any]) -> str:
    """One line of the table."""
    head = f"{row['model']:30} {row['tool']:8} {row['variant']:16}"
    if "failed" in row:
        return f"{head} failed: {row['failed']}"
    return (
        f"{head} {row['runtime']:12} top-1 {row['top1_float']:5.1f} -> {row['top1']:5.1f}  "
        f"agreement {row['agreement']:5.1f} %  {row['seconds']:7.1f} s  {row['peak_mb']:7.0f} MB"
    )


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(os.environ.get("EDGENET_SHARED", "../shared"))
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "edgenet-benchmark"
    parser.add_argument("--quick", action="store_true", help="one variant a tool, 200 images")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--model", type=Path, help="another ONNX file, with --images")
    parser.add_argument("--images", type=Path, help="its images: a folder with calib and val")
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--variants", default="", help="only these; default is all")
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument("--cache", type=Path, default=cache)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main(say: Callable[[str], None] = print) -> None:
    """Run everything asked for, a line as soon as it is known."""
    options, rows = arguments(), []
    options.cache.mkdir(parents=True, exist_ok=True)
    names = options.models.split(",")
    cases = [(options.data / "models" / f"{name}.onnx", options.data / MODELS[name]) for name in names]
    for path, folder in [(options.model, options.images)] if options.model else cases:
        case, name = load_case(path, folder, options.cache, options.quick), path.stem
        for tool in options.tools.split(","):
            variants = QUICK[tool] if options.quick else tuple(TOOLS[tool][1])
            for variant in variants:
                if not options.variants or variant in options.variants.split(","):
                    rows += (made := rows_of(tool, variant, name, case, options.cache))
                    for row in made:
                        say(show(row))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
