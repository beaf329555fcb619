"""Strangers' Keras files as edgenet reads them: float and int8 top-1, beside what their own integer twins
get.

python benchmarks/importers.py [--models A,B] [--recipe NAME] [--json F]

The files, cards and pictures are those of EDGENET_SHARED (its ``data/keras/README.md`` says what each
model is, and what it got in Keras). Pictures are stretched by nearest neighbor as their authors' tools
do, which no card says yet: edgenet is given them at their final size, ``resize = "none"``. Two models
have no card of today's form at all and are rewritten without a change of what they compute: gray pictures
(the first kernel over red, green and blue), and one sigmoid (the softmax of it and zero).
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from ai_edge_litert.interpreter import Interpreter
from onnx import numpy_helper
from PIL import Image

from edgenet.agent.preprocess import decode, pixels_of
from edgenet.backend import load_backend
from edgenet.card import ModelCard
from edgenet.graph.evaluate import Evaluator
from edgenet.importer import find_importer
from edgenet.model import Model, content_digest
from edgenet.preprocessing import Preprocessing
from edgenet.steps.quantize import quantize_model
from edgenet.target import Target
from edgenet.task import load_task

DATA = Path(os.environ.get("EDGENET_SHARED", "../shared")) / "data"
LUMINANCE = np.array([0.2989, 0.5870, 0.1140], np.float32)
# top-1 in Keras, and that of the integer twin in LiteRT, as the folder's README has them.
EXPECTED: dict[str, tuple[float, float | None]] = {
    "mobilenet_v1_025_224_flowers_fft.h5": (90.4, 90.0),
    "mobilenet_v1_025_224_flowers_tl.h5": (82.0, None),
    "mobilenet_v1_025_224_flowers_tfs.h5": (87.6, None),
    "mobilenet_v1_025_96_flowers_fft.h5": (88.0, None),
    "mobilenet_v1_025_96_flowers_fft_keras2.keras": (88.0, None),
    "mobilenet_v1_025_96_flowers_fft_keras3.keras": (88.0, None),
    "mobilenet_v1_025_96_flowers_tfs.h5": (84.4, None),
    "mobilenet_v1_025_96_flowers_grayscale.h5": (71.2, 70.8),
    "mobilenet_v1_050_224_flowers_fft.h5": (91.6, None),
    "mobilenet_v2_035_128_flowers_fft.h5": (93.2, 92.4),
    "mobilenet_v2_035_224_flowers_fft.h5": (91.2, None),
    "fdmobilenet_v1_224_flowers.h5": (91.2, None),
    "mobilenet_v2_035_128_person_fft.h5": (77.4, 71.4),
    "mobilenet_v1_025_224_food101_fft.h5": (60.0, None),
    "mobilenet_v1_025_96_vww.h5": (78.7, None),
    "mobilenet_v1_025_224_imagenet.h5": (49.0, None),
}
# Their README's pictures are not all here: those that are, are judged.
FEWER = ("food101", "vww")
DISHES = {
    924: "guacamole",
    928: "ice_cream",
    933: "hamburger",
    934: "hot_dog",
    959: "spaghetti_carbonara",
    963: "pizza",
}
LEAST_PERSON = 0.005


@dataclass(frozen=True)
class Case:
    """A file with its pictures: uint8 [n, H, W, 3] to calibrate with and to judge by, and the classes [n]."""

    path: Path
    card: dict[str, Any]
    calibration: np.ndarray
    judged: np.ndarray
    classes: np.ndarray


def load_case(path: Path) -> Case:
    """Find the pictures of a model, and make its pixels of them."""
    beside = path.with_suffix(".toml")
    if not beside.exists():
        beside = path.with_name(path.stem.rpartition("_")[0] + ".toml")
    card = tomllib.loads(beside.read_text())
    folder = "flowers" if "flowers" in path.name else "imagenet"
    if "person" in path.name or "vww" in path.name:
        named, calibration = people(), DATA / "detection" / "calib"
    else:
        with (DATA / folder / "val" / "labels.csv").open(newline="") as table:
            rows = list(csv.DictReader(table))
        named = [(DATA / folder / "val" / row["file"], int(row["class_index"])) for row in rows]
        calibration = DATA / folder / "calib"
    if "food101" in path.name:
        order = card["classes"]
        named = [(file, order.index(DISHES[index])) for file, index in named if index in DISHES]
    how = card["preprocessing"]
    used = sorted(file for file in calibration.iterdir() if file.suffix in (".jpg", ".png"))
    return Case(
        path,
        card,
        np.stack([pixels(file, how) for file in used]),
        np.stack([pixels(file, how) for file, _ in named]),
        np.array([index for _, index in named]),
    )


def people() -> list[tuple[Path, int]]:
    """Pictures with a person of a certain size (1), or without any (0)."""
    folder = DATA / "detection" / "coco_val"
    told = json.loads((folder / "annotations.json").read_text())
    largest: dict[int, float] = {}
    for item in told["annotations"]:
        width, height = item["bbox"][2:]
        largest[item["image_id"]] = max(largest.get(item["image_id"], 0.0), width * height)
    named = []
    for item in told["images"]:
        share = largest.get(item["id"], 0.0) / (item["width"] * item["height"])
        if share == 0 or share >= LEAST_PERSON:
            named.append((folder / item["file_name"], int(share > 0)))
    return named


def pixels(file: Path, table: dict[str, Any]) -> np.ndarray:
    """A picture as the network sees it, uint8 [H, W, 3]."""
    if table["interpolation"] != "nearest":
        return pixels_of(file.read_bytes(), table)
    picture = decode(file.read_bytes())
    rows, columns = (
        ((np.arange(side) + 0.5) * have / side).astype(int)
        for side, have in zip(table["size"], picture.shape, strict=False)
    )
    return picture[rows][:, columns]


def fed(case: Case, picture: np.ndarray) -> np.ndarray:
    """What the user's own network takes: float32 [1, channels, H, W]."""
    table, values = case.card["preprocessing"], picture.astype(np.float32)
    values = values @ LUMINANCE[:, None] if table["color"] == "grayscale" else values
    scaled = (values - np.float32(table["mean"])) / np.float32(table["std"])
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32)


