"""What building many cells costs: the sweep's building against as many single `edgenet compile`.

python benchmarks/sweep.py [--models N] [--images N] [--rounds N] [--goals ONE TWO]

Six networks, two backends, int8 and fp32: 24 cells. Three ways, side by side in every round, each a process
of its own with an empty cache: 24 processes of `edgenet compile`, whose seconds are added up; the sweep's
building in one process (`--workers 1`); and with two workers of Dask. Python, its imports and the cluster's
start are in all of them. Shown are wall seconds a round, the medians of their ratios, and what Dask adds: a
job that does nothing, and a cell of one worker against one in this process. The bundles of all ways must be
the same, byte for byte. Beside the seconds by the clock stand those of the processors, which say more on a
busy machine. `--goals` ends with exit code 1 if a median ratio is above them.

The networks are the flower models of EDGENET_SHARED with their images where they are there; else untrained
ones of the zoo with smooth random pictures, which are as much work.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
import onnx

from edgenet.agent.preprocess import encode_ppm, fit
from edgenet.files import sha256
from edgenet.sweeps.build import Build, BuildJob, build
from edgenet.sweeps.engine import Engine, Here
from edgenet.sweeps.engines import engine_for
from edgenet.sweeps.images import Images
from edgenet.sweeps.local_cluster import LocalCluster
from edgenet.sweeps.on_dask import OnDask
from edgenet.target import Target
from edgenet.zoo import mobilenet_v1, mobilenet_v2

BUILDS = tuple(
    (backend, precision) for backend in ("onnxruntime", "tflite") for precision in ("int8", "fp32")
)
FLOWERS = (
    "mobilenet_v1_050_224_flowers_fft",
    "mobilenet_v2_035_224_flowers_fft",
    "mobilenet_v1_025_224_flowers_fft",
    "mobilenet_v2_035_128_flowers_fft",
    "mobilenet_v1_025_96_flowers_fft",
    "mobilenet_v1_025_96_flowers_tfs",
)
NETWORKS = (
    ("v1-050-224", mobilenet_v1, 0.5, 224),
    ("v2-035-224", mobilenet_v2, 0.35, 224),
    ("v1-025-224", mobilenet_v1, 0.25, 224),
    ("v2-035-128", mobilenet_v2, 0.35, 128),
    ("v1-025-128", mobilenet_v1, 0.25, 128),
    ("v1-025-96", mobilenet_v1, 0.25, 96),
)
CARD = """[preprocessing]
size = [{size}, {size}]
color = "rgb"
resize = "stretch"
interpolation = "bilinear-antialias"
mean = [127.5, 127.5, 127.5]
std = [127.5, 127.5, 127.5]
"""
WAYS = ("1", "2")
NULL_JOBS = 200


@dataclass(frozen=True)
class Work:
    """What is built."""

    models: list[str]
    images: str


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock, and of the processors."""

    wall: float
    cpu: float

    def beside(self, other: Spent) -> str:
        """It, and its shares of another."""
        shares = f"{self.wall / other.wall:.3f}, {self.cpu / other.cpu:.3f}"
        return f"{self.wall:.1f} s, {self.cpu:.1f} s of CPU ({shares})"


def main() -> None:
    """Measure in turns, print each round and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=len(FLOWERS))
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--goals", type=float, nargs=2, metavar=("ONE", "TWO"))
    parser.add_argument("--build", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build is not None:
        _build(options.build, Work(**json.load(sys.stdin)))
        return
    with tempfile.TemporaryDirectory(prefix="edgenet-") as temporary:
        folder = Path(temporary)
        work = _work(folder, options.models, options.images)
        ratios = [_round(work, folder / str(number), number) for number in range(options.rounds)]
        middle = {way: median(ratio[way] for ratio in ratios) for way in WAYS}
        print(f"median: one worker {middle['1']:.3f}, two workers {middle['2']:.3f} of the single compiles")
        _overhead(work, folder)
    if options.goals and any(middle[way] > goal for way, goal in zip(WAYS, options.goals, strict=True)):
        sys.exit(1)


def _round(work: Work, folder: Path, number: int) -> dict[str, float]:
    """Every way once, another first in each round; what the sweep took as a share of the single ones."""
    spent, made = {}, {}
    ways = ("single", *WAYS)
    for way in ways[number % 3 :] + ways[: number % 3]:
        place = folder / way
        spent[way], made[way] = _single(work, place) if way == "single" else _sweep(work, place, way)
    assert all(made[way] == made["single"] for way in WAYS), "the bundles differ"
    single = spent["single"]
    told = ", ".join(f"{way} worker{'s' * (way > '1')} {spent[way].beside(single)}" for way in WAYS)
    print(f"{len(made['single'])} cells: single {single.beside(single)}, {told}", flush=True)
    return {way: spent[way].wall / single.wall for way in WAYS}


def _single(work: Work, place: Path) -> tuple[Spent, dict[str, str]]:
    """What all single compiles took, and the bundles' digests."""
    spent, made = Spent(0.0, 0.0), {}
    for model in work.models:
        for backend, precision in BUILDS:
            name = f"{Path(model).stem} {backend} {precision}"
            output = place / f"{name}.edgenet"
            how = ["--backend", backend, "--precision", precision, "--calibration", work.images]
            command = ["compile", model, "--target", "local", *how, "-o", str(output)]
            took, _ = _run([sys.executable, "-m", "edgenet", *command], place / name)
            spent = Spent(spent.wall + took.wall, spent.cpu + took.cpu)
            made[name] = sha256(output.read_bytes())
    return spent, made


