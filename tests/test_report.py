"""Reports: saved, read again, and refused when they are not what they claim."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edgenet.errors import ReportError
from edgenet.report import Limit, Report, latency
from edgenet.steps.compare import Gates, compare
from tests.reports import DRIFT, report


def test_latency_against_numpy() -> None:
    samples = np.arange(1.0, 102.0)
    got = latency(samples)
    assert (got.min, got.p50, got.p90, got.p99, got.mean) == (1, 51, 91, 100, 51)
    assert got.stdev == pytest.approx(np.std(samples, ddof=1))
    assert list(got.samples) == samples.tolist()
    assert latency(np.array([3.0])).stdev == 0.0


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
        compare(report(), report(bundle={**other.bundle.to_table(), "model_digest": "y"}))


GATES = [
    ({"max_slowdown": 5.0}, True),
    ({"min_fps": 24.0}, True),
    ({"min_fps": 90.0}, False),
    ({"max_drift": 0.5}, True),
    ({"max_memory": 80.0}, True),
    ({"max_memory": 50.0}, False),
]


@pytest.mark.parametrize(("limits", "passed"), GATES)
def test_gates(limits: dict[str, float], passed: bool) -> None:
    got = compare(report(2.0), report(2.05, 1, fps={"model": 500.0, "pipeline": 60.0}), Gates(**limits))
    (gate,) = got.gates
    assert gate.passed is passed
    assert got.over_limit is not passed


def test_a_slow_down_crosses_its_gate() -> None:
    """An injected one of 10 %."""
    got = compare(report(2.0), report(2.2, 1), Gates(max_slowdown=5.0))
    assert got.over_limit
    assert got.verdict == "b is slower"
    assert got.gates[0].value == pytest.approx(10, abs=0.5)


def test_lost_accuracy_crosses_its_gate() -> None:
    worse = report(drift={**DRIFT, "top1": 0.68, "smallest_claim_pp": 1.4})
    (gate,) = compare(report(), worse, Gates(max_drift=1.0)).gates
    assert (gate.passed, gate.value) == (False, pytest.approx(2.0))
    assert gate.note == "200 images cannot tell less than 1.40 pp"
    blind = {**DRIFT, "labelled": False, "top1": None}
    less = report(drift={**blind, "agreement": 0.95})
    (gate,) = compare(report(drift=blind), less, Gates(max_drift=1.0)).gates
    assert (gate.name, gate.passed) == ("answers changed more (pp)", False)


def test_a_figure_that_is_not_there_passes_no_gate() -> None:
    emulated = report(memory_mb={"peak": None}, verdict={"state": "EMULATED", "reasons": [], "limits": []})
    got = compare(report(), emulated, Gates(max_slowdown=50.0, min_fps=1.0, max_memory=1e6))
    assert [gate.passed for gate in got.gates] == [False] * 3
    assert got.verdict == "cannot tell (emulated)"


@pytest.mark.parametrize(("first", "second"), [("NOISY", "VALID"), ("VALID", "NOISY"), ("NOISY", "NOISY")])
def test_noisy_runs_tell_nothing_about_speed(first: str, second: str) -> None:
    """Twice as fast, the interval far from 1: of a disturbed board that is no finding."""
    a, b = (
        report(p50, seed, verdict={"state": state, "reasons": [], "limits": []})
        for p50, seed, state in ((2.0, 0, first), (1.0, 1, second))
    )
    got = compare(a, b, Gates(max_slowdown=5.0))
    assert got.verdict == "cannot tell (noisy)"
    assert got.gates[0].note == "not settled: a run was not VALID"
    assert not got.over_limit
    strict = compare(a, b, Gates(max_slowdown=5.0, valid=True))
    assert strict.over_limit
    assert strict.gates[0].name == "VALID reports"


def test_valid_runs_pass_the_gate_that_asks_for_them() -> None:
    assert not compare(report(), report(2.0, 1), Gates(valid=True)).over_limit


def test_shares_differ_by_points_and_not_by_a_factor() -> None:
    worse = report(2.0, 1, drift={**DRIFT, "top1": 0.68})
    rows = {row.name: row for row in compare(report(), worse).rows}
    assert rows["top-1 (%)"].difference == pytest.approx(-2.0)
    assert rows["top-1 (%)"].ratio is None
    assert rows["p50 (ms)"].difference is None
    assert rows["p50 (ms)"].ratio == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "passed", "words"),
    [
        ("at least", False, "FPS 180.00, asked for at least 240: MISSED"),
        ("at least", True, "FPS 180.00, asked for at least 240: kept"),
        ("at most", False, "FPS 180.00, asked for at most 240: EXCEEDED"),
        (None, False, "FPS 180.00, asked for 240: EXCEEDED"),
    ],
)
def test_a_limit_reads_as_what_was_asked(kind: str | None, passed: bool, words: str) -> None:
    """ "asked 240: EXCEEDED" of 180 frames a second read as praise."""
    assert Limit(name="FPS", kind=kind, limit=240, value=180.0, passed=passed).words == words


def test_drift_on_other_images_cannot_be_gated() -> None:
    other = report(drift={**DRIFT, "images": 100})
    with pytest.raises(ReportError, match="judged on different images"):
        compare(report(), other, Gates(max_drift=1.0))


def test_latency_tells_how_sure_its_median_is() -> None:
    got = report(2.0).latency_ms
    assert got.p50_interval[0] < 2.0 < got.p50_interval[1]
    assert latency(np.ones(10)).p50_interval is None
