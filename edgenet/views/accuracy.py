"""The page's section on accuracy: what was lost, where, and the images that moved most."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgenet.drift import Drift, Worst
from edgenet.figures import interval, number, share
from edgenet.report import Report
from edgenet.views.charts import Charts
from edgenet.views.parts import Chart, Section, Table
from edgenet.views.stages import stage_charts

__all__ = ["accuracy"]

BOXES = "over the images: full lines are the board's boxes, dashes the float model's, dots the truth"


def accuracy(report: Report, charts: Charts) -> Section:
    """How faithful the answers are, and where they were lost."""
    drift = report.drift
    rows = [[label, text] for label, text in _accuracy_rows(drift) if text]
    drawn = stage_charts(drift)
    for curves in drift.curves():
        says = f"{curves.caption}: {curves.y_title} by {curves.x_title}"
        lines = charts.lines(curves.lines, curves.x_title, curves.y_title, says, zero=True)
        drawn.append(Chart(curves.caption, lines))
    labels = "labelled" if drift.labelled else "no labels"
    return Section(
        "Accuracy",
        f"The board's answers against the float model's on {drift.images:,} images"
        f" ({labels}, from {drift.source}).",
        drawn,
        [
            Table("Drift", ["figure", "value"], rows),
            Table("Stages", ["stage", "found"], _stages(drift)),
        ],
        list(_worst(drift)),
        [
            *([drift.claim] if drift.claim else []),
            *([BOXES] if any(item.boxes for item in drift.worst) else []),
        ],
    )


def _accuracy_rows(drift: Drift) -> list[tuple[str, str]]:
    rows = [("same answer as the float model", share(drift.agreement, 2))]
    if drift.agreement_interval:
        rows.append(
            ("its 95 % interval (Wilson)", interval([100 * x for x in drift.agreement_interval]) + " %")
        )
    return [*rows, *drift.rows(), (f"cosine of the {drift.moved}", number(drift.cosine, 5)),
            (f"largest error of the {drift.moved}", f"{drift.max_abs:.4g}")]  # fmt: skip


def _stages(drift: Drift) -> list[list[str]]:
    stages = drift.stages
    before, kernel = stages.preprocess, stages.kernel
    rows = [["preprocess", f"{before.identical} of {before.images} images have the host's pixels"]]
    if less := before.full_decode:
        lost = "" if less.change_pp is None else f", {less.change_pp:+.2f} pp"
        kept = f"{share(less.agreement, 2)} of answers kept on {less.images} images"
        rows.append(["decode", f"scaled against full: {kept}{lost}"])
    for name, stage in (("conversion", stages.conversion), ("quantization", stages.quantization)):
        text = f"{share(stage.agreement, 2)} of answers kept on {stage.images} images"
        rows.append([name, f"{text}, {drift.moved} within {stage.max_abs:.3g}"])
    found = "bit-exact with the host" if kernel.identical else (
        f"{kernel.different_outputs} of {kernel.outputs} outputs differ from the host, "
        f"at most {kernel.max_difference:.3g} {kernel.unit}"
    )  # fmt: skip
    return [*rows, ["kernel", found]]


def _worst(drift: Drift) -> Iterable[dict[str, Any]]:
    """Those whose answer is another first, each group in the order of the report."""
    for item in sorted(drift.worst, key=lambda item: item.answer == item.reference):
        board = item.answer if item.answer_label is None else item.answer_label
        truth = item.reference if item.reference_label is None else item.reference_label
        changed = item.answer != item.reference
        lines = [f"board: {board}", f"float: {truth}"] if changed else [f"board and float: {board}"]
        if item.label:
            lines.append(f"truth: {item.label}")
        lines.append(drift.describe(item))
        picture = item.thumbnail or ""
        src = picture if picture.startswith("data:image/png;base64,") else ""
        yield {"src": src, "title": item.file, "lines": lines, "changed": changed, "boxes": _boxes(item)}


def _boxes(item: Worst) -> list[dict[str, Any]]:
    """What is drawn over a picture, in fractions of it: the truth below, the board on top."""
    sets = (("truth", item.boxes_true), ("float", item.boxes_reference), ("board", item.boxes))
    return [
        {
            "of": of,
            "x": place.box[0],
            "y": place.box[1],
            "width": max(place.box[2] - place.box[0], 0.0),
            "height": max(place.box[3] - place.box[1], 0.0),
            "says": f"{of}: {place.label}" + ("" if place.score is None else f" {place.score:.2f}"),
        }
        for of, places in sets
        for place in places or ()
    ]