def _sweep(work: Work, place: Path, way: str) -> tuple[Spent, dict[str, str]]:
    """What the sweep's building took, and the bundles' digests."""
    spent, told = _run([sys.executable, __file__, "--build", way], place, json.dumps(asdict(work)))
    return spent, json.loads(told)


def _run(command: list[str], cache: Path, given: str = "") -> tuple[Spent, str]:
    cache.mkdir(parents=True)
    env = os.environ | {"EDGENET_CACHE": str(cache), "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    before, begin = os.times(), time.perf_counter()
    done = subprocess.run(command, env=env, input=given, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - begin, os.times()
    assert done.returncode == 0, done.stderr
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Spent(wall, cpu), done.stdout


def _build(way: str, work: Work) -> None:
    """In a process of its own: build everything, print the bundles' digests."""
    engine = engine_for(None, int(way), [])
    try:
        print(json.dumps(_digests(engine, work)))
    finally:
        engine.close()


def _digests(engine: Engine, work: Work) -> dict[str, str]:
    builds, images = tuple(Build(*item) for item in BUILDS), Images.of(work.images, "calib")
    jobs = [BuildJob(model, Target.load("local"), builds, images) for model in work.models]
    made = {}
    for outcome in engine.run(build, jobs):
        assert outcome.error is None, outcome.error
        for item in outcome.value:
            assert item.bundle is not None, item.failure
            name = Path(work.models[outcome.index]).stem
            made[f"{name} {item.build.backend} {item.build.precision}"] = sha256(item.bundle)
    return made


def _overhead(work: Work, folder: Path) -> None:
    """What Dask adds: the start, a job that does nothing, and a cell of the last network."""
    begin = time.perf_counter()
    engine = OnDask(lambda: LocalCluster(1, []))
    list(engine.run(abs, [0]))
    start = time.perf_counter() - begin
    begin = time.perf_counter()
    list(engine.run(abs, [0] * NULL_JOBS))
    null = (time.perf_counter() - begin) / NULL_JOBS
    small = Work(work.models[-1:], work.images)
    spent: dict[str, list[float]] = {"here": [], "dask": []}
    os.environ |= {"EDGENET_CACHE": str(folder / "none"), "OMP_NUM_THREADS": "1"}  # as each worker has
    for number in range(6):  # the first of each imports
        for name, used in (("here", Here()), ("dask", engine)):
            begin = time.perf_counter()
            list(used.run(build, _uncached(small)))
            if number:
                spent[name].append(time.perf_counter() - begin)
    engine.close()
    here, there = (median(spent[name]) / len(BUILDS) for name in ("here", "dask"))
    print(f"Dask: starts in {start:.2f} s, a job of nothing {1e3 * null:.1f} ms,")
    print(f"a cell {1e3 * there:.0f} ms against {1e3 * here:.0f} ms here ({1e3 * (there - here):+.0f} ms)")


def _uncached(work: Work) -> list[BuildJob]:
    builds, images = tuple(Build(*item) for item in BUILDS), Images.of(work.images, "calib")
    return [BuildJob(model, Target.load("local"), builds, images, cache=False) for model in work.models]


def _work(folder: Path, models: int, images: int) -> Work:
    shared = Path(os.environ.get("EDGENET_SHARED", "../shared")).resolve() / "data"
    if (shared / "keras").is_dir():
        return Work(
            [str(shared / "keras" / f"{name}.h5") for name in FLOWERS[-models:]],
            str(shared / "flowers" / "calib"),
        )
    (folder / "models").mkdir()
    found = []
    for name, network, alpha, size in NETWORKS[-models:]:
        path = folder / "models" / f"{name}.onnx"
        onnx.save(network(alpha, size, 5), path)
        path.with_suffix(".toml").write_text(CARD.format(size=size))
        found.append(str(path))
    return Work(found, str(_pictures(folder / "images", images)))


def _pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    generator = np.random.default_rng(0)
    for index in range(count):
        coarse = generator.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        spec = {"size": (256, 256), "resize": "stretch", "interpolation": "bicubic-antialias"}
        (folder / f"{index:03d}.ppm").write_bytes(encode_ppm(fit(coarse, spec)))
    return folder


if __name__ == "__main__":
    main()
