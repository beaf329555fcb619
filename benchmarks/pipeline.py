"""From the camera's bytes to the label: edgenet's pipeline beside what people write by hand, in one run.

python benchmarks/pipeline.py [--model M] [--pictures DIR] [--interpolation NAME] [--rounds N] [--json FILE]
python benchmarks/pipeline.py --agreement [--images N]

It wants opencv-python-headless (OpenCV's loops), torch and torchvision (PyTorch's tutorial form, left out
where they are not installed, which the first line says): none is a dependency of edgenet. Pictures become
frames of three sizes as ``profile --frame`` makes them, JPEG and YUYV, and are answered by

- edgenet: the agent's own pipeline, by both runtimes, with the pixels of OpenCV and of Pillow; also as it
  runs on a board without OpenCV (edgenet sends none);
- OpenCV + LiteRT, OpenCV + ONNX Runtime: imdecode or cvtColor, resize, crop, the same artifact;
- Pillow + LiteRT: convert, resize, crop, the same artifact;
- torchvision + ONNX Runtime: Resize, CenterCrop, ToTensor, Normalize, the float model;
- edgenet before: decode and fit as they were at commit d41f6b1 (pipelines/before.py).

One thread: the ways take turns in an order drawn anew each round, four frames each, of which the first does
not count (memory and caches are then another's); medians of the thread's own CPU time, so that other programs
count little. Two threads: wall time in slices that take turns, the least of each; it wants a quiet machine.
``--agreement`` answers the pictures as frames of all sizes, decoded in full and scaled, resized as the card
of the model says unless ``--interpolation`` does.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

try:
    import cv2
except ImportError:
    sys.exit("benchmarks/pipeline.py: pip install opencv-python-headless (and torch torchvision)")
import onnxruntime
from pipelines import ways
from pipelines.agreement import agreement
from pipelines.overlap import Overlapped, side_by_side

import edgenet
from edgenet.agent import runtimes
from edgenet.frame import Frame
from edgenet.imageset import ImageSet
from edgenet.measure.frame_pictures import frame_pictures
from edgenet.preprocessing import Preprocessing

SHARED = Path(os.environ.get("EDGENET_SHARED", "../shared")) / "data"
SIZES = ((640, 480), (1280, 720), (1920, 1080))
# Frames in a turn, turns that do not count; slices of the two threads' run, and their seconds.
FRAMES, WARM, SLICES, SLICE_S = 4, 2, 9, 0.4
SAME, BARE = "opencv-linear", "edgenet without OpenCV"
OURS, LOOP, ONE, BEFORE = "edgenet", "OpenCV + LiteRT", "OpenCV + LiteRT, one thread", "edgenet before"
PILLOW, PLAIN, SCALED = "edgenet antialias", "edgenet bilinear", "edgenet scaled"
PLAIN_BEFORE = "before, bilinear"


class Bench:
    """The builds of one model, open, and the frames that they answer."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.model = edgenet.Model.load(options.model)
        self.how: Preprocessing = self.model.preprocessing
        if options.interpolation:
            self.how = replace(self.how, interpolation=options.interpolation)
        self.paths: dict[str, Path] = {}
        for backend in ("tflite", "onnxruntime"):
            done = edgenet.compile(
                self.model, "local", backend, options.precision, calibration=options.calibration
            )
            self.paths[backend] = folder / done.bundle.manifest.artifact.file
            self.paths[backend].write_bytes(done.bundle.artifact)
        images = ImageSet.load(options.pictures)
        some = images.head(options.pictures_used)
        self.images = [some.read(index) for index in range(len(some))]
        self.float_session = onnxruntime.InferenceSession(str(options.model), _ort_options(1))

    def session(self, backend: str, threads: int) -> Any:
        """A runtime of the agent with the artifact in it."""
        return runtimes.load(backend).Session(str(self.paths[backend]), threads)

    def pictures(self, frame: Frame) -> list[bytes]:
        """The frames of a size and form."""
        return list(frame_pictures(self.images, frame, self.how.orientation))

    def ways(self, frame: Frame, pictures: list[bytes]) -> Iterator[tuple[str, Any]]:
        """(name, way) with one thread each."""
        lite, ort = self.session("tflite", 1), self.session("onnxruntime", 1)
        spec, clock = self.how.fit_spec(), time.thread_time
        byte_spec = {**spec, "interpolation": "bilinear-antialias"}
        steps = ways.opencv(frame, self.how, self.options.interpolation)
        answer = ways.lite(lite)
        yield OURS, ways.Own(lite, pictures, frame, spec, clock)
        yield BARE, ways.Bare(lite, pictures, frame, spec, clock)
        yield LOOP, ways.ByHand(pictures, *steps, answer, clock)
        yield "edgenet, ONNX Runtime", ways.Own(ort, pictures, frame, spec, clock)
        yield "OpenCV + ONNX Runtime", ways.ByHand(pictures, *steps, ways.ort(ort._session), clock)
        yield PILLOW, ways.Own(lite, pictures, frame, byte_spec, clock)
        if frame.form != "jpeg":
            return
        yield BEFORE, ways.ByHand(pictures, *ways.earlier(self.how, "bilinear-antialias"), answer, clock)
        yield SCALED, ways.Own(lite, pictures, frame, {**spec, "decode": "scaled"}, clock)
        yield PLAIN, ways.Own(lite, pictures, frame, {**spec, "interpolation": "bilinear"}, clock)
        yield PLAIN_BEFORE, ways.ByHand(pictures, *ways.earlier(self.how, "bilinear"), answer, clock)
        yield "Pillow + LiteRT", ways.ByHand(pictures, *ways.pillow(self.how), answer, clock)
        try:
            steps = ways.torchvision(self.how)
        except ImportError:
            return
        yield "torchvision + ONNX Runtime", ways.ByHand(pictures, *steps, ways.ort(self.float_session), clock)


