"""Fifty boards at once: deploys of a 4 MB network, first, new and unchanged; Ansible with the same file.

python benchmarks/fleet.py [--boards 50] [--at-once 8] [--ansible DIR]

Every board is a real sshd on loopback with a home of its own and a Python from 3.6 to 3.13. All of them and
the host share this machine's cores, so a fleet's floor is the processor time of its boards, which is shown.
Ansible (``copy`` and ``unarchive``, as many forks) brings the artifact there too; DIR/bin holds it. Bytes are
ssh's own counts, key exchange included. Goals: all at most 6 times as long as one; the host's memory flat;
unchanged at most 4 KiB of frames and 20 ms of edgenet's processor time a board.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import onnx
from fleet_ansible import peer
from fleet_boards import Simulated, boards, fleet_file, sent, ssh

import edgenet
from edgenet.agent.preprocess import encode_ppm
from edgenet.bundle import Bundle
from edgenet.zoo import mobilenet_v1

SIZE, CLASSES, CALIBRATION = 224, 1001, 8
CARD = f"""[preprocessing]
size = [{SIZE}, {SIZE}]
color = "rgb"
resize = "stretch"
interpolation = "bilinear-antialias"
mean = [127.5, 127.5, 127.5]
std = [127.5, 127.5, 127.5]
"""
# A process of the command line that tells its own and its children's processor time, and its peak memory.
TELLING = """
import json, resource, sys
from edgenet.__main__ import start
try:
    start()
finally:
    own, others = (resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    with open("/proc/self/status") as status:  # ru_maxrss begins with the peak of who started this
        peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6
    told = [own.ru_utime + own.ru_stime, others.ru_utime + others.ru_stime, peak]
    print("\\nUSED " + json.dumps(told), file=sys.stderr)
"""


@dataclass(frozen=True)
class Run:
    """What one command took.

    Attributes:
        seconds: Wall time.
        own_s, ssh_s: Processor time of edgenet's process and of its ssh processes.
        peak_mb: Of edgenet's process.
        sent: Bytes a board, by ssh's count.
        frames: Board → bytes that edgenet handed to ssh.
        all_s: Processor time of everything on this machine meanwhile, boards included.
    """

    seconds: float
    own_s: float
    ssh_s: float
    peak_mb: float
    sent: float
    frames: dict[str, int]
    all_s: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--boards", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--ansible", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgenet-fleet-") as temporary:
        folder = Path(temporary)
        builds = _bundles(folder)
        with boards(folder / "boards", options.boards) as found:
            os.environ["EDGENET_SSH"] = ssh(folder / "boards")
            fleet = fleet_file(folder, found)
            _deploys(builds, fleet, found, options.at_once)
            if options.ansible:
                peer(options.ansible, folder, builds[2], found, options.at_once)


def _deploys(builds: Sequence[Path], fleet: Path, found: Sequence[Simulated], at_once: int) -> None:
    size, cores = len(Bundle.load(builds[0]).artifact) / 1e6, os.cpu_count()
    print(f"{len(found)} boards, {at_once} at once; an artifact of {size:.1f} MB; {cores} cores for all")
    first = _deploy(builds[0], fleet, found, at_once)
    _say("first: agent, runtime, network", first)
    alone = [_deploy(builds[1], fleet, [board], at_once).seconds for board in found[:5]]
    new = _deploy(builds[2], fleet, found, at_once)
    _say("another network", new)
    one = median(alone)
    print(
        f"  one board alone {one:.2f} s, all {new.seconds:.1f} s: {new.seconds / one:.1f} times (goal <= 6)"
    )
    print(f"  floor of this machine: {new.all_s:.1f} s of processor time on {os.cpu_count()} cores")
    same = _deploy(builds[2], fleet, found, at_once)
    _say("nothing changed", same)
    few = _deploy(builds[2], fleet, found[:1], at_once)
    own = 1e3 * (same.own_s - few.own_s) / max(1, len(found) - 1)
    print(
        f"  most {max(same.frames.values())} B handed to ssh (goal <= 4096); "
        f"{own:.1f} ms of edgenet's processor time for each board more (goal <= 20), "
        f"{1e3 * same.ssh_s / len(found):.1f} ms of ssh's"
    )
    half = _deploy(builds[2], fleet, found[: max(1, len(found) // 2)], at_once)
    peaks = ", ".join(f"{len(run.frames)}: {run.peak_mb:.0f} MB" for run in (few, half, same))
    print(f"  host's peak memory by boards: {peaks}")


def _say(what: str, run: Run) -> None:
    print(f"{what}: {run.seconds:.1f} s; {run.sent:,.0f} B a board by ssh's count")


def _deploy(bundle: Path, fleet: Path, found: Sequence[Simulated], at_once: int) -> Run:
    """`edgenet deploy` on some boards."""
    limits = [word for board in found for word in ("--limit", board.name)]
    command = ["deploy", str(bundle), "--fleet", str(fleet), *limits, "--at-once", str(at_once), "--json"]
    log = fleet.parent / "boards"
    before, used, began = sent(log), _busy_s(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", TELLING, *command], check=False, capture_output=True, text=True
    )
    seconds, used = time.perf_counter() - began, _busy_s() - used
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    told = json.loads(done.stderr.rpartition("USED ")[2])
    frames = {item["board"]: item["result"]["bytes_sent"] for item in json.loads(done.stdout)["boards"]}
    return Run(seconds, *told, (sent(log) - before) / len(found), frames, used)


def _busy_s() -> float:
    """Processor time of this machine so far."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system = map(int, words[:3])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def _bundles(folder: Path) -> list[Path]:
    """Three builds of a MobileNetV1 1.0 at 224 for ONNX Runtime, each another network."""
    images = folder / "images"
    images.mkdir()
    generator = np.random.default_rng(0)
    for index in range(CALIBRATION):
        coarse = generator.uniform(0, 255, (7, 7, 3))
        picture = np.kron(coarse, np.ones((SIZE // 7, SIZE // 7, 1))).astype(np.uint8)
        (images / f"{index}.ppm").write_bytes(encode_ppm(picture))
    made = []
    for seed in range(3):
        model = folder / f"network{seed}.onnx"
        onnx.save(mobilenet_v1(1.0, SIZE, CLASSES, seed=seed), model)
        model.with_suffix(".toml").write_text(CARD)
        done = edgenet.compile(
            model, "local", "onnxruntime", "int8", recipe="int8-minmax", calibration=images
        )
        made.append(folder / f"network{seed}.edgenet")
        done.write(made[-1])
    return made


if __name__ == "__main__":
    if shutil.which("ssh") is None:
        sys.exit("no ssh here")
    main()
