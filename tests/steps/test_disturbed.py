"""Disturbances of a real run: memory goes (an injected reading), another program burns, the runtime slows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from edgenet.bundle import Bundle
from edgenet.measure.verdict import DRIFT_OF_MEDIAN, TAKEN_MB
from edgenet.model import Model
from edgenet.progress import Progress, silent
from edgenet.report import Report
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.profile import profile
from tests.pythons import python_with

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the agent knows others from Linux's /proc")

HOG_MB = 700
# What Python runs before the agent's worker: once the file is there, so much less memory is available.
HOG = f"""
import builtins, io, os
real = builtins.open

def opened(path, *arguments, **more):
    if path != "/proc/meminfo":
        return real(path, *arguments, **more)
    left = 8_000_000 - {HOG_MB * 10**6 // 1024} * os.path.exists(os.environ["HOG_IS_THERE"])
    return io.BytesIO(b"MemTotal: 9000000 kB\\nMemAvailable: %d kB\\n" % left)

builtins.open = opened
"""
BURN = "while True: pass"
# What Python runs before the agent's worker: with each answer the runtime takes 3 us more.
SLOWER = """
import sys, time
from importlib.abc import MetaPathFinder
from importlib.util import find_spec

class Finder(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "onnxruntime":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        load = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (load(module), slow(module))
        return spec

def slow(module):
    class Session(module.InferenceSession):
        calls = 0
        def run(self, *arguments):
            self.calls += 1
            time.sleep(0.001 + 3e-6 * self.calls)
            return super().run(*arguments)
    module.InferenceSession = Session

sys.meta_path.insert(0, Finder())
"""


@pytest.fixture(scope="module")
def bundle(model: Model) -> Bundle:
    return compile(model, "local", "onnxruntime", "fp32").bundle


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[str]]:
    """A Python program beside us, ended afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def quick(bundle: Bundle, tell: Progress = silent) -> Report:
    deploy(bundle)
    return profile(bundle, "local", "quick", progress=tell)


def reason(report: Report, words: str) -> str:
    """The one reason of a NOISY verdict that begins so."""
    assert report.verdict.state == "NOISY"
    (found,) = [text for text in report.verdict.reasons if text.startswith(words)]
    return str(found)


def test_a_running_memory_hog_is_named(
    home: Path, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes its memory when the measuring has begun; what the board misses is about that, less its own."""
    (tmp_path / "sitecustomize.py").write_text(HOG)
    monkeypatch.setattr(sys, "executable", python_with(tmp_path, tmp_path / "python"))
    monkeypatch.setenv("HOG_IS_THERE", str(tmp_path / "hog"))

    def tell(stage: str, _done: int, _total: int | None) -> None:
        if stage.startswith("measuring"):
            (tmp_path / "hog").touch()

    report = quick(bundle, tell)
    taken = report.sensors.other_memory_mb
    assert TAKEN_MB < taken <= HOG_MB
    assert f"took {taken:.0f} of 8192 MB" in reason(report, "other programs took")


def test_a_running_neighbor_is_named(home: Path, bundle: Bundle) -> None:
    """What the agent says of others is no less than what the kernel says of the neighbor."""
    with running(BURN) as neighbor:
        begin, before = time.perf_counter(), cpu_s(neighbor.pid)
        report = quick(bundle)
        rate = (cpu_s(neighbor.pid) - before) / (time.perf_counter() - begin)
    assert rate > 0.02, "the neighbor burned"
    assert report.sensors.other_cpu > 0.5 * rate
    assert reason(report, "other programs kept").endswith("of a core busy")


def test_a_model_that_becomes_slower_is_named(
    home: Path, bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOWER)
    monkeypatch.setattr(sys, "executable", python_with(tmp_path, tmp_path / "python"))
    report = quick(bundle)
    samples = np.array(report.latency_ms.samples)
    first, second = (float(np.median(half)) for half in np.array_split(samples, 2))
    words = reason(report, "the median moved by +")
    assert float(words.split()[4]) > 100 * DRIFT_OF_MEDIAN
    assert float(words.split()[4]) == pytest.approx(100 * (second / first - 1), abs=1)


def cpu_s(pid: int) -> float:
    """Processor seconds of a process: utime and stime of proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