def _ort_options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return options


def one_thread(bench: Bench, frame: Frame) -> dict[str, Any]:
    """Median ms of each way's parts, the classes it gives, and whether its pixels are OpenCV's."""
    cv2.setNumThreads(1)
    pictures = bench.pictures(frame)
    every = dict(bench.ways(frame, pictures))
    names = list(every)
    laps: dict[str, list[ways.Lap]] = {name: [] for name in names}
    draw = random.Random(0)
    gc.collect()
    gc.disable()
    for number in range(WARM + bench.options.rounds):
        for name in draw.sample(names, len(names)):
            run = [every[name].lap(FRAMES * number + index) for index in range(FRAMES)]
            laps[name] += run[1:] if number >= WARM else []
    gc.enable()
    found = {}
    theirs = [every[LOOP].pixels(index) for index in range(len(pictures))]
    for name, kept in laps.items():
        took = 1e3 * np.array([lap.seconds for lap in kept])
        parts = dict(zip(ways.PARTS, np.median(took, axis=0).tolist(), strict=True))
        same = [a.label == b.label for a, b in zip(kept, laps[LOOP], strict=True)]
        seen = [every[name].pixels(index) for index in range(len(pictures))]
        equal = [a.shape == b.shape and np.array_equal(a, b) for a, b in zip(seen, theirs, strict=True)]
        found[name] = {
            **parts, "all": float(np.median(took.sum(axis=1))), "same_label": float(np.mean(same)),
            "same_pixels": float(np.mean(equal)),
        }  # fmt: skip
    return {"frame": str(frame), "bytes": round(np.mean([len(item) for item in pictures])), "ways": found}


def two_threads(bench: Bench, frame: Frame) -> dict[str, float]:
    """Wall ms a frame, the least of the slices."""
    pictures, clock = bench.pictures(frame), time.perf_counter
    ours = bench.session("tflite", 1)
    own = ways.Own(ours, pictures, frame, bench.how.fit_spec(), clock)
    cv2.setNumThreads(2)
    steps = ways.opencv(frame, bench.how, bench.options.interpolation)
    ort = onnxruntime.InferenceSession(str(bench.paths["onnxruntime"]), _ort_options(2))
    others = {
        LOOP: ways.ByHand(pictures, *steps, ways.lite(bench.session("tflite", 2)), clock),
        ONE: ways.ByHand(pictures, *steps, ways.lite(bench.session("tflite", 1)), clock),
        "OpenCV + ONNX Runtime": ways.ByHand(pictures, *steps, ways.ort(ort), clock),
    }
    return side_by_side(Overlapped(ours, own), others, bench.options.slices, SLICE_S)


def show(found: dict[str, Any]) -> None:
    """One frame's table."""
    base = found["ways"][LOOP]["all"]
    print(f"\n{found['frame']}, {found['bytes'] / 1e3:.0f} kB: one thread, CPU ms, median")
    heads = f"{'decode':>8}{'fit':>8}{'network':>9}{'all':>8}{'ratio':>7}"
    print(f"  {'':27}{heads}  same label, same pixels as {LOOP}")
    for name, row in found["ways"].items():
        print(
            f"  {name:27}{row['decode']:8.2f}{row['fit']:8.2f}{row['invoke']:9.2f}{row['all']:8.2f}"
            f"{row['all'] / base:7.2f}  {row['same_label']:6.0%} {row['same_pixels']:9.0%}"
        )
    if "two" in found:
        base = min(found["two"][LOOP], found["two"][ONE])
        told = ", ".join(f"{name} {ms:.2f} ({ms / base:.2f})" for name, ms in found["two"].items())
        print(f"  two threads, wall ms a frame (ratio): {told}")


