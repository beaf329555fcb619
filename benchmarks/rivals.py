"""What others say of the same artifact, pixels and thread: the runtimes' own tools, and bare loops.

Each measures in a process of its own, warms up for half a second and gives its median in ms.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from chain import TIMED, bare_p50

WARM_S, SECONDS = 0.5, 2.0
# The agent's own loop around a session that profiles itself: both clocks on the very same runs.
PROFILED = """
import json, statistics, sys, tempfile
import numpy as np
from edgenet.agent.measure import bench
from edgenet.agent.runtimes import onnxruntime as runtime
plain = runtime._options
def profiled(threads):
    options = plain(threads)
    options.enable_profiling = True
    options.profile_file_prefix = tempfile.mkdtemp() + "/profile"
    return options
runtime._options = profiled
session = runtime.Session(sys.argv[1], 1)
session.set_input(np.load(sys.argv[2]))
rules = bench.Limits({"min_seconds": float(sys.argv[4]), "min_runs": 50, "warmup_s": float(sys.argv[3])})
before = bench.warm_up(session.invoke, rules)["runs"]
samples, runs, _ = bench.measure(session.invoke, rules, lambda *_: None)
with open(session._session.end_profiling()) as stream:
    inside = [event["dur"] / 1e3 for event in json.load(stream) if event["name"] == "model_run"]
assert len(inside) >= before + runs, "ONNX Runtime dropped events"
print(1e3 * statistics.median(samples), statistics.median(inside[before : before + runs]))
"""
# The agent's loop and a bare one around the same loaded model, in turn, a tenth of a second each.
IN_TURN = f"""
import statistics, sys, time
import numpy as np
from edgenet.agent import runtimes
    from edgenet.agent.measure import bench
backend = sys.argv[5]
session = runtimes.load(backend).Session(sys.argv[1], 1)
session.set_input(np.load(sys.argv[2]))
if backend == "onnxruntime":
    run, names, feed = session._session.run, [session._out.name], {{session._in.name: np.load(sys.argv[2])}}
    call = lambda: run(names, feed)
else:
    call = session._interpreter.invoke
{TIMED}
rules = bench.Limits({{"min_seconds": 0.1, "warmup_s": float(sys.argv[3])}})
bench.warm_up(session.invoke, rules)
ours, theirs = [], []
for _ in range(int(float(sys.argv[4]) / 0.1)):
    ours += bench.measure(session.invoke, rules, lambda *_: None)[0]
    theirs += loop(0.1)
print(1e3 * statistics.median(ours), 1e3 * statistics.median(theirs))
"""
# The tool writes two decimals of a millisecond, too few for small networks: its rounding is taken away.
LITERT = """
import ai_edge_litert.tools.benchmark_litert_model as tool
tool.round = lambda value, _digits: value
tool.main()
"""
TYPES = {"float32": 1, "int8": 3}


def rivals(
    manifest: Mapping[str, Any], artifact: Path, pixels: Path, p50: float, folder: Path
) -> Iterator[tuple[str, float, float]]:
    """(who, our p50, their p50) in ms, one after the other.

    Args:
        manifest: The bundle's.
        artifact: Its file.
        pixels: uint8 [1, H, W, 3] as .npy.
        p50: What ``profile`` just measured; what runs in one process with our loop has a p50 of its own.
        folder: For files in between.
    """
    backend = manifest.backend
    ours, theirs = _run(IN_TURN, artifact, pixels, WARM_S, SECONDS, backend).split()
    yield "loop in turn", float(ours), float(theirs)
    yield "bare loop", p50, bare_p50(backend, artifact, pixels)
    if backend == "onnxruntime":
        ours, theirs = _run(PROFILED, artifact, pixels, WARM_S, SECONDS).split()
        yield "its profile", float(ours), float(theirs)
        yield "C loop", p50, c_loop(manifest, artifact, pixels, folder)
    else:
        yield "its benchmark", p50, litert(artifact, p50, folder)


def litert(artifact: Path, p50: float, folder: Path) -> float:
    """The median of LiteRT's benchmark tool (CompiledModel, CPU, one thread, random pixels)."""
    result = folder / "litert.json"
    counts = ("--warmup_runs", int(1e3 * WARM_S / p50) + 1, "--num_runs", int(1e3 * SECONDS / p50) + 1)
    _run(LITERT, "--model", artifact, "--use_cpu", "--num_threads", 1, *counts, "--result_json", result)
    return float(json.loads(result.read_text())["latency"]["median_ms"])


def c_loop(manifest: Mapping[str, Any], artifact: Path, pixels: Path, folder: Path) -> float:
    """The median of a C program around the C API of the wheel's own library; needs ``cc``."""
    import onnxruntime

    program, raw = folder / "ort_loop", folder / "pixels.bin"
    if not program.exists():
        source = Path(__file__).with_name("ort_loop.c")
        subprocess.run(["cc", "-std=gnu11", "-O2", source, "-o", program, "-ldl"], check=True)
    np.load(pixels).tofile(raw)
    (library,) = Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so.*")
    about = manifest.artifact
    graph = onnx.load(artifact).graph
    ends = (graph.input[0].name, graph.output[0].name)
    shape = (about.input.shape[1], about.output.classes, TYPES[about.output.dtype])
    words = [program, library, artifact, *ends, raw, *shape, WARM_S, SECONDS]
    said = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True)
    return statistics.median(float(line) for line in said.stdout.split())


def _run(program: str, *words: Any) -> str:
    command = [sys.executable, "-c", program, *(str(word) for word in words)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
