"""A detector's report: its curve, its classes, and both sets of boxes over the images that moved most."""

from __future__ import annotations

from typing import Any

import pytest

from edgenet.cli.shared.output import print_table
from edgenet.cli.shared.tables import report_columns, report_row
from edgenet.report import Report
from edgenet.views.page import page
from tests.reports import DRIFT, report

CURVE = [1.0] * 40 + [0.5] * 30 + [0.0] * 31
SHARED = ("agreement", "cosine", "max_abs", "labelled", "interval_pp", "images", "source")
DETECTION: dict[str, Any] = {
    **{name: DRIFT[name] for name in SHARED},
    "task": "detection",
    "stages": {
        **DRIFT["stages"],
        "quantization": {**DRIFT["stages"]["quantization"], "delta_pp": -0.5},
        "kernel": {**DRIFT["stages"]["kernel"], "delta_pp": 0.0},
    },
    "map50": 0.5, "map50_reference": 0.505, "map50_delta": -0.005, "map50_interval": [-0.0125, 0.0025],
    "map": 0.25, "map_reference": 0.25, "map_delta": 0.0, "map_interval": [0.0, 0.0],
    "boxes": 9, "boxes_reference": 10, "boxes_kept": 0.8, "boxes_lost": 0.2, "boxes_below": 0.1,
    "boxes_new": 0.1, "mean_iou": 0.9, "score_shift": -0.01,
    "by_class": [{"name": "cat", "objects": 7, "ap50": 0.4, "ap50_reference": 0.45}],
    "curve": CURVE, "curve_reference": CURVE,
    "worst": [{
        "file": "a.jpg", "max_abs": 0.5, "answer": 1, "reference": 2, "answer_label": "cat",
        "thumbnail": "data:image/png;base64,aaaa",
        "boxes": [{"label": "cat <b>", "score": 0.75, "box": [0.25, 0.5, 0.75, 1.0]}],
        "boxes_reference": [], "boxes_true": [{"label": "cat", "box": [0.25, 0.5, 0.5, 1.0]}],
    }],
}  # fmt: skip


def shown(**changes: Any) -> str:
    return page([report(drift={**DETECTION, **changes})])


def test_a_detectors_page_has_its_curve_its_classes_and_its_boxes() -> None:
    html = shown()
    assert "Precision by recall at an IoU of 0.5" in html
    assert "mAP@0.5 won and lost by stage, on a scale of ±2 pp" in html
    assert ">cat<" in html
    assert "40.00 %" in html
    assert '<rect class="board" x="0.25" y="0.5" width="0.5" height="0.5">' in html
    assert '<rect class="truth" x="0.25" y="0.5" width="0.25" height="0.5">' in html
    assert "board: cat &lt;b&gt; 0.75" in html
    assert "full lines are the board" in html


def test_nothing_found_anywhere_is_said_and_draws_no_curve() -> None:
    nothing = dict.fromkeys(
        ("boxes_kept", "boxes_lost", "boxes_below", "boxes_new", "mean_iou", "score_shift")
    )
    html = shown(
        **nothing, boxes=0, boxes_reference=0, curve=[0.0] * 101, curve_reference=[0.0] * 101, worst=[]
    )
    assert "0; the float model shows none on any image" in html
    assert "Precision by recall" not in html


def test_a_report_is_written_as_it_is_read() -> None:
    made = report(drift=DETECTION)
    assert Report.from_table(made.to_table(), "again") == made


def test_a_detectors_line_is_one_line_and_every_share_has_its_unit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = report(drift=DETECTION)
    columns, row = report_columns(made), report_row(made)
    assert [row[columns.index(name)] for name in ("mAP@0.5", "mAP", "boxes kept")] == [
        "50.0 %",
        "25.0 %",
        "80.0 %",
    ]
    title = "a title that is longer than its table is no reason to break it: " + 70 * "-"
    print_table(title, columns, [row])
    shown = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert len(shown) == 4
    assert shown[0] == title
