"""edgenet's TFLite and ONNX Runtime artifacts beside those of other converters: one table, one run.

python benchmarks/lowering.py [--models A,B] [--threads 1,2] [--rounds N] [--python312 FILE] [--json F]

From the same float ONNX file: onnx2tf and AI Edge Quantizer make a TFLite file, ONNX Runtime's
quantize_static an ONNX file, edgenet both. Peers live in environments of their own, made once under --cache.
The artifacts for one runtime are then run in turn in this process. "pipeline" is what a camera program
does: a uint8 frame [H, W, 3] in, normalized and turned where the artifact wants it so, the best class out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter

from edgenet.backend import load_backend
from edgenet.graph.passes.prepare import prepare
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.target import Target

WORKERS = Path(__file__).parent / "converters"
MODELS = {"mobilenet_v1_025_224": "imagenet", "mobilenet_v2_035_224_flowers5": "flowers"}
PACKAGES = {
    "onnx2tf": ["onnx2tf>=2", "ai-edge-quantizer", "ai-edge-litert"],
    "ort": ["onnxruntime", "onnx", "sympy"],
}
RIVALS = {"tflite": "onnx2tf", "onnxruntime": "ort"}
IMAGES = 32
WARM, COUNTED = 4, 8  # runs in a turn that do not count, and that do

Run = Callable[[np.ndarray], int]


@dataclass(frozen=True)
class Artifact:
    """What a tool made: its file, seconds to convert and to quantize."""

    tool: str
    runtime: str
    file: Path
    convert_s: float
    quantize_s: float


def interpreter(tool: str, options: argparse.Namespace) -> Path:
    """A Python with the tool's packages, made on first use."""
    folder = options.cache / "envs" / f"lowering-{tool}"
    if not (folder / "ready").exists():
        base = options.python312 if tool == "onnx2tf" else sys.executable
        subprocess.run([base, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([folder / "bin/python", "-m", "pip", "install", "-q", *PACKAGES[tool]], check=True)
        (folder / "ready").touch()
    return Path(folder / "bin/python")


def own(model: Model, pixels: np.ndarray, work: Path) -> list[Artifact]:
    """edgenet's two artifacts, min-max ranges as the peers have them.

    Converting is the float file, as it is for onnx2tf; quantizing everything from there to the int8 file.
    """
    recipe, target = Recipe.load("int8-minmax"), Target.load("local")
    made = []
    for name in ("tflite", "onnxruntime"):
        begin = time.perf_counter()
        load_backend(name).lower(prepare(model), target)
        converted = time.perf_counter() - begin
        begin = time.perf_counter()
        small, _ = quantize(prepare(model), recipe, [item[None] for item in pixels])
        file = work / f"edgenet.{name}"
        file.write_bytes(load_backend(name).lower(small, target).data)
        made.append(Artifact("edgenet", name, file, converted, time.perf_counter() - begin))
    return made


def peer(
    runtime: str, model: Path, card: Model, pixels: Path, work: Path, options: argparse.Namespace
) -> Artifact:
    """The rival's artifact for a runtime.

    Raises:
        RuntimeError: It failed; its last line.
    """
    tool = RIVALS[runtime]
    out, result = work / f"{tool}.{runtime}", work / f"{tool}.json"
    how = card.preprocessing
    command = [
        interpreter(tool, options),
        WORKERS / f"{tool}_worker.py",
        model,
        pixels,
        how.mean[0],
        how.std[0],
    ]
    done = subprocess.run(
        [str(item) for item in [*command, out, result]], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError((done.stderr.strip() or "no word").splitlines()[-1][:160])
    return Artifact(tool, runtime, out, **json.loads(result.read_text()))


def loaded(artifact: Artifact, how: Any, threads: int) -> tuple[Run, Run]:
    """Two ways to run an artifact: the frame's pixels already as it wants them, and from the frame on."""
    mean, std = np.float32(how.mean[0]), np.float32(1) / np.float32(how.std[0])
    if artifact.runtime == "tflite":
        session = Interpreter(model_path=str(artifact.file), num_threads=threads)
        session.allocate_tensors()
        entry, end = session.get_input_details()[0], session.get_output_details()[0]["index"]
        scale, zero = entry["quantization"]

        def invoke(value: np.ndarray) -> int:
            session.set_tensor(entry["index"], value)
            session.invoke()
            return int(session.get_tensor(end).argmax())
    else:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        run = onnxruntime.InferenceSession(str(artifact.file), options, providers=["CPUExecutionProvider"])
        name = run.get_inputs()[0].name
        entry = {"dtype": np.uint8 if "uint8" in run.get_inputs()[0].type else np.float32}

        def invoke(value: np.ndarray) -> int:
            return int(run.run(None, {name: value})[0].argmax())

    def prepared(frame: np.ndarray) -> np.ndarray:
        if entry["dtype"] == np.uint8:
            return frame[None]
        value = (frame.astype(np.float32) - mean) * std
        if artifact.runtime == "onnxruntime":
            return np.ascontiguousarray(value.transpose(2, 0, 1)[None])
        if entry["dtype"] == np.int8:
            return np.clip(np.round(value / scale) + zero, -128, 127).astype(np.int8)[None]
        return value[None]

    return invoke, prepared


def timed(pairs: list[tuple[Run, Any]], frames: np.ndarray, rounds: int) -> list[tuple[float, float]]:
    """Median milliseconds of invoke and of the whole pipeline.

    The artifacts take turns, a few runs each: the first runs of a turn, beside the threads of the one before
    that still spin, do not count.
    """
    spent: list[tuple[list[float], list[float]]] = [([], []) for _ in pairs]
    for number in range(rounds):
        for (invoke, prepared), (model_ms, pipeline_ms) in zip(pairs, spent, strict=True):
            for turn in range(WARM + COUNTED):
                begin = time.perf_counter()
                value = prepared(frames[number % len(frames)])
                middle = time.perf_counter()
                invoke(value)
                end = time.perf_counter()
                if turn >= WARM:
                    model_ms.append(1e3 * (end - middle))
                    pipeline_ms.append(1e3 * (end - begin))
    return [(median(model_ms), median(pipeline_ms)) for model_ms, pipeline_ms in spent]


def side_by_side(
    artifacts: list[Artifact], how: Any, threads: int, frames: np.ndarray, rounds: int
) -> list[dict[str, Any]]:
    """The figures of the artifacts for one runtime; nothing else is loaded meanwhile."""
    times = timed([loaded(artifact, how, threads) for artifact in artifacts], frames, rounds)
    return [
        {
            "tool": artifact.tool, "model_ms": invoke, "pipeline_ms": pipeline,
            "bytes": artifact.file.stat().st_size,
            "convert_s": artifact.convert_s, "quantize_s": artifact.quantize_s,
        }
        for artifact, (invoke, pipeline) in zip(artifacts, times, strict=True)
    ]  # fmt: skip


def rows_of(name: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Everything measured of one model."""
    path = options.data / "models" / f"{name}.onnx"
    model, folder = Model.load(path), options.data / MODELS[name]
    images = ImageSet.load(folder / "calib").head(IMAGES)
    pixels = np.concatenate([images.pixels(index, model.preprocessing) for index in range(len(images))])
    rows = []
    with tempfile.TemporaryDirectory(prefix="edgenet-benchmark-") as place:
        work = Path(place)
        np.save(work / "pixels.npy", pixels)
        artifacts = own(model, pixels, work)
        for runtime, rival in RIVALS.items():
            try:
                artifacts.append(peer(runtime, path, model, work / "pixels.npy", work, options))
            except (RuntimeError, subprocess.SubprocessError, OSError) as error:
                print(f"{name}: {rival} failed: {error}")
        for threads in options.threads:
            for runtime in RIVALS:
                rows += [
                    {"model": name, "runtime": runtime, "threads": threads, **row}
                    for row in side_by_side(
                        [item for item in artifacts if item.runtime == runtime],
                        model.preprocessing, threads, pixels, options.rounds,
                    )
                ]  # fmt: skip
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """Every row, edgenet's with its ratios to its rival."""
    for row in rows:
        line = (
            f"{row['model']:30} {row['runtime']:12} {row['tool']:8} threads {row['threads']}  "
            f"model {row['model_ms']:7.2f} ms  pipeline {row['pipeline_ms']:7.2f} ms  "
            f"{row['bytes']:8} bytes  "
            f"convert {row['convert_s']:6.2f} s  quantize {row['quantize_s']:6.2f} s"
        )
        same = [
            other for other in rows if all(other[key] == row[key] for key in ("model", "runtime", "threads"))
        ]
        rival = next((other for other in same if other["tool"] != "edgenet"), None)
        if row["tool"] == "edgenet" and rival:
            keys = {
                "model": "model_ms",
                "pipeline": "pipeline_ms",
                "bytes": "bytes",
                "convert": "convert_s",
                "quantize": "quantize_s",
            }
            ratios = [f"{label} x{row[key] / rival[key]:.2f}" for label, key in keys.items() if rival[key]]
            line += f"   against {rival['tool']}: {', '.join(ratios)}"
        print(line, flush=True)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = Path(os.environ.get("EDGENET_SHARED", "../shared"))
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "edgenet-benchmark"
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument(
        "--threads", type=lambda text: [int(item) for item in text.split(",")], default=[1, 2]
    )
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument(
        "--python312", default=shutil.which("python3.12") or "python3.12", help="for onnx2tf 2.x"
    )
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument("--cache", type=Path, default=cache)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def main() -> None:
    """Run everything asked for, a model's rows as soon as they are known."""
    options, rows = arguments(), []
    options.cache.mkdir(parents=True, exist_ok=True)
    for name in options.models.split(","):
        rows += (made := rows_of(name, options))
        show(made)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
