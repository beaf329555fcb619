"""Detectors as edgenet reads and quantizes them, beside their publishers' own integer files and other tools.

    python benchmarks/detection.py [--models A,B] [--recipe NAME] [--peers] [--json F]

Files, cards and pictures are those of EDGENET_SHARED (``data/detection``; its README says what each model
gets in its own framework, ``SAID``), judged on ``coco_val`` by mAP at an IoU of 0.5 (held to pycocotools in
the tests), calibrated on ``calib``. ``kept``: boxes of the float network that are shown by the integer one
too, of those above the card's threshold for showing; ``below``: those that fell below it, with half that
score at least. Times are medians of one thread here, with the runtimes that boards have; ONNX Runtime runs
the form for Arm, which is slow on x86. ``--peers`` adds ONNX Runtime's ``quantize_static`` and, where it is
installed, AI Edge Quantizer (static, int8 weights and activations), given edgenet's own float artifact.

The exit code is 1 where a bar is missed: float within 0.3 mAP of the README's; int8 drops at most 0.5, and
no more than the publisher's own file, and keeps 95 % of the boxes; an integer file that is imported loses no
more beside itself in LiteRT, whose kernels alone move FPN-lite by half a mAP (26.4 with XNNPACK, 26.9
without); both backends give the same bytes but for one step.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from ai_edge_litert.interpreter import Interpreter

import edgenet
from edgenet.backend import load_backend
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.verify.host import run_bundle
from edgenet.verify.reference import Reference

DATA = Path(os.environ.get("EDGENET_SHARED", "../shared")) / "data" / "detection"
# mAP at an IoU of 0.5 in percent, as the folder's README has it.
SAID = {
    "st_ssd_mobilenet_v1_025_192.h5": 25.5,
    "st_ssd_mobilenet_v1_025_224.h5": 28.8,
    "ssd_mobilenet_v2_fpnlite_035_192_int8.tflite": 26.5,
}
BACKENDS = ("tflite", "onnxruntime")
TARGET = "raspberry-pi-4"
APART, DROP, KEPT = 0.3, 0.5, 0.95
RUNS = 60


@dataclass(frozen=True)
class Case:
    """A model, its pictures, and what it answers in float."""

    path: Path
    model: Model
    calibration: ImageSet
    judged: ImageSet
    pixels: Sequence[np.ndarray]
    truth: Any

    def figures(self, answers: np.ndarray, reference: np.ndarray) -> dict[str, Any]:
        """Of comparable answers [n, values] beside the float network's."""
        found = self.model.task.figures(answers, reference, self.truth)
        return {
            "map50": 100 * found["map50"],
            "map": 100 * found["map"],
            "drop": -100 * found["map50_delta"],
            "kept": found["boxes_kept"],
            "below": found["boxes_below"],
            "new": found["boxes_new"],
        }


def load_case(name: str) -> Case:
    """A model with its card; one that is an integer file only has the card of its float one."""
    path = DATA / "models" / name
    model = Model.load(path, path.with_name(f"{path.stem.removesuffix('_int8')}.toml"))
    judged = ImageSet.load(DATA / "coco_val")
    pixels = [judged.pixels(at, model.preprocessing)[0] for at in range(len(judged))]
    truth = model.task.truth(judged, model.classes)
    assert truth is not None
    truth = model.task.seen(truth, model.preprocessing)
    return Case(path, model, ImageSet.load(DATA / "calib"), judged, pixels, truth)


def float_answers(case: Case) -> np.ndarray:
    """Comparable answers of the network as it was read."""
    network = Reference(case.model.proto, case.model.preprocessing, case.model.task)
    return np.stack([network.run(item[None]) for item in case.pixels])


def ours(case: Case, backend: str, recipe: str | None) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """What a compiled model costs, its raw answers and the comparable ones."""
    begin = time.perf_counter()
    made = edgenet.compile(
        case.model, TARGET, backend, "int8", recipe, calibration=case.calibration, cache=False
    )
    seconds = time.perf_counter() - begin
    raw, output = run_bundle(made.bundle, case.pixels), made.bundle.manifest.artifact.output
    task = case.model.task
    answers = task.comparable(output.values(raw), output.meaning)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / made.bundle.manifest.artifact.file
        path.write_bytes(made.bundle.artifact)
        milliseconds = median(load_backend(backend).open(path).run, case.pixels)
    return {"seconds": seconds, "ms": milliseconds}, raw, answers


