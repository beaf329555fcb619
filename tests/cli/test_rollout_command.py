"""``edgenet rollout``: tables and JSON, exit codes, what comes next, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgenet.board import Board
from edgenet.cli.main import _run
from edgenet.fleets.rollout_file import saved_rollout
from edgenet.steps.deploy import deploy
from tests.fleets.faults import local_boards, null_bundle, null_file, runs

OLD, NEW = null_bundle("old"), null_bundle("new")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, list[Board]]:
    """A bundle, a fleet of three boards whose last one is away, and the boards."""
    bundle, fleet, boards = tmp_path / "new.edgenet", tmp_path / "boards.toml", local_boards(tmp_path, 3)
    bundle.write_bytes(null_file("new"))
    away = 'python = "/no/python"\n'
    tables = (f'[boards.{board.name}]\ndevice = "local"\nhome = "{board.home}"\n' for board in boards)
    fleet.write_text("".join(tables) + away)
    return bundle, fleet, boards


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = _run(["rollout", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_from_the_dry_run_to_the_way_back(files, capsys):
    bundle, fleet, boards = files
    code, out, err = run(capsys, bundle, "--fleet", fleet, "--dry-run")
    assert (code, runs(boards[0])) == (4, None)
    assert out.splitlines()[-1] == (
        "planned, nothing was done: 0 of 3 boards run the new build; 2 waiting, 1 unreachable"
    )
    assert "edgenet: b2: cannot run /no/python" in err
    code, out, err = run(capsys, bundle, "--fleet", fleet, "--skip-unreachable", "--waves", "100")
    assert code == 4
    assert "wave 1 of 2 (canaries): 1 switched" in out
    assert "wave 2 of 2: 1 switched, 1 unreachable" in out
    assert out.splitlines()[-1] == "done: 2 of 3 boards run the new build; 2 switched, 1 unreachable"
    assert "FPS" not in out, "nothing was measured"
    code, out, err = run(capsys, bundle, "--fleet", fleet, "--limit", "b2,b1", "--limit", "!b0")
    assert f"next: edgenet rollout {bundle} --fleet {fleet} --limit b2,b1 --limit " in err
    code, out, err = run(capsys, bundle, "--fleet", fleet, "--limit", "!b2", "--json")
    found = json.loads(out)
    assert (code, found["phase"], found["exit_code"]) == (0, "done", 0)
    assert [row["state"] for row in found["boards"]] == ["current", "current"]
    assert Path(found["file"]) == fleet.with_name("boards.rollout.json")


def test_taking_back_needs_no_bundle(files, capsys):
    bundle, fleet, boards = files
    for board in boards[:2]:
        deploy(OLD, board)
    only = ("--fleet", fleet, "--limit", "!b2")
    code, _, err = run(capsys, bundle, *only)
    assert (code, [runs(board) for board in boards[:2]]) == (0, [NEW.digest] * 2)
    assert "--rollback   # takes it back" in err
    code, out, _ = run(capsys, *only, "--rollback")
    assert (code, [runs(board) for board in boards[:2]]) == (0, [OLD.digest] * 2)
    assert out.splitlines()[-1] == "rolled back: 0 of 2 boards run the new build; 2 returned"


def test_a_device_is_no_fleet_file_of_that_name_and_what_comes_next_names_the_same_board(
    files, capsys, monkeypatch, tmp_path
):
    (tmp_path / "local").write_text("a file of the device's name")
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, files[0], "--device", "local", "--board-home", files[2][0].home)
    assert code == 0
    assert f"rollout --device local --board-home {files[2][0].home} --rollback" in err
    assert (tmp_path / "boards.rollout.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Missing argument"),
        (("{bundle}", "--waves", "10,x"), "not numbers with commas"),
        (("{bundle}", "--retry"), "No such option"),
        (("{bundle}", "--max-failures", "-1"), "Invalid value"),
        (("{bundle}", "--index", "ftp://there"), "EDGENET_INDEX, is not the address of one"),
    ],
)
def test_wrong_usage_is_2(files, capsys, arguments, words):
    code, _, err = run(capsys, *(item.format(bundle=files[0]) for item in arguments))
    assert code == 2
    assert words in err


@pytest.mark.skipif(os.name == "nt", reason="no agent runs there")
def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(files, tmp_path):
    bundle, fleet, boards = files
    deploy(OLD, boards[0])
    began = tmp_path / "began"
    words = [sys.executable, "-m", "edgenet", "rollout", str(bundle), "--fleet", str(fleet), "--limit", "b0"]
    command = [*words, "--check", f"touch {began}; sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 60
        while not began.exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "boards.rollout.json tells how far it is; the same command goes on" in err
    assert runs(boards[0]) == OLD.digest
    saved = saved_rollout(tmp_path / "boards.rollout.json")
    assert saved is not None
    assert (saved.phase, saved.boards[0].state) == ("running", "waiting")
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    assert runs(boards[0]) == NEW.digest