def chosen(scores: np.ndarray) -> int:
    """The class of scores [n]; of one sigmoid, whether it is more likely than not."""
    return int(scores.argmax()) if scores.size > 1 else int(scores[0] > 0.5)


def model_of(case: Case, proto: onnx.ModelProto) -> Model:
    """The network as a card of today can tell it; pictures come at its size."""
    table = case.card["preprocessing"]
    gray, sigmoid = table["color"] == "grayscale", case.card["output"] == "sigmoid"
    if gray:
        over_colors(proto)
    if sigmoid:
        as_softmax(proto)
    mean, std = (list(table[key]) * (3 if gray else 1) for key in ("mean", "std"))
    how = {
        "size": table["size"],
        "color": "rgb",
        "resize": "none",
        "interpolation": "bilinear",
        "mean": mean,
        "std": std,
    }
    task = load_task("classification")("probabilities", tuple(case.card.get("classes", ())))
    card = ModelCard(task, Preprocessing.from_table(how, case.path))
    data = proto.SerializeToString()
    return Model.parse(data, case.path.stem, content_digest(proto), card, str(case.path))


def over_colors(proto: onnx.ModelProto) -> None:
    """The first kernel, over gray, as one over red, green and blue."""
    graph = proto.graph
    reader = next(node for node in graph.node if graph.input[0].name in node.input)
    kernel = next(item for item in graph.initializer if item.name == reader.input[1])
    values = numpy_helper.to_array(kernel) * LUMINANCE[None, :, None, None]
    kernel.CopyFrom(numpy_helper.from_array(values.astype(np.float32), kernel.name))
    graph.input[0].type.tensor_type.shape.dim[1].dim_value = 3


