"""Strangers' .tflite files beside what edgenet makes of them: the table of docs/tflite-files.md.

python benchmarks/tflite_files.py [--data DIR] [--images N] [--only TEXT]

Every file of DIR (default: data of EDGENET_SHARED) is compiled for the Raspberry Pi 4, for ONNX Runtime and
for TFLite, and both run on N pictures beside the file itself in LiteRT, fed as its publisher says. The file
is looked at before its last Softmax or Logistic, where its numbers are float or on 256 steps; nothing else is
changed. Shown are, of float files, the largest error as a share of the range of the scores, else the share
of scores that are the same number and the largest difference in steps; the share of equal best classes; top-1
of the three where the pictures have labels; milliseconds to read; and what is refused, with the reason.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import edgenet
from edgenet.card import read_card
from edgenet.errors import EdgenetError
from edgenet.imageset import ImageSet
from edgenet.importers.tflite import read
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.verify.host import run_bundle

BACKENDS = ("onnxruntime", "tflite")
ENDINGS = ("DEQUANTIZE", "LOGISTIC", "QUANTIZE", "SOFTMAX")
GRAY = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Case:
    """A file, how it is fed, and pictures for it.

    Attributes:
        card: The card that says how the network was fed; of the float twin where the file has none.
        images: Pictures, with labels.csv where top-1 is to be had.
        changes: What the file has otherwise than that card's model.
        first: Number of the first class in the labels: 1 where the file has a background before it.
    """

    file: str
    card: str
    images: str = "flowers/val"
    changes: tuple[tuple[str, Any], ...] = ()
    first: int = 0


SLIM = (("output", "probabilities"), ("label_offset", 1))
BIRDS = "finegrained/mobilenet_v2_100_224_inat_bird_uint8"
CASES = (
    Case("models/tflite_reference/vww_96_float", "keras/mobilenet_v1_025_96_vww", "detection/coco_val"),
    Case("faces/mobilefacenet", "faces/mobilefacenet", "faces/val/raw"),
    Case("faces/mobilefacenet_int8", "faces/mobilefacenet", "faces/val/raw"),
    Case("keras/mobilenet_v1_025_96_vww_int8", "keras/mobilenet_v1_025_96_vww", "detection/coco_val"),
    Case("keras/mobilenet_v1_025_96_flowers_grayscale_int8", "keras/mobilenet_v1_025_96_flowers_grayscale"),
    Case("keras/mobilenet_v1_025_224_flowers_fft_int8", "keras/mobilenet_v1_025_224_flowers_fft"),
    Case("keras/mobilenet_v2_035_128_flowers_fft_int8", "keras/mobilenet_v2_035_128_flowers_fft"),
    Case("keras/mobilenet_v2_035_128_person_fft_int8", "keras/mobilenet_v2_035_128_person_fft",
         "detection/coco_val", (("task", "binary"),)),
    *(Case(f"models/tflite_reference/mobilenet_{name}_quant", f"models/mobilenet_{card}_deq", "imagenet/val",
           SLIM, 1)
      for name, card in (("v1_0.25_128", "v1_025_128"), ("v1_0.5_160", "v1_050_160"),
                         ("v1_0.75_192", "v1_075_192"), ("v2_1.0_224", "v2_100_224"))),
    Case(BIRDS, BIRDS, "imagenet/val"),
)  # fmt: skip


def main() -> None:
    """Every file in turn; then those that are refused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.path.join(os.environ.get("EDGENET_SHARED", ""), "data"))
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    data = Path(options.data)
    known = {case.file for case in CASES}
    print("| file | read, ms | form | ONNX Runtime | TFLite | same best class | top-1: the file, both |")
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        if options.only in case.file:
            print(_row(data, case, options.images), flush=True)
    for path in sorted(data.rglob("*.tflite")):
        if options.only in str(path) and path.relative_to(data).with_suffix("").as_posix() not in known:
            print(f"\n{path.name}: {_refusal(path)}")


def _row(data: Path, case: Case, count: int) -> str:
    path = data / f"{case.file}.tflite"
    with TemporaryDirectory(prefix="edgenet-") as folder:
        card = card_of(data, case, Path(folder))
        begin = time.perf_counter()
        model = Model.load(path, card)
        seconds = time.perf_counter() - begin
        images = ImageSet.load(data / case.images).head(count)
        pictures = [images.pixels(at, model.preprocessing)[0] for at in range(len(images))]
        theirs = list(answers_of(path, pictures, card))
        cells, best, answers = [], [], [np.stack(theirs)]
        for backend in BACKENDS:
            try:
                made = edgenet.compile(
                    model, "raspberry-pi-4", backend, model.precision, calibration=images, cache=False
                ).bundle
            except EdgenetError as error:
                cells.append(f"refused: {error}")
                continue
            ours = run_bundle(made, pictures)
            cells.append(_difference(ours, answers[0], made.manifest.artifact.output.scale))
            same = np.mean(ours.argmax(1) == answers[0].argmax(1))
            best.append(f"{same:.1%}" if ours.shape[1] > 1 else "–")
            answers.append(ours)
    top1 = _top1(data, case, images, answers)
    shown = [path.name, f"{1e3 * seconds:.0f}", model.precision, *cells, ", ".join(best), top1]
    return f"| {' | '.join(shown)} |"


