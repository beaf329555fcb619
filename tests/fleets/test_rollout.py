"""A rollout's order: what stops it, what resumes it, what takes it back; over boards that are variables."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from edgenet.errors import EXIT_DONE, EXIT_OVER_LIMIT, EXIT_UNREACHABLE, DataError, LibraryError, ReportError
from edgenet.fleets.rollout import rollout, state_file
from edgenet.fleets.rollout_file import held
from edgenet.fleets.rollout_state import OURS
from tests.fleets.fake_boards import BUNDLE, NEW, OLD, FakeBoard, FakeFleet, Killed


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    """``fleet(count, b1={"ill": True})``."""

    def make(count: int, **which: dict[str, object]) -> FakeFleet:
        boards = [FakeBoard(f"b{number}", **which.get(f"b{number}", {})) for number in range(count)]
        return FakeFleet(boards, tmp_path, monkeypatch)

    return make


def states(found):
    return [row.state for row in found.boards]


def test_every_board_switches_and_a_second_run_only_asks(fleet):
    boards = fleet(8)
    found = boards.run(at_once=1)
    assert (found.phase, found.exit_code, set(states(found))) == ("done", EXIT_DONE, {"switched"})
    assert [len(wave) for wave in found.waves] == [1, 1, 3, 3]
    assert all(row.before == OLD and row.build == NEW for row in found.boards)
    again = boards.run()
    assert (again.phase, again.exit_code, set(states(again))) == ("done", EXIT_DONE, {"switched"})
    assert [(fake.staged, fake.switched, fake.asked) for fake in boards.boards.values()] == [
        (1, [NEW], 2)
    ] * 8
    assert json.loads(boards.path.read_text())["exit_code"] == EXIT_DONE


def test_what_runs_the_build_already_is_left_alone_also_by_a_rollback(fleet):
    boards = fleet(3, b0={"current": NEW}, b2={"ill": True})
    found = boards.run(rollback=True)
    assert states(found) == ["current", "returned", "failed"]
    assert boards.boards["b0"].switched == []
    assert [fake.current for fake in boards.boards.values()] == [NEW, OLD, OLD]


def test_a_failed_canary_stops_it_before_any_other_board(fleet):
    boards = fleet(8, b0={"ill": True})
    found = boards.run()
    assert (found.phase, found.exit_code) == ("stopped", EXIT_OVER_LIMIT)
    assert states(found) == ["failed", *["waiting"] * 7]
    assert "3 FPS" in found.boards[0].reason
    assert boards.boards["b0"].noted == ["3 FPS, at least 24 is allowed"], "its history tells it"
    assert sum(fake.asked for fake in boards.boards.values()) == 1


def test_failures_of_all_waves_count_together(fleet):
    boards = fleet(8, b0={"ill": True}, b1={"ill": True})
    assert states(boards.run(max_failures=1, at_once=1))[:3] == ["failed", "failed", "waiting"]
    found = boards.run(max_failures=2)
    assert (found.phase, found.exit_code) == ("done", EXIT_OVER_LIMIT)
    assert states(found) == ["failed", "failed", *["switched"] * 6]


def test_within_a_wave_no_board_is_begun_after_the_one_too_many(fleet):
    boards = fleet(5, b1={"ill": True})
    found = boards.run(canary=0, waves=(100.0,), at_once=1)
    assert states(found) == ["switched", "failed", "waiting", "waiting", "waiting"]


def test_unreachable_boards_fail_unless_they_are_skipped(fleet):
    boards = fleet(4, b0={"away": True})
    assert boards.run().phase == "stopped"
    found = boards.run(skip_unreachable=True)
    assert (found.phase, found.exit_code) == ("done", EXIT_OVER_LIMIT)
    assert states(found) == ["unreachable", "switched", "switched", "switched"]
    boards.boards["b0"].away = False
    assert boards.run().exit_code == EXIT_DONE


def test_nobody_reached_is_3(fleet):
    boards = fleet(3, b0={"away": True}, b1={"away": True}, b2={"away": True})
    assert boards.run().exit_code == EXIT_UNREACHABLE
    assert boards.run(skip_unreachable=True).exit_code == EXIT_UNREACHABLE


def test_a_switched_board_that_is_away_later_is_still_known_to_be_switched(fleet):
    boards = fleet(2)
    boards.run()
    boards.boards["b1"].away = True
    found = boards.run()
    assert (states(found), found.exit_code) == (["switched", "switched"], EXIT_OVER_LIMIT)
    assert "does not answer" in found.boards[1].reason
    boards.boards["b1"].away = False
    back = boards.run(bundles=[], rollback=True)
    assert (states(back), back.phase, back.exit_code) == (["returned", "returned"], "rolled back", EXIT_DONE)


def test_rollback_takes_back_what_was_done_and_no_more(fleet):
    boards = fleet(6, b3={"ill": True})
    found = boards.run(rollback=True, canary=3, at_once=1)
    assert (found.phase, found.exit_code) == ("rolled back", EXIT_OVER_LIMIT)
    assert states(found) == ["returned", "returned", "returned", "failed", "waiting", "waiting"]
    assert all(fake.current == OLD for fake in boards.boards.values())
    boards.boards["b3"].ill = False
    assert boards.run().exit_code == EXIT_DONE, "the next one begins anew"


def test_a_board_that_ran_nothing_keeps_the_new_build(fleet):
    boards = fleet(2, b0={"current": None}, b1={"ill": True})
    found = boards.run(rollback=True)
    assert states(found) == ["kept", "failed"]
    assert "it ran nothing before" in found.boards[0].reason
    assert boards.boards["b0"].current == NEW


def test_a_deleted_build_cannot_be_returned_to(fleet):
    boards = fleet(2)
    boards.run()
    boards.boards["b0"].kept.discard(OLD)
    found = boards.run(bundles=[], rollback=True)
    assert (states(found), found.phase, found.exit_code) == (
        ["kept", "returned"],
        "rolled back",
        EXIT_OVER_LIMIT,
    )
    assert "is not there any more; the new build stays" in found.boards[0].reason


def test_a_rollback_goes_on_until_every_board_was_asked(fleet):
    boards = fleet(3)
    boards.run()
    boards.boards["b1"].away, boards.boards["b2"].cut = True, "refused"
    found = boards.run(bundles=[], rollback=True)
    assert (states(found), found.phase) == (["returned", "switched", "returning"], "rolling back")
    boards.boards["b1"].away = False
    assert found.exit_code == EXIT_OVER_LIMIT
    assert boards.run().phase == "rolled back", "the same command ends it first"
    assert [fake.current for fake in boards.boards.values()] == [OLD, OLD, OLD]


def test_what_somebody_else_put_there_meanwhile_is_left_alone(fleet):
    boards = fleet(2)
    boards.run()
    boards.boards["b0"].current, boards.boards["b1"].id = "f" * 64, "another"
    found = boards.run(bundles=[], rollback=True)
    assert states(found) == ["changed", "changed"]
    assert "somebody else put ffffffffffff there" in found.boards[0].reason
    assert "another board answers" in found.boards[1].reason


@pytest.mark.parametrize(("cut", "runs"), [("before", OLD), ("after", NEW)])
def test_a_connection_lost_amid_a_switch_is_asked_about_later(fleet, cut, runs):
    boards = fleet(1, b0={"cut": cut})
    found = boards.run()
    assert (states(found), found.phase, boards.boards["b0"].current) == (["switching"], "stopped", runs)
    found = boards.run()
    assert (states(found), found.boards[0].before) == (["switched"], OLD)


def test_a_refused_switch_is_a_failure_and_the_old_build_runs(fleet):
    boards = fleet(1, b0={"cut": "refused"})
    found = boards.run()
    assert (states(found), boards.boards["b0"].current) == (["failed"], OLD)


def test_two_names_of_one_board(fleet):
    boards = fleet(3, b0={"id": "x"}, b2={"id": "x"})
    found = boards.run(at_once=1)
    assert states(found) == ["switched", "switched", "failed"]
    assert found.boards[2].reason == "b2 and b0 are one board"
    assert boards.boards["b2"].staged == 0


def test_another_request_is_refused_while_one_has_not_ended(fleet):
    boards = fleet(3, b1={"ill": True})
    boards.run()
    with pytest.raises(
        DataError, match="with other limits and check has not ended: it switched 1 of 3 boards"
    ):
        boards.run(min_fps=24.0, check="true")
    with pytest.raises(DataError, match="with other waves"):
        boards.run(waves=(100.0,))
    assert boards.run().phase == "stopped"
    boards.boards["b1"].ill = False
    assert boards.run(max_failures=2, rollback=True).phase == "done", "how many may fail may change"
    assert boards.run(check="true").exit_code == EXIT_DONE, "what is done makes room"
    boards.path.write_text(boards.path.read_text().replace('"done"', '"running"'))
    assert boards.run(fresh=True, check="false").exit_code == EXIT_DONE


@pytest.mark.parametrize("text", ["[boards.b0]\n", '{"boards": []}', "{"])
def test_a_file_that_is_no_rollout_is_never_overwritten(fleet, text):
    boards = fleet(2)
    boards.path.write_text(text)
    for fresh in (False, True):
        with pytest.raises(ReportError) as caught:
            boards.run(fresh=fresh)
        assert "--fresh" not in caught.value.remedy
    assert boards.path.read_text() == text


def test_a_rollout_that_switched_nothing_makes_room_for_another(fleet):
    boards = fleet(2, b0={"ill": True})
    boards.run()
    boards.boards["b0"].ill = False
    assert boards.run(min_fps=3.0).exit_code == EXIT_DONE


def test_a_way_back_that_is_only_tried_changes_nothing(fleet):
    boards = fleet(2)
    boards.run()
    text = boards.path.read_text()
    found = boards.run(bundles=[], rollback=True, dry_run=True)
    assert (states(found), found.phase) == (["returning", "returning"], "planned")
    assert boards.path.read_text() == text
    assert all(fake.current == NEW for fake in boards.boards.values())


def test_a_person_is_asked_for_a_host_key_before_the_board_is_a_failure(fleet, monkeypatch):
    boards = fleet(2, b0={"key": False})
    found = boards.run()
    assert (states(found), found.exit_code) == (["unreachable", "waiting"], EXIT_UNREACHABLE)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    assert boards.run().exit_code == EXIT_DONE


def test_a_dry_run_asks_and_writes_nothing(fleet):
    boards = fleet(4, b0={"current": NEW}, b1={"away": True})
    found = boards.run(dry_run=True)
    assert states(found) == ["current", "unreachable", "waiting", "waiting"]
    assert {row.name for row in found.boards} == {BUNDLE.name, None}
    assert not boards.path.exists()
    assert all(fake.staged == 0 for fake in boards.boards.values())


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": 1}', '{"schema": 2}', '{"schema": 1, "phase": "x"}', "[" * 100_000]
)
def test_a_damaged_state_file_is_refused(fleet, text):
    boards = fleet(1)
    boards.path.write_text(text)
    with pytest.raises(DataError, match="rollout.json"):
        boards.run()
    assert boards.boards["b0"].asked == 0


def test_a_state_that_no_rollout_writes_is_refused(fleet):
    boards = fleet(2)
    boards.run()
    text = boards.path.read_text()
    for old, new in (
        ('"switched"', '"flying"'),
        (f'"{NEW}"', "null"),
        ('"b1"', '"b0"'),
        ('"done"', '"gone"'),
        ('"wave": 1', '"wave": 999999999'),
    ):
        boards.path.write_text(text.replace(old, new))
        with pytest.raises(DataError, match="rollout.json"):
            boards.run()


def test_a_state_with_other_boards_than_its_request_is_refused(fleet):
    boards = fleet(3, b2={"ill": True})
    boards.run()
    whole = boards.path.read_text()
    for edit in (
        lambda rows: rows[1].update(board="b7"),
        lambda rows: rows[1].update(device="elsewhere"),
        lambda rows: rows[1].update(wave=0),
        lambda rows: rows.pop(),
        lambda rows: rows.clear(),
    ):
        table = json.loads(whole)
        edit(table["boards"])
        boards.path.write_text(json.dumps(table))
        with pytest.raises(DataError, match="other boards than its rollout"):
            boards.run()


def test_a_second_rollout_of_the_same_state_is_refused(fleet):
    boards = fleet(1)
    with held(boards.path), pytest.raises(DataError, match="another rollout is under way"):
        boards.run()
    assert boards.run().exit_code == EXIT_DONE


def test_a_state_that_cannot_be_written_stops_it_before_a_switch(fleet, monkeypatch):
    boards = fleet(3)

    def full(path, table):
        if any(row["state"] == "switching" for row in table["boards"]):
            raise DataError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr("edgenet.fleets.rollout_file.write_json", full)
    with pytest.raises(DataError, match="No space left"):
        boards.run()
    assert all(fake.current == OLD for fake in boards.boards.values())


def test_nothing_to_roll_out_or_to_nobody(fleet, tmp_path):
    boards = fleet(2)
    with pytest.raises(LibraryError, match="no bundle is given"):
        boards.run(bundles=[])
    with pytest.raises(DataError, match="no rollout was begun"):
        boards.run(bundles=[], rollback=True)
    with pytest.raises(LibraryError, match="no boards"):
        fleet(0).run()


def test_the_state_lies_beside_the_fleet(tmp_path):
    assert state_file(tmp_path / "kitchen.toml") == tmp_path / "kitchen.rollout.json"
    with pytest.raises(Exception, match="nothing.toml"):
        rollout([BUNDLE], tmp_path / "nothing.toml")


BOARD = some.fixed_dictionaries(
    {
        "current": some.sampled_from([OLD, OLD, OLD, NEW, None]),
        "away": some.sampled_from([False, False, False, True]),
        "ill": some.sampled_from([False, False, False, True]),
        "cut": some.sampled_from(["", "", "", "before", "after", "refused"]),
    }
)


@settings(max_examples=30)
@given(
    some.lists(BOARD, min_size=1, max_size=5),
    some.lists(some.tuples(some.integers(1, 40), some.booleans()), max_size=4),
    some.fixed_dictionaries(
        {
            "max_failures": some.integers(0, 3),
            "rollback": some.booleans(),
            "skip_unreachable": some.booleans(),
            "canary": some.none() | some.integers(0, 3),
            "at_once": some.sampled_from([1, 1, 4]),
        }
    ),
)
def test_killed_anywhere_every_board_runs_the_old_or_the_new_build_and_the_file_knows(
    tmp_path_factory, given_boards, kills, options
):
    """Over random boards, limits and moments of the host's death: what the file says is true."""
    with pytest.MonkeyPatch.context() as patch:
        made = [FakeBoard(f"b{number}", **about) for number, about in enumerate(given_boards)]
        before = {fake.name: fake.current for fake in made}
        fleet = FakeFleet(made, tmp_path_factory.mktemp("rollout"), patch)
        for fleet.dies, fleet.torn in kills:
            before = _found_by(fleet, before)
            try:
                fleet.run(**options)
            except Killed:
                _file_knows(fleet, before)
            else:
                _agree(fleet, before)
        fleet.dies = 0
        for fake in made:
            fake.away, fake.ill, fake.cut = False, False, ""
        before = _found_by(fleet, before)
        if (found := fleet.run(**options)).phase == "rolled back":
            _agree(fleet, before)
            before = _found_by(fleet, before)
            found = fleet.run(**options)
        assert (found.phase, found.exit_code) == ("done", EXIT_DONE)
        assert all(fake.current == NEW for fake in made)
        switched = [list(fake.switched) for fake in made]
        assert fleet.run(**options).exit_code == EXIT_DONE
        assert switched == [fake.switched for fake in made], "run twice it does nothing"
        fleet.run(bundles=[], rollback=True)
        assert all(fake.current in (before[fake.name], NEW) for fake in made)
        assert all(fake.current is not None or before[fake.name] is None for fake in made)


def _found_by(fleet, before):
    """What the boards ran when the rollout that is in the file began; or the one that begins now."""
    anew = fleet.saved is None or fleet.saved.phase == "rolled back"
    return {fake.name: fake.current for fake in fleet.boards.values()} if anew else before


def _file_knows(fleet, before):
    """What runs the new build, and did not before, is known to be this rollout's, with what it ran."""
    rows = {} if fleet.saved is None else {row.board: row for row in fleet.saved.boards}
    for fake in fleet.boards.values():
        assert fake.current in (before[fake.name], NEW)
        if fake.current != before[fake.name]:
            row = rows[fake.name]
            assert row.state in (*OURS, "kept")
            assert row.before == before[fake.name]


def _agree(fleet, before):
    """A run that ended: states and boards are the same thing."""
    _file_knows(fleet, before)
    for row in fleet.saved.boards:
        current = fleet.boards[row.board].current
        if row.state in ("switched", "current", "kept"):
            assert current == NEW
        elif row.state in ("waiting", "failed", "unreachable", "returned"):
            assert current == before[row.board]
