"""What watching costs: the demo with its page open against the bare model; and whether it leaks.

python benchmarks/demo.py [MINUTES]

Two cameras that are faster than the model: the synthetic one, and 640x480 Motion JPEG of what it draws; one
thread a model, so that cores are left for the rest. The long run, which shows leaks, has Motion JPEG at 30
FPS as people have.
The viewer is a process of its own that reads the stream and asks for the figures as the page does.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from edgenet.agent.demo.sources.synthetic import Synthetic
from edgenet.agent.preprocess import encode_jpeg
from edgenet.devices.connect import connect
from edgenet.model import Model
from edgenet.protocol import Protocol
from edgenet.steps.compile import compile
from edgenet.steps.demo import DemoOptions, Ready, Watch, demo
from edgenet.steps.deploy import deploy
from edgenet.verify.expected import encoder_for, golden_images
from edgenet.zoo import mobilenet_v1
from edgenet.zoo.signs.drawings import drawings

ROUNDS, SECONDS, MINUTES, LONG_FPS = 3, 10.0, 1.0, 30.0
SIZE, PICTURES, QUALITY = (640, 480), 240, 90
SYNTHETIC, CAMERA = "synthetic", "640x480 MJPG"
CARD = """
task = "classification"
output = "logits"

[preprocessing]
size = [224, 224]
color = "rgb"
resize = "short-side"
resize_to = 256
interpolation = "bilinear-antialias"
mean = [127.5, 127.5, 127.5]
std = [127.5, 127.5, 127.5]
"""
BARE = Protocol("bare", "", 0.5, SECONDS / 2, 20, SECONDS, 1, False, 0.0)
VIEWER = """
import sys, threading, time, urllib.request
base, key = sys.argv[1:]
def ask(path):
    request = urllib.request.Request(base + path, headers={"Authorization": "Bearer " + key})
    return urllib.request.urlopen(request)
def poll():
    while True:
        ask("/state").read(); time.sleep(0.125)
threading.Thread(target=poll, daemon=True).start()
stream = ask("/stream.mjpg")
while stream.read(65536): pass
"""


class Run:
    """One demo with a viewer; what its ticks said of memory, threads and descriptors."""

    def __init__(self, bundle: Any, source: str, seconds: float, fps: float) -> None:
        self.memory: list[tuple[float, float]] = []
        self.threads: list[int] = []
        self.descriptors: list[int] = []
        self._spent: list[float] = []
        self._viewer: subprocess.Popen[bytes] | None = None
        options = DemoOptions(source=source, fps=fps, threads=1, seconds=seconds, size=SIZE, loop=True)
        try:
            self.summary = demo(bundle, "local", options, Watch(self._ready, self._tick))
        finally:
            if self._viewer is not None:
                self._viewer.kill()
                self._viewer.wait()

    def _ready(self, ready: Ready) -> None:
        assert ready.metrics is not None
        base, key = ready.metrics[0].rpartition("/")[0], ready.metrics[1]
        quiet = subprocess.DEVNULL
        self._viewer = subprocess.Popen([sys.executable, "-c", VIEWER, base, key], stdout=quiet, stderr=quiet)
        self.pid = owner(int(base.rpartition(":")[2]))

    def _tick(self, state: Mapping[str, Any]) -> None:
        if state["board"]["memory_mb"]:
            self.memory.append((state["seconds"], state["board"]["memory_mb"]))
        folder = Path(f"/proc/{self.pid}")
        if folder.exists():
            self._spent.append(processor_s(folder))
            self.threads.append(len(list((folder / "task").iterdir())))
            self.descriptors.append(len(list((folder / "fd").iterdir())))

    def frame_ms(self) -> float:
        """Processor time of the demo's own process a frame, without the network's."""
        return 1e3 * (self._spent[-1] - self._spent[0]) / float(self.summary["frames"]["answered"])

    def slope(self) -> float:
        """MB a minute, least squares over the second half."""
        half = np.array(self.memory[len(self.memory) // 2 :])
        return float(np.polyfit(half[:, 0] / 60, half[:, 1], 1)[0])


def processor_s(folder: Path) -> float:
    """Seconds that a process of /proc has run on any processor."""
    words = (folder / "stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def owner(port: int) -> int:
    """The process that listens on a port of loopback."""
    inodes = {
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
    }
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(link).removeprefix("socket:[").rstrip("]") in inodes:
                return int(link.parts[2])
        except OSError:
            continue
    raise LookupError(port)


def motion_jpeg(folder: Path) -> str:
    """The synthetic camera's pictures as a file of JPEGs."""
    (folder / "drawings").write_bytes(drawings(*SIZE))
    made: Any = Synthetic
    camera = made({"paths": [str(folder / "drawings")], "fps": 1e6})
    camera.open()
    path, image = folder / "camera.mjpg", np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    with path.open("wb") as stream:
        for number in range(PICTURES):
            camera.draw(image, number * 3)
            stream.write(encode_jpeg(image, QUALITY))
    return str(path)


