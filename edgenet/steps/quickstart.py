"""The whole chain on this machine with the model and images that travel with edgenet."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.drift import CLASSIFICATION, Drift
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.metric import metric, metrics
from edgenet.model import Model
from edgenet.notebook import Grid, Shown
from edgenet.progress import Progress, silent
from edgenet.protocol import Protocol
from edgenet.report import Report
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.embedded import embedded_name
from edgenet.steps.profile import profile
from edgenet.steps.taken import protocol_of
from edgenet.steps.to_frame import to_frame
from edgenet.target import Target
from edgenet.verify.expected import FloatReference, truth
from edgenet.views.recommendation import WITHIN_PP, fastest_within
from edgenet.zoo import embedded

__all__ = ["Quickstart", "answer", "delta_key", "quickstart"]

BUILDS = (("onnxruntime", "fp32"), ("onnxruntime", "int8"), ("tflite", "fp32"), ("tflite", "int8"))


@dataclass(frozen=True)
class Quickstart(Shown):
    """The result of :func:`quickstart`.

    Attributes:
        model: What was measured.
        reports: One a build, in the order of ``BUILDS``; of the backends that this machine has.
        answer: See :func:`answer`.
    """

    model: Model
    reports: tuple[Report, ...]
    answer: dict[str, Any]

    def __repr__(self) -> str:
        return f"<Quickstart {self.model.name}: {len(self.reports)} reports>"

    def _title(self) -> str:
        return f"quickstart {self.model.name}"

    def _rows(self) -> Mapping[str, Any]:
        fastest = self.answer.get("fastest")
        within = f"fastest within {self.answer['within_pp']:g} pp of float"
        return {within: f"{fastest['backend']} {fastest['precision']}" if fastest else "none"}

    def _grids(self) -> Sequence[Grid]:
        shown = metrics(*self.reports)
        heads = ("build", *(item.head for item in shown), "verdict")
        rows = [[one.build, *(item.text(one) for item in shown), one.verdict.state] for one in self.reports]
        return (Grid(heads, rows),)

    def to_frame(self) -> Any:
        """A pandas ``DataFrame``, a row a build; as :meth:`edgenet.Report.to_frame`.

        Raises:
            PackageError: pandas is not installed.
        """
        return to_frame(self.reports)

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "model": self.model.name,
            "reports": [report.to_table() for report in self.reports],
            "answer": self.answer,
        }


def quickstart(
    folder: Path | str | None = None,
    protocol: Protocol | Path | str = "quick",
    progress: Progress = silent,
    cache: bool = True,
    task: str = CLASSIFICATION,
) -> Quickstart:
    """Compile, deploy to this machine and profile an embedded model in every build.

    Args:
        folder: Where bundles and reports are kept; nowhere if ``None``.
        protocol: How to measure.
        progress: Called at every stage, its name preceded by the build.
        cache: Whether to share quantization and the float model's answers between builds and processes.
        task: Of the model.

    Raises:
        PlanError: No model of that task travels with edgenet.

    Examples:
        Four builds are measured, which takes half a minute:

        >>> found = edgenet.quickstart()  # doctest: +SKIP
        >>> found.answer["fastest"], [report.build for report in found.reports]  # doctest: +SKIP
    """
    name, rules = embedded_name(task), protocol_of(protocol)
    model = Model.load(embedded(name))
    calibration = ImageSet.load(image_folder(name, "calib"))
    val = ImageSet.load(image_folder(name, "val"))
    reports: list[Report] = []
    known: FloatReference | None = None
    with tempfile.TemporaryDirectory(prefix="edgenet-") as temporary:
        place = Path(folder) if folder else Path(temporary)
        for backend, precision in _builds():
            prefixed = _prefixed(progress, f"{backend} {precision}")
            how = (model, "local", backend, precision, None, calibration, prefixed)
            compiled = compile(*how, cache=cache)
            path = compiled.write(place / f"{name}.{backend}.{precision}.edgenet")
            deploy(path, "local", progress=prefixed)
            known = known or truth(compiled.bundle, val, prefixed, cache)
            report = profile(path, "local", rules, val=val, progress=prefixed, known=known)
            report.write(place / f"{name}.{backend}.{precision}.json")
            reports.append(report)
    return Quickstart(model, tuple(reports), answer(reports, WITHIN_PP))


def answer(reports: list[Report], within_pp: float) -> dict[str, Any]:
    """The fastest build that keeps the accuracy.

    Args:
        reports: Of one model, with labeled drift.
        within_pp: What may be lost of the task's headline measure, in percentage points.

    Returns:
        within_pp, and of the fastest such build: backend, precision, fps_model, fps_pipeline, p50_ms and
        delta_pp, a classifier's as top1_delta_pp; ``"fastest": None`` if no build keeps the limit.
    """
    best = fastest_within(reports, within_pp)
    if best is None:
        return {"within_pp": within_pp, "fastest": None}
    return {
        "within_pp": within_pp,
        "fastest": {
            "backend": best.bundle.backend,
            "precision": best.bundle.precision,
            **{key: metric(key, best).of(best) for key in ("fps_model", "fps_pipeline", "p50_ms")},
            delta_key(best.drift): best.drift.delta_pp,
        },
    }


def delta_key(drift: Drift) -> str:
    """What the change of the headline measure is called in an answer."""
    return f"{drift.headline}_delta_pp" if drift.headline else "delta_pp"


def _builds() -> list[tuple[str, str]]:
    here = Target.load("local").backends
    return [(backend, precision) for backend, precision in BUILDS if backend in here]


def _prefixed(progress: Progress, prefix: str) -> Progress:
    return lambda stage, done, total: progress(f"{prefix}: {stage}", done, total)
