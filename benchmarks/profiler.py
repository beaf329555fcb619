"""The profiler's figures against those of others: the runtimes' own tools, the sum of the layers, time -v.

python benchmarks/profiler.py [BUNDLE …]

Without bundles the embedded model's four builds. Every round runs our profile and the other tool one after
the other on the same artifact and one thread; the least of the rounds counts on both sides, for what disturbs
a run only adds to it (medians are printed too). Needs GNU time at /usr/bin/time for the memory.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import edgenet
from edgenet.agent import wire
from edgenet.devices.archive import agent_archive
from edgenet.library import image_folder
from edgenet.zoo import embedded

ROUNDS = 5
PROTOCOL = """
name = "profiler"
summary = "The network alone, on one thread, and its layers"
warmup_s = 0.5
min_seconds = 2.0
min_runs = 200
max_seconds = 30.0
threads = 1
pipeline = false
layers_s = 3.0
"""
ORT = """
import json, statistics, sys, tempfile
import numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.enable_profiling = True
options.profile_file_prefix = tempfile.mkdtemp() + "/profile"
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
given = session.get_inputs()[0]
image = np.random.default_rng(0).integers(0, 256, given.shape, dtype=np.uint8)
for _ in range(400):
    session.run(None, {given.name: image})
events = json.load(open(session.end_profiling()))
runs = [event["dur"] / 1e3 for event in events if event["name"] == "model_run"][50:]
print(min(runs), statistics.median(runs))
"""


def builds(folder: Path) -> Iterator[Path]:
    """The embedded model's builds, compiled into a folder."""
    for backend in ("onnxruntime", "tflite"):
        for precision in ("fp32", "int8"):
            done = edgenet.compile(
                embedded(), "local", backend, precision, calibration=image_folder("signs", "calib")
            )
            yield done.write(folder / f"signs.{backend}.{precision}.edgenet")


def theirs(backend: str, artifact: Path) -> tuple[float, float]:
    """(least, median) ms by the runtime's own profiler (ONNX Runtime) or benchmark tool (LiteRT)."""
    if backend == "onnxruntime":
        said = subprocess.run(
            [sys.executable, "-c", ORT, artifact], check=True, capture_output=True, text=True
        )
        least, middle = said.stdout.split()
        return float(least), float(middle)
    result = artifact.with_suffix(".json")
    tool = Path(sys.executable).with_name("litert-benchmark")
    options = ("--use_cpu", "--num_runs", "400", "--warmup_runs", "50", "--num_threads", "1")
    subprocess.run([tool, "--model", artifact, *options, "--result_json", result], check=True,
                   capture_output=True)  # fmt: skip
    found = json.loads(result.read_text())["latency"]
    return float(found["min_ms"]), float(found["median_ms"])


def peak(bundle: edgenet.Bundle, artifact: Path, folder: Path) -> tuple[float, float]:
    """Peak MB of the agent's worker: as it says itself, and as GNU time says of the same process."""
    agent, told = folder / "agent.pyz", folder / "time.txt"
    agent.write_bytes(agent_archive().data)
    manifest = bundle.manifest
    order = {
        "type": wire.OPEN, "path": str(artifact), "threads": 1,
        "manifest": {"backend": manifest["backend"], "input": manifest["artifact"]["input"],
                     "preprocessing": manifest["preprocessing"], "labels": []},
    }  # fmt: skip
    image = bundle.files[manifest["golden"]["images"][0]["file"]]
    bench = {"type": wire.BENCH, "sizes": [len(image)], "protocol": {"min_seconds": 1.0, "min_runs": 50}}
    command = ["/usr/bin/time", "-v", "-o", told, sys.executable, agent, "worker"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        assert process.stdin is not None
        wire.write_frame(process.stdin, order)
        wire.write_frame(process.stdin, bench, image)
        replies = _replies(process)
    line = next(line for line in told.read_text().splitlines() if "Maximum resident" in line)
    return float(replies[-1]["memory_mb"]["peak"]), int(line.split()[-1]) * 1024 / 1e6


def _replies(process: subprocess.Popen[bytes]) -> list[dict]:
    """Both replies; then the worker's input is closed, which ends it."""
    replies = []
    while len(replies) < 2:
        frame = wire.read_frame(process.stdout)
        assert frame is not None, "the worker ended"
        assert "error" not in frame[0], frame[0]
        if "event" not in frame[0]:
            replies.append(frame[0])
    assert process.stdin is not None
    process.stdin.close()
    return replies


def main() -> None:
    """Print one line a bundle."""
    with tempfile.TemporaryDirectory(prefix="edgenet-bench-") as temporary:
        folder = Path(temporary)
        os.environ["EDGENET_HOME"] = str(folder / "home")
        protocol = folder / "profiler.toml"
        protocol.write_text(PROTOCOL)
        given = [Path(name) for name in sys.argv[1:]] or list(builds(folder))
        print("build               least: ours, theirs, ratio   medians   layers/whole   peak MB, time -v")
        for path in given:
            bundle = edgenet.Bundle.load(path)
            edgenet.deploy(path, "local")
            artifact = folder / bundle.manifest["artifact"]["file"]
            artifact.write_bytes(bundle.artifact)
            backend, precision = bundle.manifest["backend"], bundle.manifest["precision"]
            least, middles, sums = [], [], []
            for _ in range(ROUNDS):
                report = edgenet.profile(path, "local", str(protocol))
                other = theirs(backend, artifact)
                least.append((report.latency_ms["min"], other[0]))
                middles.append(report.latency_ms["p50"] / other[1])
                sums.append(report.layer_facts["sum_ms"])
            ours, others = (min(values) for values in zip(*least, strict=True))
            said, measured = peak(bundle, artifact, folder)
            print(
                f"{backend:11} {precision:6} {ours:9.3f} {others:9.3f} {ours / others:8.3f}"
                f" {statistics.median(middles):9.3f} {min(sums) / ours:14.3f}"
                f" {said:12.1f} {measured:6.1f} {said / measured:7.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