def as_softmax(proto: onnx.ModelProto) -> None:
    """One sigmoid as the softmax of zero and it."""
    graph, last = proto.graph, proto.graph.node[-1]
    dense = next(node for node in graph.node if node.output[0] == last.input[0])
    for item in graph.initializer:
        if item.name in dense.input[1:]:
            values = numpy_helper.to_array(item)
            item.CopyFrom(numpy_helper.from_array(np.concatenate([values * 0, values], axis=-1), item.name))
    last.op_type = "Softmax"
    graph.output[0].type.tensor_type.shape.dim[1].dim_value = 2


def int8_top1(model: Model, case: Case, recipe: str) -> float:
    """Quantize and lower to TFLite, as ``edgenet compile`` does, and judge the artifact in LiteRT."""
    with tempfile.TemporaryDirectory() as folder:
        for number, picture in enumerate(case.calibration):
            data = io.BytesIO()
            Image.fromarray(picture).save(data, "PNG")
            Path(folder, f"{number:05}.png").write_bytes(data.getvalue())
        quantized = quantize_model(model, recipe, Path(folder), cache=False)
        artifact = load_backend("tflite").lower(quantized.model, Target.load("raspberry-pi-4"))
        file = Path(folder, artifact.file)
        file.write_bytes(artifact.data)
        session = load_backend("tflite").open(file)
        answers = [chosen(session.run(picture[None])) for picture in case.judged]
    return share(answers, case.classes)


def twin_top1(case: Case) -> float | None:
    """Of the publisher's own integer file, where there is one."""
    file = case.path.with_name(f"{case.path.stem}_int8.tflite")
    if not file.exists():
        return None
    interpreter = Interpreter(model_path=str(file))
    interpreter.allocate_tensors()
    entry, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    answers = []
    for picture in case.judged:
        values = picture.astype(np.float32)
        if entry["shape"][-1] == 1:
            values = np.rint(values @ LUMINANCE[:, None])
        values -= 128 if entry["dtype"] == np.int8 else 0
        interpreter.set_tensor(entry["index"], values[None].astype(entry["dtype"]))
        interpreter.invoke()
        answers.append(chosen(interpreter.get_tensor(last["index"])[0]))
    return share(answers, case.classes)


def share(answers: list[int], classes: np.ndarray) -> float:
    """Right answers in percent."""
    return 100.0 * float((np.array(answers) == classes).mean())


def measured(path: Path, recipe: str) -> dict[str, Any]:
    """One row of the table."""
    case = load_case(path)
    read = find_importer(path)
    assert read is not None
    proto = read(path, (224, 224)).proto
    network = Evaluator(proto)
    scores = [next(iter(network.run(fed(case, picture)).values()))[0] for picture in case.judged]
    row: dict[str, Any] = {"file": path.name, "images": len(case.classes), "expected": EXPECTED[path.name][0]}
    row["float"] = share([chosen(item) for item in scores], case.classes)
    row["int8"] = int8_top1(model_of(case, proto), case, recipe)
    row["twin"], row["twin_expected"] = twin_top1(case), EXPECTED[path.name][1]
    return row


def main() -> None:
    """Print the table; rows in which float is not what the README says are marked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(EXPECTED))
    parser.add_argument("--recipe", default="int8-fast")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    print(f"{'file':48} images  expected   float    int8    drop    twin")
    for name in options.models.split(","):
        row = measured(DATA / "keras" / name, options.recipe)
        rows.append(row)
        fewer = any(word in name for word in FEWER)
        mark = (
            "(other pictures)" if fewer else "" if abs(row["float"] - row["expected"]) < 0.05 else "DIFFERS"
        )
        twin = "–" if row["twin"] is None else f"{row['twin']:.1f}"
        print(
            f"{name:48} {row['images']:6} {row['expected']:9.1f} {row['float']:7.1f} {row['int8']:7.1f} "
            f"{row['float'] - row['int8']:+7.1f} {twin:>7} {mark}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
