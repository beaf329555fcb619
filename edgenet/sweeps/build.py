"""One network → all its bundles for one target, judged on this machine: a job that any machine can do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgenet.bundle import Bundle
from edgenet.drift import Preprocess
from edgenet.errors import DataError, EdgenetError
from edgenet.imageset import ImageSet
from edgenet.measure.artifact_drift import artifact_drift
from edgenet.model import Model
from edgenet.progress import silent
from edgenet.quantize.quantized import Quantized
from edgenet.recipe import Recipe
from edgenet.steps.compiler import Compiler
from edgenet.steps.decide import decide
from edgenet.steps.source import Source, read_source
from edgenet.sweeps.candidates import Untrained
from edgenet.sweeps.decoded import Decoded
from edgenet.sweeps.failure import failure
from edgenet.sweeps.images import Images
from edgenet.target import Target
from edgenet.verify.expected import FloatReference, from_set, truth

__all__ = ["Build", "BuildJob", "Built", "build"]


@dataclass(frozen=True)
class Build:
    """One way to build a network.

    Attributes:
        backend: "onnxruntime", "tflite" or "tensorrt".
        precision: "fp32", "fp16", "int8" or "int8-dynamic".
        recipe: How to quantize; the precision's default if ``None``. A network that comes quantized has its
            own.
    """

    backend: str
    precision: str
    recipe: Recipe | None = None


@dataclass(frozen=True)
class BuildJob:
    """One network with all its builds for one target.

    Attributes:
        model: A file, a value, or a network of the zoo.
        target: The board's.
        builds: What to make of it.
        calibration: Images to quantize with.
        val: Images on which every build is held to the float network; without, bundles alone are made.
        cache: Whether to share quantization and the float network's answers with other jobs and processes.
    """

    model: Source | Untrained
    target: Target
    builds: tuple[Build, ...]
    calibration: Images | None = None
    val: Images | None = None
    cache: bool = True

    def portable(self) -> BuildJob:
        """The same job for a machine that has not this one's files: the network is read, and goes with it.

        Raises:
            ModelError: It cannot be read.
        """
        return replace(self, model=_read(self.model))


@dataclass(frozen=True)
class Built:
    """What came of a build.

    Attributes:
        build: Which.
        bundle: The bytes of its file; ``None`` where it failed.
        failure: Why, and what to do.
        unforeseen: Whether another try may end otherwise: it is the fault of a file or a full disk, or of
            nothing that edgenet knows of.
        drift: What it lost against the float network on ``val``, as a report's ``drift``, this machine
            answering in place of a board.
        scores: How right the answer to each of these is, 0 to 1; ``None`` where only all together can be
            judged, and without labels.
        seconds: That it took, with what it was the first to need.
    """

    build: Build
    bundle: bytes | None = None
    failure: str | None = None
    unforeseen: bool = False
    drift: Mapping[str, Any] | None = None
    scores: tuple[float, ...] | None = None
    seconds: float = 0.0


def build(job: BuildJob) -> tuple[Built, ...]:
    """Make all builds of a job, in its order; one that fails says why, and the others go on.

    Raises:
        DataError: The images are not here, or changed.
    """
    calibration = job.calibration.here() if job.calibration else None
    val = Decoded.of(job.val.here()) if job.val else None
    work: _Work | None = None

    def one(item: Build) -> Built:
        nonlocal work
        work = work or _Work(job, calibration, val)
        return work.build(item)

    return tuple(_timed(item, one) for item in job.builds)


class _Work:
    """A job on its way, its network read."""

    def __init__(self, job: BuildJob, calibration: ImageSet | None, val: ImageSet | None) -> None:
        self.source, self.target, self.cache, self.val = _read(job.model), job.target, job.cache, val
        self.compiler = Compiler(self.source, calibration, cache=job.cache)
        self.known: FloatReference | None = None

    def build(self, item: Build) -> Built:
        """One of its builds.

        Raises:
            EdgenetError: It cannot be made, or not within its limit of drift.
        """
        recipe = None if _is_quantized(self.source) else item.recipe
        decision = decide(self.source, self.target, item.backend, item.precision, recipe)
        made = self.compiler.compile(decision)
        if self.val is None:
            return Built(item, made.data)
        drift, scores = self._judged(made.bundle, self.val)
        return Built(item, made.data, drift=drift, scores=scores)

    def _judged(self, bundle: Bundle, val: ImageSet) -> tuple[Mapping[str, Any], tuple[float, ...] | None]:
        """What it lost, and how right each of its answers is."""
        self.known = self.known or truth(bundle, val, cache=self.cache)
        expected = from_set(bundle, val, self.known, lambda data: data, silent)
        same = Preprocess(images=len(val), identical=len(val))
        drift = artifact_drift(bundle, expected, expected.host, same).to_table()
        task, output = bundle.manifest.task, bundle.manifest.artifact.output
        if expected.truth is None:
            return drift, None
        answers = task.comparable(output.values(expected.host), output.meaning)
        scores = task.scores(answers, expected.truth)
        return drift, None if scores is None else tuple(map(float, scores))


def _read(model: Source | Untrained) -> Model | Quantized:
    return model.model() if isinstance(model, Untrained) else read_source(model)


def _is_quantized(source: Model | Quantized) -> bool:
    return isinstance(source, Quantized) or source.precision == "int8"


def _timed(item: Build, make: Callable[[Build], Built]) -> Built:
    """What came of a build, a failure too."""
    begin = time.monotonic()
    try:
        made = make(item)
    except Exception as error:
        again = isinstance(error, DataError) or not isinstance(error, EdgenetError)
        made = Built(item, failure=failure(error), unforeseen=again)
    return replace(made, seconds=time.monotonic() - begin)