def twin(case: Case) -> tuple[float, np.ndarray] | None:
    """The publisher's own integer file in LiteRT: milliseconds and comparable answers, where there is one."""
    stem = case.path.stem.removesuffix("_int8")
    file = case.path.with_name(f"{stem}_int8.tflite")
    if not file.exists():
        return None
    interpreter = Interpreter(model_path=str(file), num_threads=1)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]
    own = case.model.settings["detection"]
    ends = [interpreter.get_output_details()[own[key]]["index"] for key in ("scores", "boxes")]

    def run(pixels: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(entry, pixels)
        interpreter.invoke()
        return np.concatenate([interpreter.get_tensor(end).reshape(-1) for end in ends])

    answers = np.stack([run(item[None]) for item in case.pixels])
    return median(run, case.pixels), case.model.task.comparable(answers, "probabilities")


def static(case: Case) -> tuple[float, np.ndarray]:
    """ONNX Runtime's quantize_static of the float network, by channels, activations U8, and its answers."""
    from onnxruntime import InferenceSession, SessionOptions
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    how = case.model.preprocessing
    name = case.model.proto.graph.input[0].name

    def fed(pixels: np.ndarray) -> dict[str, np.ndarray]:
        real = (pixels.astype(np.float32) - np.float32(how.mean)) / np.float32(how.std)
        return {name: real.transpose(0, 3, 1, 2)}

    class Pictures(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.rest = (
                fed(item[None])
                for item in (picture for batch in case.calibration.all_pixels(how) for picture in batch)
            )

        def get_next(self) -> Mapping[str, np.ndarray] | None:
            return next(self.rest, None)

    with tempfile.TemporaryDirectory() as folder:
        given, ready, made = (str(Path(folder) / f"{part}.onnx") for part in ("given", "ready", "made"))
        onnx.save(case.model.proto, given)
        quant_pre_process(given, ready, skip_symbolic_shape=True)
        quantize_static(
            ready, made, Pictures(), QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        options = SessionOptions()
        options.intra_op_num_threads = 1
        session = InferenceSession(made, options, providers=["CPUExecutionProvider"])
        rows = np.concatenate([session.run(None, fed(item[None]))[0] for item in case.pixels])
        spent = median(lambda item: session.run(None, fed(item)), case.pixels)
    return spent, case.model.task.comparable(rows, case.model.output)


def edge(case: Case) -> tuple[float, np.ndarray] | None:
    """AI Edge Quantizer's form of the float artifact, where it is installed: milliseconds and answers."""
    if importlib.util.find_spec("ai_edge_quantizer") is None:
        return None
    from ai_edge_quantizer import quantizer, recipe

    made = edgenet.compile(case.model, TARGET, "tflite", "fp32", cache=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.tflite"
        path.write_bytes(made.bundle.artifact)
        work = quantizer.Quantizer(str(path))
        work.load_quantization_recipe(recipe.static_wi8_ai8())
        (name, ends), *_ = Interpreter(model_path=str(path)).get_signature_list().items()
        pictures = [item for batch in case.calibration.all_pixels(case.model.preprocessing) for item in batch]
        seen = work.calibrate({name: [{ends["inputs"][0]: item[None]} for item in pictures]})
        data = bytes(work.quantize(seen).quantized_model)
    interpreter = Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]["index"]

    def run(pixels: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(entry, pixels)
        interpreter.invoke()
        heads = interpreter.get_output_details()
        return np.concatenate([real(interpreter.get_tensor(end["index"]), end).reshape(-1) for end in heads])

    rows = np.stack([run(item[None]) for item in case.pixels])
    return median(run, case.pixels), case.model.task.comparable(
        rows, made.bundle.manifest.artifact.output.meaning
    )


def real(values: np.ndarray, end: Mapping[str, Any]) -> np.ndarray:
    """An output's real numbers."""
    scale, zero = end["quantization"]
    return values if values.dtype == np.float32 else (values.astype(np.float32) - zero) * np.float32(scale)


def median(run: Any, pixels: Sequence[np.ndarray]) -> float:
    """Milliseconds of one picture."""
    times = []
    for at in range(RUNS):
        picture = pixels[at % len(pixels)][None]
        begin = time.perf_counter()
        run(picture)
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


def measure(case: Case, recipe: str | None, peers: bool) -> list[dict[str, Any]]:
    """One row a way to run the model."""
    name, said = case.path.name, SAID[case.path.name]
    reference = float_answers(case)
    whole = case.model.precision == "int8"
    rows = [{"model": name, "way": "imported" if whole else "float", "said": said}]
    rows[0] |= case.figures(reference, reference)
    raws = {}
    recipe = None if whole else recipe
    for backend in BACKENDS:
        cost, raws[backend], answers = ours(case, backend, recipe)
        rows.append({"model": name, "way": backend, **cost, **case.figures(answers, reference)})
    steps = np.abs(raws["tflite"].astype(int) - raws["onnxruntime"].astype(int))
    rows[-1] |= {"steps": int(steps.max()), "differ": float((steps > 0).mean())}
    if (own := twin(case)) is not None:
        rows.append({"model": name, "way": "publisher", "ms": own[0], **case.figures(own[1], reference)})
    for way, peer in (("quantize_static", static), ("AI Edge", edge)) if peers and not whole else ():
        if (found := peer(case)) is not None:
            rows.append({"model": name, "way": way, "ms": found[0], **case.figures(found[1], reference)})
    return rows


def missed(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The bars of one model that are missed, in words."""
    by = {row["way"]: row for row in rows}
    first = next(iter(by.values()))
    found = []
    if abs(first["map50"] - first["said"]) > APART:
        found.append(f"{first['model']}: mAP@0.5 {first['map50']:.1f}, said {first['said']}")
    for backend in BACKENDS:
        row, own = by[backend], by.get("publisher")
        wanted = first["map50"] if first["way"] == "float" or own is None else own["map50"]
        if wanted - row["map50"] > DROP:
            found.append(f"{first['model']} {backend}: loses {wanted - row['map50']:.2f} mAP@0.5")
        if first["way"] == "float" and row["kept"] < KEPT:
            found.append(f"{first['model']} {backend}: keeps {100 * row['kept']:.1f} % of the boxes")
        if own is not None and first["way"] == "float" and row["map50"] < own["map50"]:
            found.append(f"{first['model']} {backend}: below the publisher's own {own['map50']:.1f}")
    if by["onnxruntime"]["steps"] > 1:
        found.append(f"{first['model']}: backends {by['onnxruntime']['steps']} steps apart")
    return found


COLUMNS = (
    ("map50", "{:.1f}"), ("map", "{:.1f}"), ("drop", "{:+.2f}"), ("kept", "{:.3f}"), ("below", "{:.3f}"),
    ("new", "{:.3f}"), ("ms", "{:.2f}"), ("seconds", "{:.1f}"), ("steps", "{}"), ("differ", "{:.4f}"),
)  # fmt: skip


def line(row: Mapping[str, Any]) -> str:
    """A row of the table."""
    cells = [form.format(row[key]) if row.get(key) is not None else "" for key, form in COLUMNS]
    return f"{row['model'][:34]:34} {row['way']:16}" + "".join(f"{cell:>9}" for cell in cells)


def main() -> int:
    """Print the table; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", help="parts of their names, with commas")
    parser.add_argument("--recipe")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    wanted = told.models.split(",") if told.models else [""]
    print(f"{'model':34} {'way':16}" + "".join(f"{key:>9}" for key, _ in COLUMNS))
    rows: list[dict[str, Any]] = []
    wrong: list[str] = []
    for name in SAID:
        if not any(part in name for part in wanted):
            continue
        found = measure(load_case(name), told.recipe, told.peers)
        print("\n".join(map(line, found)), flush=True)
        rows += found
        wrong += missed(found)
    print("\n".join(f"missed: {item}" for item in wrong) or "every bar is held")
    if told.json:
        told.json.write_text(json.dumps(rows, indent=1))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
