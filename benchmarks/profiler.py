"""The profiler's figures against those of others: the runtimes' own tools, bare loops, the layers, time -v.

python benchmarks/profiler.py [BUNDLE …]

Without bundles the embedded model's four builds. A round is our profile and, on the same artifact, pixels and
thread, each of the others (rivals.py), in turn. The same loop in two processes can differ by several percent
for as long as they live (where their memory lies), so first the least median of all rounds stands against the
others' least; the ratios of single rounds follow. Two comparisons are free of that: ``loop in turn`` (our
loop and a bare one around one loaded model) and ``its profile`` (both clocks on the same runs).
It wants a quiet machine: the verdicts of our profiles are printed too. Needs ``cc`` for the C loop, and GNU
time at /usr/bin/time for the memory.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rivals import rivals

import edgenet
from edgenet.agent import wire
from edgenet.agent.preprocess import decode, fit
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


def builds(folder: Path) -> Iterator[Path]:
    """The embedded model's builds, compiled into a folder."""
    for backend in ("onnxruntime", "tflite"):
        for precision in ("fp32", "int8"):
            done = edgenet.compile(
                embedded(), "local", backend, precision, calibration=image_folder("signs", "calib")
            )
            yield done.write(folder / f"signs.{backend}.{precision}.edgenet")


def peak(bundle: edgenet.Bundle, artifact: Path, folder: Path) -> tuple[float, float]:
    """Peak MB of the agent's worker: as it says itself, and as GNU time says of the same process."""
    agent, told = folder / "agent.pyz", folder / "time.txt"
    agent.write_bytes(agent_archive().data)
    manifest = bundle.manifest
    order = {
        "type": wire.OPEN, "path": str(artifact), "threads": 1,
        "manifest": {"backend": manifest.backend, "input": manifest.artifact.input.to_table(),
                     "preprocessing": manifest.preprocessing.to_table(), "labels": []},
    }  # fmt: skip
    image = bundle.files[manifest.golden.images[0].file]
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


def measured(path: Path, folder: Path) -> None:
    """Print what one bundle's rounds gave."""
    bundle = edgenet.Bundle.load(path)
    edgenet.deploy(path, "local")
    manifest = bundle.manifest
    protocol, pixels = folder / "profiler.toml", folder / "pixels.npy"
    artifact = folder / manifest.artifact.file
    protocol.write_text(PROTOCOL)
    artifact.write_bytes(bundle.artifact)
    spec = manifest.preprocessing.fit_spec()
    np.save(pixels, fit(decode(bundle.files[manifest.golden.images[0].file]), spec)[None])
    pairs: dict[str, list[tuple[float, float]]] = {}
    reports = []
    for _ in range(ROUNDS):
        reports.append(edgenet.profile(path, "local", str(protocol)))
        for who, ours, theirs in rivals(manifest, artifact, pixels, reports[-1].latency_ms.p50, folder):
            pairs.setdefault(who, []).append((ours, theirs))
    states = Counter(report.verdict.state for report in reports)
    others = statistics.median(report.sensors.other_cpu for report in reports)
    print(f"{manifest['model']['name']} {manifest['backend']} {manifest['precision']}:", end=" ")
    print(f"{dict(states)}, others kept {others:.2f} of a core busy")
    for who, values in pairs.items():
        ours, theirs = (min(column) for column in zip(*values, strict=True))
        print(
            f"  p50 over {who:14} {ours:9.4f} / {theirs:9.4f} ms   {ours / theirs:.4f}"
            f"   rounds {spread([a / b for a, b in values])}"
        )
    sums = [report.layer_facts.sum_ms / report.layer_facts.whole_ms for report in reports]
    print(f"  layers over the whole                                  rounds {spread(sums)}")
    if manifest.backend == "onnxruntime":  # its profiler takes time of its own, in the layers and between
        taken = [report.layer_facts.profiled_ms / report.layer_facts.whole_ms for report in reports]
        print(f"  the whole while profiled, over the whole               rounds {spread(taken)}")
    said, timed = peak(bundle, artifact, folder)
    print(f"  peak over time -v       {said:9.2f} / {timed:9.2f} MB   {said / timed:.4f}", flush=True)


def spread(ratios: Sequence[float]) -> str:
    """The middle of the rounds' ratios, the least and the greatest."""
    return f"{statistics.median(ratios):.4f}   ({min(ratios):.3f} to {max(ratios):.3f})"


def main() -> None:
    """Measure one bundle after the other."""
    with tempfile.TemporaryDirectory(prefix="edgenet-bench-") as temporary:
        folder = Path(temporary)
        os.environ["EDGENET_HOME"] = str(folder / "home")
        for path in [Path(name) for name in sys.argv[1:]] or builds(folder):
            measured(path, folder)


if __name__ == "__main__":
    main()