def bars(rows: list[dict[str, Any]], interpolation: str) -> Iterator[dict[str, Any]]:
    """Each goal of the issue with what was measured."""
    for row in rows:
        there, frame = row["ways"], row["frame"]
        ours, loop = there[OURS], there[LOOP]
        if interpolation.startswith("opencv"):
            yield _bar(f"{frame}: {interpolation} over {LOOP}", ours["all"] / loop["all"], 1.0)
            yield _bar(f"{frame}: the same without OpenCV", there[BARE]["all"] / loop["all"], 1.0)
        if "two" in row:
            best = min(row["two"][LOOP], row["two"][ONE])  # small networks are faster on one
            yield _bar(f"{frame}: two threads over {LOOP}", row["two"][OURS] / best, 0.95)
        if BEFORE in there:
            now, then = there[PILLOW], there[BEFORE]
            yield _bar(f"{frame}: antialias fit over before", now["fit"] / then["fit"], 0.55)
            yield _bar(f"{frame}: antialias decode over before", now["decode"] / then["decode"], 0.75)
            plain = there[PLAIN]["fit"] / there[PLAIN_BEFORE]["fit"]
            yield _bar(f"{frame}: bilinear fit over before", plain, 0.1)
            if "1920x1080" in frame:
                scaled = there[SCALED]["decode"] / loop["decode"]
                yield _bar(f"{frame}: scaled decode over {LOOP}'s", scaled, 0.35)


def _bar(what: str, value: float, goal: float) -> dict[str, Any]:
    return {"bar": what, "value": value, "goal": goal, "kept": value <= goal}


def agreements(bench: Bench) -> list[dict[str, Any]]:
    """What scaled decoding changes, at each size."""
    images, session = (
        ImageSet.load(bench.options.pictures).head(bench.options.images),
        bench.session("tflite", 1),
    )
    rows = []
    for width, height in SIZES:
        row = agreement(session, images, Frame(width, height), bench.how, bench.model.task.label_offset)
        low, high = (100 * end for end in row.interval)
        right = "" if row.right_full is None else f"; top-1 {row.right_full:.1%} and {row.right_scaled:.1%}"
        verdict = "kept" if row.same >= 0.99 else "MISSED"
        told = f"{row.same:.2%} of {row.images} answers are the same, 95 % {low:.1f} to {high:.1f} %"
        told += f" (JPEG written again at quality 85: {row.same_again:.2%})"
        print(f"{row.frame}: {told}{right} (goal >= 99 %: {verdict})", flush=True)
        rows.append(row._asdict())
    return rows


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=SHARED / "models/mobilenet_v1_025_224.onnx")
    parser.add_argument("--precision", default="int8", choices=("fp32", "int8"))
    parser.add_argument("--calibration", type=Path, default=SHARED / "imagenet/calib")
    parser.add_argument("--pictures", type=Path, default=SHARED / "imagenet/val")
    parser.add_argument("--pictures-used", type=int, default=8)
    parser.add_argument("--interpolation", help=f"of edgenet and OpenCV's loops; {SAME} unless --agreement")
    parser.add_argument("--sizes", default=",".join(f"{w}x{h}" for w, h in SIZES))
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--slices", type=int, default=SLICES, help="of the two threads' run; 0 leaves it out")
    parser.add_argument("--agreement", action="store_true", help="scaled against full decoding instead")
    parser.add_argument("--images", type=int, default=0, help="of --agreement; 0 for all")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if given.interpolation is None and not given.agreement:
        given.interpolation = SAME
    return given


def main() -> None:
    """Measure, print, judge."""
    asked = options()
    with tempfile.TemporaryDirectory(prefix="edgenet-bench-") as folder:
        bench = Bench(asked, Path(folder))
        print(
            ", ".join(ways.installed()), f"; {asked.model.stem} {asked.precision}, {bench.how.interpolation}"
        )
        if asked.agreement:
            told: dict[str, Any] = {"agreement": agreements(bench)}
        else:
            rows = []
            for size in asked.sizes.split(","):
                for form in ("jpeg", "yuyv"):
                    frame = Frame.parse(f"{size}:{form}")
                    rows.append(one_thread(bench, frame))
                    if asked.slices:
                        rows[-1]["two"] = two_threads(bench, frame)
                    show(rows[-1])
            judged = list(bars(rows, asked.interpolation))
            print()
            for bar in judged:
                kept = "kept" if bar["kept"] else "MISSED"
                print(f"{bar['bar']:60} {bar['value']:6.3f}   goal <= {bar['goal']:g}: {kept}")
            told = {"frames": rows, "bars": judged}
    if asked.json:
        asked.json.write_text(json.dumps({"installed": list(ways.installed()), **told}, indent=1) + "\n")


if __name__ == "__main__":
    main()
