"""int8 of ONNX Runtime on an x86 without VNNI: ours beside fp32 and `quantize_static`, in one process.

python benchmarks/without_vnni.py [--models A,B] [--rounds 60] [--data DIR] [--cache DIR]

"u8u8" has all weights in uint8, whose kernels cannot saturate; "u8x8" is what is built for such a board, with
weights in pairs; "static" is ONNX Runtime's own, which saturates, "u8s8" ours for VNNI. One thread, process
time, the forms in turn, medians; agreement with the float network over all labelled images, in sessions as a
board's. The head line says whether this process's kernels saturate: with VNNI the times are others.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
from quantization import MODELS, Case, interpreter, load_case, run_worker

from edgenet.backends.onnxruntime import backend
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.graph.qdq.align_scales import align_scales
from edgenet.graph.qdq.onnxruntime import int8_outputs, to_qdq_format
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.target import Target

WARM, RUNS = 15, 3
LOCAL = Target.load("local")
BOARD = replace(LOCAL, cpu=replace(LOCAL.cpu, machine="x86_64", isa=("avx2",)))


class Session:
    """A graph as a board runs it: one thread, no option that would choose other kernels."""

    def __init__(self, graph: bytes, case: Case) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        entry = self._session.get_inputs()[0]
        self._name, self._floats = entry.name, entry.type == "tensor(float)"
        self._mean, self._std = (
            np.float32(item) for item in (case.model.preprocessing.mean, case.model.preprocessing.std)
        )

    def input(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Its feed for pixels [H, W, 3]."""
        value = pixels[None]
        if self._floats:
            value = np.ascontiguousarray(((pixels - self._mean) / self._std).transpose(2, 0, 1)[None])
        return {self._name: value}

    def run(self, feed: dict[str, np.ndarray]) -> np.ndarray:
        """Scores [classes]."""
        return np.asarray(self._session.run(None, feed)[0]).reshape(-1)


def form(model: Model, name: str) -> bytes:
    """An int8 model with its weights as a form has them, whatever saturates."""
    graph = Graph(model.proto)
    align_scales(graph)
    to_qdq_format(graph, name)
    int8_outputs(graph)
    return bytes(graph.proto().SerializeToString())


def graphs(case: Case, cache: Path) -> Iterator[tuple[str, bytes]]:
    """Every form's name and file."""
    prepared, pixels = prepare(case.model), [item[None] for item in np.load(case.calibration)]
    recipe = Recipe.load("int8-fast")
    yield "fp32", bytes(prepared.proto.SerializeToString())
    plain = quantize(prepared, recipe, pixels)[0]
    yield "u8u8", form(plain, "u8u8")
    yield "u8s8", form(plain, "u8s8")
    paired = quantize(prepared, backend().recipe(recipe, BOARD), pixels)[0]
    yield "u8x8", backend().lower(paired, BOARD).data
    interpreter("ort", cache)
    with tempfile.TemporaryDirectory(prefix="edgenet-benchmark-") as folder:
        cost = run_worker("ort", "min-max", case, cache, Path(folder))
        if "failed" in cost:
            raise SystemExit(f"quantize_static: {cost['failed']}")
        yield "static", (Path(folder) / "artifact.onnx").read_bytes()


def milliseconds(sessions: dict[str, Session], pixels: np.ndarray, rounds: int) -> dict[str, float]:
    """Median process time of each, in turn."""
    feeds = {name: session.input(pixels) for name, session in sessions.items()}
    spent: dict[str, list[float]] = {name: [] for name in sessions}
    for name, session in sessions.items():
        for _ in range(WARM):
            session.run(feeds[name])
    for _ in range(rounds):
        for name, session in sessions.items():
            began = time.process_time()
            for _ in range(RUNS):
                session.run(feeds[name])
            spent[name].append((time.process_time() - began) / RUNS * 1e3)
    return {name: median(values) for name, values in spent.items()}


def main() -> None:
    """One line a model and form."""
    shared = Path(os.environ.get("EDGENET_SHARED", "../shared"))
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "edgenet-benchmark"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument("--cache", type=Path, default=cache)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    for name in options.models.split(","):
        data = options.data
        case = load_case(data / "models" / f"{name}.onnx", data / MODELS[name], options.cache, quick=False)
        sessions = {kind: Session(graph, case) for kind, graph in graphs(case, options.cache)}
        said = {
            kind: np.stack([session.run(session.input(item)) for item in case.pixels])
            for kind, session in sessions.items()
        }
        saturates = bool((said["u8s8"] != said["u8u8"]).any())
        print(f"{name}: kernels {'without' if saturates else 'with'} VNNI, {len(case.pixels)} images")
        times = milliseconds(sessions, case.pixels[0], options.rounds)
        for kind, took in times.items():
            same = 100 * float((said[kind].argmax(axis=1) == case.reference.argmax(axis=1)).mean())
            print(
                f"  {kind:6} {took:6.2f} ms  {took / times['static']:5.3f} of static  {same:5.1f} %",
                flush=True,
            )


if __name__ == "__main__":
    main()
