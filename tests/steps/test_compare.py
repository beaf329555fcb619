"""Where a comparison turns: runs without noise make every limit exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgenet.errors import ReportError
from edgenet.report import Report, latency
from edgenet.steps.compare import Gates, Row, compare
from tests.reports import DRIFT, report

EMULATED = {"state": "EMULATED", "reasons": ["x"], "limits": []}
THROTTLED = {"state": "THROTTLED", "reasons": ["x"], "limits": []}


def run(ms: float, runs: int = 300, **changes: Any) -> Report:
    """A report of runs that all took so long."""
    return report(latency_ms=latency(np.full(runs, ms)).to_table(), **changes)


@pytest.mark.parametrize(
    ("ms", "verdict"),
    [(1.975, "b is faster"), (1.985, "cannot tell"), (2.015, "cannot tell"), (2.025, "b is slower")],
)
def test_a_percent_is_the_same(ms: float, verdict: str) -> None:
    got = compare(run(2.0), run(ms))
    assert got.p50_ratio == pytest.approx(ms / 2)
    assert got.interval == pytest.approx((ms / 2, ms / 2))
    assert got.verdict == verdict


def test_exactly_a_percent_is_the_same() -> None:
    assert compare(run(100.0), run(99.0)).verdict == "cannot tell"
    assert compare(run(100.0), run(101.0)).verdict == "cannot tell"


@pytest.mark.parametrize(("a", "b"), [(EMULATED, None), (None, EMULATED)])
def test_the_speed_of_an_emulated_board_tells_nothing(a: Any, b: Any) -> None:
    made = [run(ms, **({"verdict": how} if how else {})) for ms, how in ((2.0, a), (1.0, b))]
    got = compare(*made, Gates(max_slowdown=50.0))
    assert got.verdict.startswith("cannot tell")
    assert (got.gates[0].value, got.gates[0].passed) == (None, False)


def test_a_run_that_wavers_tells_nothing() -> None:
    """Batches of 1.9 and 2.3 ms in turns: five percent slower, give or take four."""
    wavering = report(latency_ms=latency(np.repeat(np.tile([1.9, 2.3], 12), 10)).to_table())
    got = compare(run(2.0), wavering)
    assert got.interval[0] == pytest.approx(1.008, abs=0.002)
    assert got.interval[1] == pytest.approx(1.094, abs=0.002)
    assert got.verdict == "cannot tell"


@pytest.mark.parametrize(("bad", "good"), [((), 2), ((0,), 1), ((1,), 1), ((0, 1), 0)])
def test_both_runs_may_be_asked_to_be_valid(bad: tuple[int, ...], good: int) -> None:
    made = [run(2.0, **({"verdict": THROTTLED} if index in bad else {})) for index in range(2)]
    valid, slower = compare(*made, Gates(valid=True, max_slowdown=1.0)).gates
    assert (valid.name, valid.limit, valid.value, valid.passed) == ("VALID reports", 2, good, good == 2)
    assert slower.note == (None if good == 2 else "not settled: a run was not VALID")
    assert slower.passed, "the note says what it is worth"


def test_what_is_not_settled_says_the_nearest_reason() -> None:
    a, b = report(2.0), report(2.0, 1, verdict=THROTTLED)
    limit = 100 * (compare(a, b).p50_ratio - 1) + 1e-6
    (gate,) = compare(a, b, Gates(max_slowdown=limit)).gates
    assert gate.note.startswith("not settled: it may be")


def test_too_few_runs_tell_nothing() -> None:
    got = compare(run(2.0), run(1.0, runs=24))
    assert (got.interval, got.verdict) == (None, "cannot tell")


@pytest.mark.parametrize(
    ("gates", "name", "value", "passed"),
    [
        ({"max_slowdown": 25.0}, "slow-down (%)", 25.0, True),
        ({"max_slowdown": 24.9}, "slow-down (%)", 25.0, False),
        ({"min_fps": 60.0}, "FPS", 60.0, True),
        ({"min_fps": 60.1}, "FPS", 60.0, False),
        ({"max_memory": 60.0}, "peak memory (MB)", 60.0, True),
        ({"max_memory": 59.9}, "peak memory (MB)", 60.0, False),
        ({"max_drift": 1.0}, "top-1 lost (pp)", 1.0, True),
        ({"max_drift": 0.9}, "top-1 lost (pp)", 1.0, False),
    ],
)
def test_a_gate_is_passed_by_its_own_value(
    gates: dict[str, float], name: str, value: float, passed: bool
) -> None:
    b = run(2.5, fps={"model": 400.0, "pipeline": 60.0}, drift={**DRIFT, "top1": 0.625})
    (gate,) = compare(run(2.0, drift={**DRIFT, "top1": 0.635}), b, Gates(**gates)).gates
    assert (gate.name, gate.value) == (name, pytest.approx(value))
    assert gate.limit == next(iter(gates.values()))
    if name != "top-1 lost (pp)" or not passed:
        assert gate.passed is passed
    assert gate.note is None


def test_a_slow_down_is_settled_where_its_whole_interval_passes() -> None:
    a, b = report(2.0), report(2.0, 1)
    open_ended = compare(a, b)
    slower, worst = (100 * (value - 1) for value in (open_ended.p50_ratio, open_ended.interval[1]))
    for limit, passed, note in (
        (slower - 1e-6, False, None),
        (slower + 1e-6, True, f"not settled: it may be {worst:.1f} %"),
        (worst - 1e-6, True, f"not settled: it may be {worst:.1f} %"),
        (worst + 1e-6, True, None),
    ):
        (gate,) = compare(a, b, Gates(max_slowdown=limit)).gates
        assert (gate.passed, gate.note) == (passed, note)


@pytest.mark.parametrize(
    ("least", "limit", "note"),
    [(1.4, 1.4, None), (1.4, 1.3, "200 images cannot tell less than 1.40 pp"), (None, 1.0, None)],
)
def test_a_gate_of_drift_says_what_its_images_cannot_tell(
    least: float | None, limit: float, note: str | None
) -> None:
    (gate,) = compare(
        report(), report(drift={**DRIFT, "smallest_claim_pp": least}), Gates(max_drift=limit)
    ).gates
    assert (gate.passed, gate.note) == (True, note)


def test_gates_come_in_their_order_and_one_that_fails_is_enough() -> None:
    got = compare(run(2.0), run(2.0), Gates(max_slowdown=1.0, min_fps=1e6, max_drift=1.0, max_memory=1e6))
    assert [gate.passed for gate in got.gates] == [True, False, True, True]
    assert got.over_limit
    for gates in (None, Gates(max_memory=1e6)):
        assert not compare(run(2.0), run(2.0), gates).over_limit
    assert [gate["passed"] for gate in got.to_table()["gates"]] == [True, False, True, True]


def test_rows_by_hand() -> None:
    """As much again of a time, and none where one is not known or nothing was before."""
    a = run(2.0, memory_mb={"peak": 50.0}, fps={"model": 400.0, "pipeline": None})
    b = run(3.0, memory_mb={"peak": None}, fps={"model": 300.0, "pipeline": 60.0})
    rows = {row.name: row for row in compare(a, b).rows}
    assert rows["p50 (ms)"] == Row("p50 (ms)", 2.0, 3.0, 1.5)
    assert rows["model FPS"] == Row("model FPS", 400.0, 300.0, 0.75)
    assert rows["pipeline FPS"] == Row("pipeline FPS", None, 60.0, None)
    assert rows["peak memory (MB)"] == Row("peak memory (MB)", 50.0, None, None)
    less = run(2.0, drift={**DRIFT, "agreement": 0.95})
    (agreement,) = (row for row in compare(a, less).rows if row.name == "agreement (%)")
    assert (agreement.ratio, agreement.difference) == (None, pytest.approx(-4.0))
    none = run(2.0, memory_mb={"peak": 0.0})
    rows = {row.name: row for row in compare(none, run(2.0)).rows}
    assert rows["peak memory (MB)"] == Row("peak memory (MB)", 0.0, 60.0, None)


def test_what_makes_a_comparison_unfair_is_noted_for_both() -> None:
    pi = {"name": "pi", "target": "t", "facts": {"board": "Raspberry Pi 4"}}
    a = run(2.0, verdict=THROTTLED, device=pi)
    assert compare(a, run(2.0)).notes == ("a is THROTTLED", "measured on different boards")
    assert compare(run(2.0), run(2.0, verdict=THROTTLED)).notes == ("b is THROTTLED",)
    assert compare(run(2.0), run(2.0, protocol={"name": "other"})).notes == (
        "measured by different protocols",
    )
    other = {**DRIFT, "images": 100}
    assert compare(run(2.0), run(2.0, drift=other)).notes == ("drift judged on different images",)
    assert compare(run(2.0), run(2.0)).notes == ()


def test_reports_of_other_models_and_images_are_refused() -> None:
    bundle = report().bundle.to_table()
    with pytest.raises(ReportError, match="different models"):
        compare(run(2.0), run(2.0, bundle={**bundle, "model_digest": "y" * 64}))
    with pytest.raises(ReportError, match="judged on different images"):
        compare(run(2.0), run(2.0, drift={**DRIFT, "images": 100}), Gates(max_drift=1.0))
