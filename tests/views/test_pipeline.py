"""What is said of the pipeline: each part against the time between two frames, and the next best step."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from edgenet.cli.shared.tables import verdict_rows
from edgenet.report import Report
from edgenet.steps.compare import compare
from edgenet.steps.report import present
from edgenet.views.comparison import names
from edgenet.views.pipeline import pipeline_words
from tests.reports import CAMERA, report
from tests.views.test_views import read

STEPS = CAMERA["steps"]


def camera(**changes: Any) -> Report:
    return report(pipeline_ms={**CAMERA, **changes})


def words(html: str) -> str:
    return " ".join(" ".join(read(html).words).split())


def test_each_part_is_a_share_of_the_time_between_two_frames() -> None:
    """Of 41.67 ms: 2.5 are 6.0 %, 2.0 4.8 %, 5.0 12.0 %, 0.25 0.6 %; all ten 24.0 %."""
    said = pipeline_words(camera())
    assert said["pipeline"] == (
        "jpeg 640x480, 62 kB a frame: decode 2.5 ms (6.0 %), fit 2 ms (4.8 %), invoke 5 ms (12.0 %), "
        "post 0.25 ms (0.6 %); in all 10 ms, 24.0 % of a frame at 24 FPS (41.7 ms)"
    )
    assert said["next step"] == (
        "capture at 352x288: −3.5 ms (3.25 to 3.75 with 95 %); also tried: yuyv instead of jpeg: +0.5 ms"
    )


def test_the_terminal_has_them_in_its_columns() -> None:
    lines = [f"{name:12} {text}" for name, text in verdict_rows(camera())]
    assert [line for line in lines if line.startswith("pipeline     jpeg 640x480, ")]
    assert [line for line in lines if line.startswith("next step    capture at 352x288: −3.5 ms")]
    plain = pipeline_words(report())
    assert plain["pipeline"].startswith("images as they are: decode ")
    assert "next step" not in plain, "of files there is no other form"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({"absent": "why"}, "not measured: why"),
        (
            {**STEPS, "tried": STEPS["tried"][1:]},
            "none that was tried saves more than its noise (yuyv instead of jpeg: +0.5 ms)",
        ),
    ],
)
def test_where_nothing_is_faster_it_is_said(steps: dict[str, Any], said: str) -> None:
    assert pipeline_words(camera(steps=steps))["next step"] == said


def test_the_page_has_the_parts_and_what_was_tried() -> None:
    said = words(present([camera()]))
    assert "from a jpeg 640x480 frame's bytes to its label it is 125.0" in said
    assert "From jpeg 640x480 bytes to label, means" in said
    assert "decode 2.500 6.0 %" in said
    assert "total 10.000 24.0 %" in said
    assert "What else the camera could give: 300 runs of each, in turn" in said
    assert "capture at 352x288 jpeg 352x288 6.500 3.500 3.250 to 3.750" in said
    assert "Next step: capture at 352x288: −3.5 ms" in said
    raw = camera(parts={"fit": 1.0, "invoke": 2.0}, parts_absent={"decode": "it is raw"}, steps=None)
    assert "There is no decode: it is raw." in words(present([raw]))


def test_markdown_and_csv_have_them() -> None:
    text = present([camera()], "md")
    assert "- tflite int8: next step: capture at 352x288: −3.5 ms" in text
    (row,) = csv.DictReader(io.StringIO(present([camera()], "csv")))
    assert (row["frame"], row["decode_ms"], row["fit_ms"]) == ("jpeg 640x480", "2.5", "2.0")
    assert (row["next_step"], row["next_step_saves_ms"]) == ("capture at 352x288", "3.5")
    (row,) = csv.DictReader(io.StringIO(present([report()], "csv")))
    assert (row["frame"], row["decode_ms"], row["post_ms"], row["next_step"]) == ("", "2.0", "", "")


def test_an_emulated_board_tells_no_times() -> None:
    emulated = report(pipeline_ms=CAMERA, verdict={"state": "EMULATED", "reasons": ["r"], "limits": []})
    assert pipeline_words(emulated) == {}
    assert "352x288" not in words(present([emulated]))
    for form in ("md", "csv"):
        assert "3.5" not in present([emulated], form)


def test_pipelines_of_different_frames_are_told_apart() -> None:
    other = camera(frame="yuyv 640x480")
    note = "pipelines measured on different frames"
    assert note in compare(camera(), other).notes
    assert note in compare(camera(), report()).notes
    assert note not in compare(camera(), camera()).notes
    assert names([camera(), other]) == ["tflite int8 · jpeg 640x480", "tflite int8 · yuyv 640x480"]
    assert names([camera(), report()]) == ["tflite int8 · jpeg 640x480", "tflite int8"]
    assert note in present([camera(), report()], "md")
