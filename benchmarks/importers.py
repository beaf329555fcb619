"""Strangers' Keras files as edgenet reads and quantizes them, beside their publishers' own integer files.

    python benchmarks/importers.py [--models A,B] [--recipe NAME] [--markdown] [--json F]

Files, cards and pictures are those of EDGENET_SHARED, unchanged; its ``data/keras/README.md`` says what
each model is, and what it gets in Keras (``said``). Each is compiled for TFLite as ``edgenet compile``
does it, with the pictures that are there to calibrate with; both integer files run in LiteRT on this
machine, one thread. Times are medians of 50 runs. The exit code is 1 where float is not what Keras gets.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

import edgenet
from edgenet.backend import load_backend
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.verify.host import run_bundle
from edgenet.verify.reference import Reference

DATA = Path(os.environ.get("EDGENET_SHARED", "../shared")) / "data"
# top-1 in Keras as the folder's README has it, in percent; None where its pictures are not all here.
SAID: dict[str, float | None] = {
    "mobilenet_v1_025_224_flowers_fft.h5": 90.4,
    "mobilenet_v1_025_224_flowers_tl.h5": 82.0,
    "mobilenet_v1_025_224_flowers_tfs.h5": 87.6,
    "mobilenet_v1_025_96_flowers_fft.h5": 88.0,
    "mobilenet_v1_025_96_flowers_fft_keras2.keras": 88.0,
    "mobilenet_v1_025_96_flowers_fft_keras3.keras": 88.0,
    "mobilenet_v1_025_96_flowers_tfs.h5": 84.4,
    "mobilenet_v1_025_96_flowers_grayscale.h5": 71.2,
    "mobilenet_v1_050_224_flowers_fft.h5": 91.6,
    "mobilenet_v2_035_128_flowers_fft.h5": 93.2,
    "mobilenet_v2_035_224_flowers_fft.h5": 91.2,
    "fdmobilenet_v1_224_flowers.h5": 91.2,
    "mobilenet_v2_035_128_person_fft.h5": 77.4,
    "mobilenet_v1_025_224_food101_fft.h5": None,
    "mobilenet_v1_025_96_vww.h5": None,
    "mobilenet_v1_025_224_imagenet.h5": 49.0,
}
# ImageNet's classes that are dishes of the food model.
DISHES = {
    "924": "guacamole", "928": "ice_cream", "933": "hamburger", "934": "hot_dog",
    "959": "spaghetti_carbonara", "963": "pizza",
}  # fmt: skip
LEAST_PERSON = 0.005  # of a picture; those with a smaller one alone are not judged
LUMINANCE = np.array([0.2989, 0.5870, 0.1140], np.float32)
RUNS = 50


@dataclass(frozen=True)
class Case:
    """A model, pictures to calibrate with, and others to judge by with what is true of them."""

    path: Path
    model: Model
    calibration: ImageSet
    judged: ImageSet

    @property
    def pixels(self) -> np.ndarray:
        """The judged pictures, uint8 [n, H, W, 3]."""
        return np.concatenate(list(self.judged.all_pixels(self.model.preprocessing)))

    def top1(self, answers: np.ndarray) -> float:
        """Right answers in percent, from comparable ones [n, values]."""
        truth = self.model.task.truth(self.judged, self.model.classes)
        assert truth is not None
        return 100 * self.model.task.quality(answers, truth)


def load_case(path: Path) -> Case:
    """A file with the card beside it; those saved again here have that of their source."""
    card = path.with_suffix(".toml")
    card = card if card.exists() else path.with_name(path.stem.rpartition("_")[0] + ".toml")
    model = Model.load(path, card)
    if "person" in path.name or "vww" in path.name:
        return Case(path, model, ImageSet.load(DATA / "detection" / "calib"), people())
    folder = DATA / ("flowers" if "flowers" in path.name else "imagenet")
    judged = dishes(folder / "val") if "food" in path.name else ImageSet.load(folder / "val")
    return Case(path, model, ImageSet.load(folder / "calib"), judged)


def people() -> ImageSet:
    """Pictures with a person of a certain size (1), or without any (0)."""
    folder = DATA / "detection" / "coco_val"
    told = json.loads((folder / "annotations.json").read_text())
    largest: dict[int, float] = {}
    for item in told["annotations"]:
        width, height = item["bbox"][2:]
        largest[item["image_id"]] = max(largest.get(item["image_id"], 0.0), width * height)
    classes = {}
    for item in told["images"]:
        share = largest.get(item["id"], 0.0) / (item["width"] * item["height"])
        if share == 0 or share >= LEAST_PERSON:
            classes[item["file_name"]] = str(int(share > 0))
    return labelled(folder, classes, "class_index")


def dishes(folder: Path) -> ImageSet:
    """Pictures of ImageNet whose class is one of the food model's."""
    with (folder / "labels.csv").open(newline="") as table:
        rows = {row["file"]: row["class_index"] for row in csv.DictReader(table)}
    return labelled(folder, {file: DISHES[at] for file, at in rows.items() if at in DISHES}, "class_name")


