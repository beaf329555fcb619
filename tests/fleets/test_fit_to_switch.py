"""What keeps a build from becoming current: limits that were measured on the board, and the user's check."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from edgenet.board import Board
from edgenet.devices.upkeep_answers import Checked
from edgenet.errors import EXIT_DONE, EXIT_OVER_LIMIT, HealthError
from edgenet.fleet import Fleet
from edgenet.fleets import fit_to_switch as room
from edgenet.fleets.fit_to_switch import fit_to_switch
from edgenet.fleets.rollout import rollout
from edgenet.fleets.rollout_options import RolloutOptions
from edgenet.fleets.rollout_state import RolloutBoard
from edgenet.protocol import Protocol
from edgenet.report import AT_LEAST, Limit
from edgenet.steps.compile import compile
from tests.fleets.faults import runs
from tests.reports import report

BRIEF = Protocol("brief", "", 0.0, 0.02, 3, 5.0, 1, True, 0.0)
# How a check ends that takes too long: by SIGKILL.
LATE = -9
ROW = RolloutBoard(board="b0", device="local", wave=0)


def fit(monkeypatch, found=None, said=(0, ""), **options):
    """What a board is told on which this was measured, and whose check said this."""
    puts = []
    asked = RolloutOptions(**options)
    file = SimpleNamespace(put=lambda row: puts.append(row) or row)
    job = SimpleNamespace(options=asked, asked=True if asked.measures else None, file=file)
    monkeypatch.setattr(room, "measured", lambda *_: found)
    status, output = said
    ended = Checked(exit_status=status, timed_out=status == LATE, lines=tuple(output.splitlines()))
    check = SimpleNamespace(check=lambda *_: ended)
    row = fit_to_switch(SimpleNamespace(upkeep=check), None, {}, ROW, job, lambda *_: None)
    assert not puts or puts == [row]
    return row


def test_nothing_is_measured_where_nothing_is_limited(monkeypatch):
    assert fit(monkeypatch) == ROW


def test_the_figures_are_in_the_row(monkeypatch):
    found = report()
    row = fit(monkeypatch, found, max_memory=1e6)
    assert (row.fps, row.p99_ms) == (found.fps.pipeline, found.latency_ms.p99)
    assert (row.memory_mb, row.drift_pp) == (found.memory_mb.peak, found.drift.lost().pp)


def test_a_limit_that_does_not_hold_keeps_it_out(monkeypatch):
    found = report()
    slow = Limit(name="model FPS", kind=AT_LEAST, limit=24.0, value=17.25, passed=False)
    late = found.changed(verdict=found.verdict.changed(limits=(slow,)))
    with pytest.raises(HealthError, match=r"b0: model FPS 17.25, asked for at least 24: MISSED") as caught:
        fit(monkeypatch, late, min_fps=24.0)
    assert caught.value.exit_code == EXIT_OVER_LIMIT


@pytest.mark.parametrize(("peak", "words"), [(101.0, "is 101 MB"), (None, "cannot be read")])
def test_memory_over_the_limit_or_unknown_keeps_it_out(monkeypatch, peak, words):
    found = report()
    found = found.changed(memory_mb=found.memory_mb.changed(peak=peak))
    with pytest.raises(HealthError, match=f"its peak memory {words}, at most 100 MB"):
        fit(monkeypatch, found, max_memory=100.0)


def test_a_check_that_says_no_keeps_it_out_and_its_last_line_is_the_reason(monkeypatch):
    assert fit(monkeypatch, check="true") == ROW
    with pytest.raises(HealthError, match="your check ended with exit status 3: the camera is dark"):
        fit(monkeypatch, said=(3, "looking\nthe camera is dark\n\n"), check="look")
    with pytest.raises(HealthError, match="exit status 1: it said nothing"):
        fit(monkeypatch, said=(1, ""), check="false")
    with pytest.raises(HealthError, match="your check did not end within 60 s: waiting"):
        fit(monkeypatch, said=(LATE, "waiting"), check="sleep 100")
    with pytest.raises(HealthError, match="your check was ended by signal 11: it said nothing"):
        fit(monkeypatch, said=(-11, ""), check="crash")


def test_a_build_is_measured_on_the_board_before_it_is_current(model_file, tmp_path):
    bundle = compile(model_file, "local", "onnxruntime", "fp32").bundle
    board = Board("local", name="b0", home=str(tmp_path / "home"))
    fleet, state = Fleet("one", (board,)), tmp_path / "r.json"
    found = rollout(bundle, fleet, RolloutOptions(min_fps=1e9, protocol=BRIEF), state=state)
    (row,) = found.boards
    assert (row.state, runs(board)) == ("failed", None)
    assert row.reason.endswith("asked for at least 1e+09: MISSED")
    assert 0 < row.fps < 1e9
    options = RolloutOptions(
        min_fps=0.1, max_drift=1.0, max_memory=4000, protocol=BRIEF, check="test -s $EDGENET_ARTIFACT"
    )
    found = rollout(bundle, fleet, options, state=state)
    (row,) = found.boards
    assert (row.state, runs(board), found.exit_code) == ("switched", bundle.digest, EXIT_DONE)
    assert row.drift_pp == pytest.approx(0.0)
    assert 1 < row.memory_mb < 4000