def bare_fps(bundle: Any) -> float:
    """The model alone, one thread."""
    with connect("local") as agent:
        session = agent.open(bundle.digest, 1)
        images = golden_images(bundle, encoder_for(session.loaded.decodes, bundle.manifest.preprocessing))
        return 1e3 / float(session.bench(BARE.to_table(), images).model_ms.mean())


def main() -> None:
    """Interleave bare and demo, so that both see the same machine; then one long run."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES
    with tempfile.TemporaryDirectory(prefix="edgenet-bench-") as name:
        folder = Path(name)
        os.environ["EDGENET_HOME"] = f"{folder}/home"
        path = folder / "mobilenet.onnx"
        onnx.save(mobilenet_v1(1.0, 224, 1001, seed=1), path)
        path.with_suffix(".toml").write_text(CARD)
        bundle = compile(Model.load(path), "local", "tflite", "fp32").bundle
        deploy(bundle)
        fps, camera = 1.5 * bare_fps(bundle), motion_jpeg(folder)
        print(
            f"demo, {bundle.name} 1.0 224, one thread, cameras of {fps:.0f} FPS, medians of {ROUNDS} rounds"
        )
        for title, source in ((SYNTHETIC, SYNTHETIC), (CAMERA, camera)):
            beside(title, [(bare_fps(bundle), Run(bundle, source, SECONDS, fps)) for _ in range(ROUNDS)])
        if minutes:
            over_time(minutes, Run(bundle, camera, 60 * minutes, LONG_FPS))


def beside(title: str, pairs: list[tuple[float, Run]]) -> None:
    """What one camera's rounds found."""
    ratio = statistics.median(run.summary["fps"]["camera"] / bare for bare, run in pairs)
    wait = statistics.median(
        run.summary["stages_ms"]["wait"]["p99"] * run.summary["fps"]["camera"] / 1e3 for _, run in pairs
    )
    pre = statistics.median(run.summary["stages_ms"]["pre"]["p50"] for _, run in pairs)
    shown = statistics.median(run.summary["fps"]["camera"] for _, run in pairs)
    print(f"  {title}")
    print(f"    bare model            {statistics.median(bare for bare, _ in pairs):8.1f} FPS")
    spent = statistics.median(run.frame_ms() for _, run in pairs)
    print(f"    with the page open    {shown:8.1f} FPS")
    print(f"    to prepare a frame    {pre:8.2f} ms")
    print(f"    processor, a frame    {spent:8.2f} ms in the demo's own process")
    print(f"    ratio                 {ratio:8.2f}       goal >= 0.95: {verdict(ratio >= 0.95)}")
    print(f"    added age, p99        {wait:8.2f} frames goal <= 1.2: {verdict(wait <= 1.2)}")


def over_time(minutes: float, run: Run) -> None:
    """Whether anything grows."""
    print(f"  {CAMERA} over {minutes:g} minutes at {run.summary['fps']['camera']:.1f} FPS")
    print(f"    memory                {run.memory[-1][1]:8.1f} MB, slope {run.slope():+.2f} MB a minute")
    print(f"    threads               {min(run.threads):8d} to {max(run.threads)}")
    print(f"    descriptors           {min(run.descriptors):8d} to {max(run.descriptors)}")


def verdict(kept: bool) -> str:
    """A goal's state in words."""
    return "kept" if kept else "MISSED"


if __name__ == "__main__":
    main()