def labelled(folder: Path, classes: dict[str, str], column: str) -> ImageSet:
    """Some files of a folder, with what is true of each."""
    files = tuple(folder / name for name in classes)
    return ImageSet(folder, files, tuple({column: name} for name in classes.values()))


def float_answers(case: Case, pixels: np.ndarray) -> np.ndarray:
    """Comparable answers of the network as it was read."""
    network = Reference(case.model.proto, case.model.preprocessing, case.model.task)
    return np.stack([network.run(item[None]) for item in pixels])


def twin(case: Case, pixels: np.ndarray) -> dict[str, Any]:
    """The publisher's own integer file, where there is one."""
    file = case.path.with_name(f"{case.path.stem}_int8.tflite")
    if not file.exists():
        return {}
    interpreter = Interpreter(model_path=str(file), num_threads=1)
    interpreter.allocate_tensors()
    entry, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    inputs = [as_taken(item, entry) for item in pixels]

    def run(values: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(entry["index"], values)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(last["index"])[0], np.float32)

    raw = np.stack([run(values) for values in inputs])
    scale, zero = last["quantization"]
    raw = (raw - zero) * scale if scale else raw
    answers = case.model.task.comparable(raw, "probabilities")
    size = file.stat().st_size / 1000
    return {"twin": case.top1(answers), "twin_kb": size, "twin_ms": milliseconds(run, inputs)}


def as_taken(picture: np.ndarray, entry: dict[str, Any]) -> np.ndarray:
    """Pixels [H, W, 3] as an integer file takes them: of one channel, or signed."""
    values = picture.astype(np.float32)
    values = np.rint(values @ LUMINANCE[:, None]) if entry["shape"][-1] == 1 else values
    return (values - (128 if entry["dtype"] == np.int8 else 0))[None].astype(entry["dtype"])


def milliseconds(run: Any, inputs: Sequence[np.ndarray]) -> float:
    """Median of one call."""
    spent = []
    for number in range(RUNS):
        began = time.perf_counter()
        run(inputs[number % len(inputs)])
        spent.append(time.perf_counter() - began)
    return 1000 * statistics.median(spent)


def ours(case: Case, recipe: str, pixels: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Comparable int8 answers, and what the artifact is like."""
    made = edgenet.compile(
        case.model, "raspberry-pi-4", "tflite", "int8", recipe, case.calibration, cache=False
    ).bundle
    output = made.manifest.artifact.output
    answers = case.model.task.comparable(output.values(run_bundle(made, pixels)), output.meaning)
    file = Path(os.environ.get("TMPDIR", "/tmp"), f"edgenet-importers-{os.getpid()}.tflite")
    file.write_bytes(made.artifact)
    session = load_backend("tflite").open(file)
    file.unlink()
    return answers, {
        "int8": case.top1(answers),
        "int8_kb": len(made.artifact) / 1000,
        "int8_ms": milliseconds(session.run, [item[None] for item in pixels]),
    }


def measured(path: Path, recipe: str) -> dict[str, Any]:
    """One row."""
    case = load_case(path)
    pixels = case.pixels
    reference = float_answers(case, pixels)
    answers, about = ours(case, recipe, pixels)
    same = case.model.task.same(answers, reference, None)
    row = {"file": path.name, "images": len(pixels), "said": SAID[path.name], "float": case.top1(reference)}
    return {**row, **about, "agree": 100 * float(same.mean()), **twin(case, pixels)}


def shown(row: dict[str, Any]) -> list[str]:
    """A row's cells."""
    keys = ("said", "float", "int8", "drop", "agree", "twin", "int8_kb", "twin_kb", "int8_ms", "twin_ms")
    forms = {"drop": "+.1f", "int8_kb": ".0f", "twin_kb": ".0f", "int8_ms": ".2f", "twin_ms": ".2f"}
    told = {**row, "drop": row["float"] - row["int8"]}
    cells = ["–" if told.get(key) is None else format(told[key], forms.get(key, ".1f")) for key in keys]
    return [row["file"], str(row["images"]), *cells]


HEAD = (
    "file", "images", "said", "float", "int8", "drop", "agree", "twin", "KB", "twin's", "ms", "twin's"
)  # fmt: skip


def main() -> int:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(SAID))
    parser.add_argument("--recipe", default="int8-fast")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    lines = [list(HEAD), ["---"] * len(HEAD)] if options.markdown else [list(HEAD)]
    rows = []
    for name in options.models.split(","):
        rows.append(measured(DATA / "keras" / name, options.recipe))
        lines.append(shown(rows[-1]))
        while lines:
            cells = lines.pop(0)
            wide = f"{cells[0]:44} " + " ".join(f"{cell:>7}" for cell in cells[1:])
            print(f"| {' | '.join(cells)} |" if options.markdown else wide, flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    return int(any(row["said"] is not None and abs(row["float"] - row["said"]) > 0.05 for row in rows))


if __name__ == "__main__":
    sys.exit(main())