def card_of(data: Path, case: Case, folder: Path) -> Path:
    """Write the card that says how a file is fed."""
    table = tomllib.loads((data / f"{case.card}.toml").read_text(encoding="utf-8"))
    plain = {key: table[key] for key in ("task", "output")} | dict(case.changes)
    lines = [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
    fed = [f"{key} = {json.dumps(value)}" for key, value in table["preprocessing"].items()]
    path = folder / "card.toml"
    path.write_text("\n".join([*lines, "[preprocessing]", *fed]), encoding="utf-8")
    return path


def answers_of(path: Path, pictures: list[Any], card: Path) -> Iterator[Any]:
    """The file's own scores in LiteRT: int8, 128 less than uint8, or float."""
    from ai_edge_litert.interpreter import Interpreter

    fed = read_card(card).preprocessing
    interpreter = Interpreter(model_content=_without_ending(path.read_bytes()), num_threads=1)
    interpreter.allocate_tensors()
    picture = next(item for item in interpreter.get_input_details() if len(item["shape"]) == 4)
    scores = interpreter.get_output_details()[0]["index"]
    for pixels in pictures:
        interpreter.set_tensor(picture["index"], _fed(pixels, picture, fed))
        interpreter.invoke()
        values = np.array(interpreter.get_tensor(scores)).reshape(-1)
        yield values.astype(np.int16) - 128 if values.dtype == np.uint8 else values


def _fed(pixels: Any, picture: Any, fed: Preprocessing) -> Any:
    if picture["shape"][3] == 1:
        pixels = np.rint(pixels.astype(np.float64) @ GRAY).astype(np.uint8)[..., None]
    if picture["dtype"] == np.uint8:
        return pixels[None]
    if picture["dtype"] == np.int8:
        return (pixels[None].astype(np.int16) - 128).astype(np.int8)
    mean, std = (np.float32(part) for part in (fed.mean, fed.std))
    return ((pixels[None].astype(np.float32) - mean) / std).astype(np.float32)


def _without_ending(data: bytes) -> bytes:
    """The file without what turns its scores into probabilities or float."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    graph = model.subgraphs[0]
    codes = [names[max(item.builtinCode, item.deprecatedBuiltinCode)] for item in model.operatorCodes]
    makers = {int(output): item for item in graph.operators for output in item.outputs}
    at = int(graph.outputs[0])
    while codes[makers[at].opcodeIndex] in ENDINGS:
        graph.operators = [item for item in graph.operators if item is not makers[at]]
        at = int(makers[at].inputs[0])
    graph.outputs, model.signatureDefs = [at], []
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _difference(ours: Any, theirs: Any, scale: float | None) -> str:
    if scale is None:
        spans = np.ptp(theirs, axis=1, keepdims=True)
        centered = [
            item - (item.mean(1, keepdims=True) if item.shape[1] > 1 else 0) for item in (ours, theirs)
        ]
        return f"{np.max(np.abs(centered[0] - centered[1]) / spans):.1e}"
    apart = np.abs(ours.astype(int) - theirs.astype(int))
    return f"{np.mean(apart == 0):.2%} ({apart.max()})"


def _top1(data: Path, case: Case, images: ImageSet, answers: list[Any]) -> str:
    labels = data / case.images / "labels.csv"
    if case.file == BIRDS:
        labels = data / "finegrained" / "labels.csv"
    if not labels.is_file() or answers[0].shape[1] < 5 or "faces" in case.file:
        return "–"
    with labels.open(encoding="utf-8", newline="") as stream:
        known = {Path(row["file"]).name: int(row["class_index"]) for row in csv.DictReader(stream)}
    rows = [at for at in range(len(images)) if Path(images.name(at)).name in known]
    if not rows:
        return "–"
    wanted = np.array([known[Path(images.name(at)).name] + case.first for at in rows])
    return ", ".join(f"{np.mean(item[rows].argmax(1) == wanted):.1%}" for item in answers)


def _refusal(path: Path) -> str:
    try:
        read(path, (224, 224))
    except EdgenetError as error:
        return str(error).removeprefix(f"{path}: ")
    return "read"


if __name__ == "__main__":
    main()
