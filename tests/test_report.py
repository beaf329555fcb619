"""Reports: saved, read again, and refused when they are not what they claim."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgenet.errors import ReportError
from edgenet.report import Report, latency
from edgenet.steps.compare import compare
from tests.reports import report


def test_latency_against_numpy() -> None:
    samples = np.arange(1.0, 102.0)
    got = latency(samples)
    assert (got["min"], got["p50"], got["p90"], got["p99"], got["mean"]) == (1, 51, 91, 100, 51)
    assert got["stdev"] == pytest.approx(np.std(samples, ddof=1))
    assert got["samples"] == samples.tolist()
    assert latency(np.array([3.0]))["stdev"] == 0.0


def test_there_and_back(tmp_path: Path) -> None:
    first = report()
    first.write(tmp_path / "r.json")
    assert Report.load(tmp_path / "r.json") == first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a report, or truncated"),
        ('{"schema": 1', "not a report, or truncated"),
        ("[1]", "schema None"),
        ('{"schema": 7}', "schema 7, this edgenet reads 1"),
        ('{"schema": 1}', "no 'bundle' in it"),
    ],
)
def test_what_is_no_report(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ReportError, match=message):
        Report.load(path)


def test_figures_that_are_no_numbers(tmp_path: Path) -> None:
    table = report().to_table()
    table["latency_ms"]["p50"] = "fast"
    (tmp_path / "r.json").write_text(json.dumps(table))
    with pytest.raises(ReportError, match="latency_ms.p50 is 'fast'"):
        Report.load(tmp_path / "r.json")


def test_over_limit() -> None:
    limits = [{"name": "x", "limit": 1, "value": 2, "passed": False}]
    assert report(verdict={"state": "VALID", "reasons": [], "limits": limits}).over_limit
    assert not report().over_limit


def test_compare_tells_faster_slower_and_cannot_tell() -> None:
    assert compare(report(2.0), report(1.0, 1)).verdict == "b is faster"
    assert compare(report(1.0), report(2.0, 1)).verdict == "b is slower"
    same = compare(report(2.0), report(2.0, 1))
    assert same.verdict == "cannot tell"
    assert same.interval[0] <= same.p50_ratio <= same.interval[1]


def test_compare_notes_what_is_unfair() -> None:
    other = report(
        device={"name": "pi", "target": "t", "facts": {"board": "Raspberry Pi 4"}},
        protocol={"name": "single-stream"},
        verdict={"state": "THROTTLED", "reasons": ["x"], "limits": []},
    )
    notes = compare(report(), other).notes
    assert notes == ("b is THROTTLED", "measured on different boards", "measured by different protocols")


def test_compare_refuses_other_models() -> None:
    other = report()
    with pytest.raises(ReportError, match="different models"):
        compare(report(), report(bundle={**other.bundle, "model_digest": "y"}))
