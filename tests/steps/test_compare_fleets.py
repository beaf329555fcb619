"""Two runs of a fleet: each board against itself, boards that are missing or new, and what fails in CI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenet.errors import ReportError
from edgenet.steps.compare import Gates
from edgenet.steps.compare_fleets import FleetGates, compare_fleets
from edgenet.steps.report import present
from tests.fleets.made import board, fleet, one
from tests.reports import DRIFT, report

NOISY = {"state": "NOISY", "reasons": ["others"], "limits": []}


def test_each_board_is_compared_with_itself() -> None:
    then = fleet([board("a", one(20.0)), board("b", one(20.0, 1))])
    now = fleet([board("b", one(22.0, 2)), board("a", one(18.0, 3))])
    found = compare_fleets(then, now)
    told = {item.board: item.comparison.verdict for item in found.boards if item.comparison}
    assert told == {"b": "b is slower", "a": "b is faster"}
    assert found.p50_ratio == pytest.approx((1.1 * 0.9) ** 0.5, rel=0.005)
    assert found.interval is None
    assert found.verdicts == {"b is slower": 1, "b is faster": 1}
    assert not found.over_limit
    json.dumps(found.to_table())


def test_over_the_fleet_the_interval_is_from_board_to_board() -> None:
    then = fleet([board(f"b{at}", one(20.0, at)) for at in range(6)])
    now = fleet([board(f"b{at}", one(19.0 + at / 20, 9 + at)) for at in range(6)])
    found = compare_fleets(then, now)
    assert found.interval is not None
    assert found.p50_ratio is not None
    assert found.interval[0] < found.p50_ratio < found.interval[1] < 1.0
    assert "95 % interval from board to board" in found.sentence


def test_an_emulated_board_is_left_out_of_the_whole() -> None:
    quiet = {"state": "EMULATED", "reasons": [], "limits": []}
    then = fleet([board("a", one(20.0)), board("q", one(20.0, verdict=quiet))])
    now = fleet([board("a", one(20.0)), board("q", one(90.0, verdict=quiet))])
    assert compare_fleets(then, now).p50_ratio == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("gates", "failing"),
    [
        (None, set()),
        (FleetGates(), set()),
        (FleetGates(complete=True), {"away", "gone", "never"}),
        (FleetGates(valid=True), {"away", "gone", "never", "noisy"}),
        (Gates(min_fps=13.0), {"away", "slow"}),
        (Gates(max_slowdown=20.0), {"away", "slow"}),
        (Gates(max_memory=50.0), {"same", "slow", "new", "noisy", "away"}),
        (Gates(max_drift=0.1), {"away"}),
    ],
)
def test_a_gate_is_each_boards(gates: Gates | None, failing: set[str]) -> None:
    """What is not known keeps no limit; a new board is held to those that ask nothing of the first run."""
    then = [board(name, one(18.0)) for name in ("same", "slow", "away", "gone", "noisy")]
    now = [board("same", one(18.0)), board("slow", one(26.0)), board("away"), board("new", one(18.5)),
           board("noisy", one(18.0, verdict=NOISY))]  # fmt: skip
    found = compare_fleets(fleet([*then, board("never")]), fleet(now), gates)
    assert {item.board for item in found.boards if item.over_limit} == failing
    assert found.over_limit == bool(failing)
    states = {item.board: item.state for item in found.boards}
    assert states == {
        "same": "compared", "slow": "compared", "away": "not measured", "new": "new", "noisy": "compared",
        "gone": "missing", "never": "missing",
    }  # fmt: skip


def test_a_board_that_cannot_be_compared_stops_no_other() -> None:
    other = one(bundle={**one().bundle.to_table(), "model_digest": "y" * 64})
    elsewhere = one(drift={**DRIFT, "images": 9})
    then = fleet([board("a", one()), board("b", one()), board("c", one())])
    now = fleet([board("a", other), board("b", elsewhere), board("c", one())])
    found = compare_fleets(then, now, Gates(max_drift=0.5))
    assert [item.over_limit for item in found.boards] == [True, True, False]
    assert "of different models" in found.boards[0].reason
    assert "different images" in found.boards[1].reason


def test_absurd_samples_are_no_error() -> None:
    """A file may say anything above 0 ms."""
    short, long = one(1.0), one(1.0, 1)
    tiny = short.latency_ms.changed(samples=(1e-299,) * 30)
    huge = long.latency_ms.changed(samples=(1e9,) * 30)
    boards = [board(f"b{at}", short.changed(latency_ms=tiny)) for at in range(5)]
    slow, quick = fleet([board(f"b{at}", long.changed(latency_ms=huge)) for at in range(5)]), fleet(boards)
    for then, now in ((slow, quick), (quick, slow)):
        compare_fleets(then, now)
        assert "Since" in present(now, "html", then)


def test_files_are_read_and_others_refused(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    fleet().write(path)
    found = compare_fleets(path, str(path))
    assert found.p50_ratio == 1.0
    assert repr(found).startswith("<FleetComparison: 7 × cannot tell, 1 × cannot tell (throttled)")
    report().write(tmp_path / "r.json")
    with pytest.raises(ReportError):
        compare_fleets(path, tmp_path / "r.json")
    assert compare_fleets(fleet([]), fleet([])).sentence == "no board is in both runs"
