"""Exporters × models × backends: what frameworks write, compiled, beside the framework's own answers.

python benchmarks/exporters.py --pytorch PYTHON --tensorflow PYTHON [--pictures DIR] [--json F] [--keep DIR]

Each PYTHON has the framework, of any version (benchmarks/exporting/ says which packages). For each file: the
largest error of the float builds on real pictures, as a share of the span of the answers' log-probabilities,
the share of pictures with the same best class, and whether int8 compiles, with the seconds of reading,
quantizing and lowering it. A file that comes as int8 is compared as it is. The exit code is 1 where a float
build errs by more than 1e-4 of the span.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import edgenet
from edgenet.errors import EdgenetError
from edgenet.imageset import ImageSet
from edgenet.importers.framework import FRAMEWORK_PYTHON
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.verify.host import run_bundle

HERE = Path(__file__).parent
PICTURES = Path(os.environ.get("EDGENET_SHARED", "../shared")) / "data/flowers/val"
BACKENDS = ("onnxruntime", "tflite")
SIZE, COUNT, MOST = 96, 16, 1e-4
CARD = """task = "{task}"
output = "{output}"
[preprocessing]
size = [{size}, {size}]
color = "rgb"
resize = "stretch"
interpolation = "bilinear"
mean = [{mean}, {mean}, {mean}]
std = [{std}, {std}, {std}]
"""


def exported(name: str, python: str, pixels: Path, folder: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """Every case of a framework, and its file."""
    made = folder / name
    made.mkdir(exist_ok=True)
    if not (made / "cases.json").exists():
        subprocess.run(
            [python, str(HERE / f"exporting/with_{name}.py"), str(pixels), str(made)],
            check=True,
            stdout=sys.stderr,
        )
    for case in json.loads((made / "cases.json").read_text()):
        yield case, made / case["file"]


def card(case: dict[str, Any], file: Path, classes: int) -> Path:
    """A card beside the file."""
    task = "classification"
    if case["output"] == "sigmoid":
        task = "binary" if classes == 1 else "multilabel"
    path = file.with_name(file.name + ".toml")
    labels = f"labels = {[f'c{number}' for number in range(max(classes, 2))]}\n"
    path.write_text(labels + CARD.format(task=task, size=SIZE, **case))
    return path


def comparable(values: np.ndarray[Any, Any], meaning: str) -> np.ndarray[Any, Any]:
    """Log-probabilities, or the logit of each Sigmoid."""
    values = values.astype(np.float64)
    if meaning == "sigmoid":
        return np.log(values) - np.log1p(-values)
    if meaning == "probabilities":
        return np.log(values)
    return values - np.logaddexp.reduce(values, axis=1, keepdims=True)


def measured(case: dict[str, Any], file: Path, images: Path, pixels: np.ndarray[Any, Any]) -> dict[str, Any]:
    """One row."""
    truth = np.load(f"{file}.npy")
    row: dict[str, Any] = {**case}
    want = comparable(truth, case["output"])
    begin = time.perf_counter()
    try:
        model = Model.load(file, card(case, file, truth.shape[1]))
    except EdgenetError as error:
        return {**row, "refused": str(error)}
    row["read_s"] = time.perf_counter() - begin
    given = model.precision == "int8"
    for backend in BACKENDS:
        try:
            made = edgenet.compile(
                model, "raspberry-pi-4", backend, "int8" if given else "fp32", cache=False
            ).bundle
            got = made.manifest.artifact.output.values(run_bundle(made, pixels))
            got = comparable(got, "logits") if case["output"] != "sigmoid" else got
            best = got.argmax(axis=1) == want.argmax(axis=1) if got.shape[1] > 1 else (got > 0) == (want > 0)
            row[backend] = {
                "error": float(np.abs(got - want).max() / np.ptp(want)),
                "same": float(best.mean()),
            }
            if not given:
                begin = time.perf_counter()
                edgenet.compile(model, "raspberry-pi-4", backend, "int8", "int8-minmax", images, cache=False)
                row[backend]["int8_s"] = time.perf_counter() - begin
        except EdgenetError as error:
            row.setdefault(backend, {})["refused"] = str(error)
    return row


def told(row: dict[str, Any]) -> list[str]:
    """The cells of a row."""
    if "failed" in row or "refused" in row:
        why = f"its exporter: {row['failed']}" if "failed" in row else f"refused: {row['refused']}"
        return [row["model"], row["form"], why, "", ""]
    cells = [row["model"], row["form"], f"{row['read_s']:.1f}"]
    for backend in BACKENDS:
        found = row[backend]
        shown = f"{found['error']:.1e}, {found['same']:.0%}" if "error" in found else ""
        shown += f"; {found['int8_s']:.1f} s" if "int8_s" in found else ""
        cells.append(shown + (f" refused: {found['refused']}" if "refused" in found else ""))
    return cells


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pytorch")
    parser.add_argument("--tensorflow")
    parser.add_argument("--pictures", type=Path, default=PICTURES)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="edgenet-exporters-"))
    folder.mkdir(exist_ok=True)
    spec = {
        "size": [SIZE, SIZE],
        "color": "rgb",
        "resize": "stretch",
        "interpolation": "bilinear",
        "mean": [0] * 3,
        "std": [1] * 3,
    }
    fed = Preprocessing.from_table(spec, "benchmark")
    pixels = np.stack(
        [item.reshape(SIZE, SIZE, 3) for item in ImageSet.load(asked.pictures).head(COUNT).all_pixels(fed)]
    )
    np.savez(folder / "pictures.npz", pixels=pixels)
    rows = []
    print("| model | form | read, s | ONNX Runtime: error, same best; int8 | TFLite |\n|---|---|---|---|---|")
    for name in ("pytorch", "tensorflow"):
        if python := getattr(asked, name):
            os.environ[FRAMEWORK_PYTHON] = python
            for case, file in exported(name, python, folder / "pictures.npz", folder):
                rows.append(case if "failed" in case else measured(case, file, asked.pictures, pixels))
                print("| " + " | ".join(told(rows[-1])) + " |", flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1))
    floats = [row[item] for row in rows for item in BACKENDS if item in row and "int8" not in row["form"]]
    errors = [item["error"] for item in floats if "error" in item]
    return int(any(not error <= MOST for error in errors))


if __name__ == "__main__":
    sys.exit(main())
