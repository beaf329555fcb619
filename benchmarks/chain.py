"""What measuring adds to a measurement, and what a second deploy costs.

python benchmarks/chain.py [ROUNDS]

A round is one ``profile`` and one bare loop around the same runtime call, each in a fresh process on the
same artifact, pixels and thread; which of them comes first alternates.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import edgenet
from edgenet.agent.preprocess import decode, fit
from edgenet.bundle import Bundle
from edgenet.library import image_folder
from edgenet.zoo import embedded

ROUNDS = 8
GOAL_PERCENT, GOAL_BYTES = 2.0, 4096
PROTOCOL = """
name = "overhead"
summary = "The network alone, on one thread"
warmup_s = 0.5
min_seconds = 2.0
min_runs = 200
max_seconds = 30.0
threads = 1
pipeline = false
"""
# Seconds of each ``call`` for so long.
TIMED = """
def loop(seconds):
    samples, clock = [], time.perf_counter
    end = clock() + seconds
    while True:
        start = clock()
        call()
        now = clock()
        samples.append(now - start)
        if now > end:
            return samples
"""
LOOP = """
import statistics, sys, time
import numpy as np
artifact, pixels = sys.argv[1], np.load(sys.argv[2])
{load}
{timed}
loop(1.0)
print(1e3 * statistics.median(loop(2.0)))
"""
LOAD = {
    "tflite": """
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(model_path=artifact, num_threads=1)
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
call = interpreter.invoke
""",
    "onnxruntime": """
import onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(artifact, options, providers=["CPUExecutionProvider"])
names, feed = [session.get_outputs()[0].name], {session.get_inputs()[0].name: pixels}
call = lambda: session.run(names, feed)
""",
}


def bare_p50(backend: str, artifact: Path, pixels: Path) -> float:
    """p50 of the runtime call in a loop, ms."""
    program = LOOP.format(load=LOAD[backend], timed=TIMED)
    command = [sys.executable, "-c", program, str(artifact), str(pixels)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def overhead(bundle: Bundle, folder: Path, rounds: int) -> list[tuple[float, float]]:
    """(profile's p50, the bare loop's p50) of each round, ms."""
    backend = bundle.manifest.backend
    artifact, pixels, protocol = (
        folder / f"{backend}.artifact",
        folder / "pixels.npy",
        folder / "overhead.toml",
    )
    spec = bundle.manifest.preprocessing.fit_spec()
    first = bundle.files[bundle.manifest.golden.images[0].file]
    np.save(pixels, fit(decode(first), spec)[None])
    artifact.write_bytes(bundle.artifact)
    protocol.write_text(PROTOCOL, encoding="utf-8")
    pairs = []
    for number in range(rounds):
        bare = bare_p50(backend, artifact, pixels) if number % 2 else 0.0
        ours = edgenet.profile(bundle, "local", str(protocol)).latency_ms.p50
        pairs.append((ours, bare or bare_p50(backend, artifact, pixels)))
    return pairs


def main() -> None:
    """Compile the embedded model for both backends, deploy it twice, measure it both ways."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    calibration = image_folder("signs", "calib")
    with tempfile.TemporaryDirectory(prefix="edgenet-bench-") as name:
        os.environ["EDGENET_HOME"] = f"{name}/home"
        for backend in LOAD:
            bundle = edgenet.compile(embedded(), "local", backend, "int8", calibration=calibration).bundle
            first, second = edgenet.deploy(bundle), edgenet.deploy(bundle)
            pairs = overhead(bundle, Path(name), rounds)
            ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratios = sorted(a / b for a, b in pairs)
            ratio = statistics.median(ratios)
            apart, less = 100 * (ratio - 1), second.bytes_sent / first.bytes_sent
            print(f"{backend} int8, embedded model, {rounds} rounds on one thread")
            print(f"  bare loop p50           {bare:10.4f} ms")
            print(f"  profile p50             {ours:10.4f} ms")
            print(
                f"  ratio                   {ratio:10.4f}      {apart:+.2f} %, "
                f"goal within {GOAL_PERCENT:g} %: {verdict(abs(apart) <= GOAL_PERCENT)}"
            )
            print(f"  of single rounds        {ratios[0]:10.4f} to {ratios[-1]:.4f}")
            print(f"  first deploy            {first.bytes_sent:10d} B    {first.seconds:.2f} s")
            print(f"  second deploy           {second.bytes_sent:10d} B    {second.seconds:.2f} s")
            print(
                f"  second over first       {less:10.4f}      "
                f"goal <= {GOAL_BYTES} B: {verdict(second.bytes_sent <= GOAL_BYTES)}"
            )


def verdict(kept: bool) -> str:
    """A goal's state in words."""
    return "kept" if kept else "MISSED"


if __name__ == "__main__":
    main()
