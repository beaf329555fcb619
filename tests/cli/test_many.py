"""One command on many boards: whose they are, what is shown of each, retries, and the exit code of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgenet.bundle import Bundle
from edgenet.cli.main import _run
from edgenet.fleet_report import FleetReport
from edgenet.model import Model
from edgenet.steps.compile import compile

FAR = "pi@kitchen"


@pytest.fixture(scope="module")
def built(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    return compile(model, "local", "onnxruntime", "fp32").write(folder / "b.edgenet")


@pytest.fixture
def boards(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet of three homes on this machine, of which one is given as what it is not."""
    monkeypatch.delenv("EDGENET_DEVICE", raising=False)
    monkeypatch.delenv("EDGENET_FLEET", raising=False)
    return fleet(tmp_path, a="", b='tags = ["kitchen"]', c='target = "jetson-nano"')


def fleet(folder: Path, **more: str) -> Path:
    path = folder / "boards.toml"
    path.write_text(
        "".join(
            f'[boards.{name}]\ndevice = "local"\nhome = "{folder / "homes" / name}"\n{text}\n'
            for name, text in more.items()
        )
    )
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    code = _run([str(argument) for argument in arguments])
    return code, *capsys.readouterr()


def rows(text: str) -> dict[str, dict[str, Any]]:
    return {row["board"]: row for row in json.loads(text)["boards"]}


def test_deploy_does_what_it_can_and_retries_the_rest(
    capsys: pytest.CaptureFixture[str], boards: Path, built: Path
) -> None:
    command = ("deploy", built, "--fleet", boards)
    code, out, err = run(capsys, *command, "--json")
    found = rows(out)
    assert code == 4
    assert [(row["state"], row["exit_code"]) for row in found.values()] == [
        ("done", 0),
        ("done", 0),
        ("failed", 1),
    ]
    assert found["a"]["result"]["changed"]
    assert found["a"]["result"]["digest"] == Bundle.load(built).digest
    assert found["c"]["result"] is None
    assert "Jetson Nano (jetson-nano)" in found["c"]["reason"]
    assert "edgenet: a: done" in err
    assert "edgenet: c: is given as" in err
    assert "--retry" in err

    assert list(rows(run(capsys, *command, "--retry", "--json")[1])) == ["c"]
    code, _, _ = run(capsys, *command, "--limit", "tag=kitchen", "-q")
    assert code == 0, "a run that leaves c out does not make it done"
    fleet(boards.parent, a="", b="", c="")
    code, out, _ = run(capsys, *command, "--retry")
    assert code == 0
    assert out.splitlines()[-1].split()[:2] == ["c", "done"]
    code, out, err = run(capsys, *command, "--retry", "--json")
    assert (code, rows(out)) == (0, {})
    assert "nothing to retry" in err


def test_two_names_of_one_machine_are_refused_once_both_answered(
    capsys: pytest.CaptureFixture[str], boards: Path, tmp_path: Path
) -> None:
    (tmp_path / "homes").mkdir()
    (tmp_path / "homes" / "b").symlink_to(tmp_path / "homes" / "a")
    (tmp_path / "homes" / "a").mkdir()
    code, out, _ = run(capsys, "probe", "--fleet", fleet(tmp_path, a="", b=""), "--json", "--at-once", 1)
    found = rows(out)
    assert code == 4
    assert found["a"]["result"]["target"]["target"] == "local"
    assert found["b"]["reason"] == "b and a are one machine, with one home of edgenet's"


def test_doctor_names_what_a_board_is_not(capsys: pytest.CaptureFixture[str], boards: Path) -> None:
    code, out, _ = run(capsys, "doctor", "--fleet", boards, "--backend", "onnxruntime", "--json")
    found = rows(out)
    assert code == 4
    assert (found["a"]["exit_code"], found["c"]["exit_code"]) == (0, 1)
    assert found["c"]["reason"].startswith("board: c is given as Jetson Nano (jetson-nano), and ")
    assert found["c"]["result"]["conditions"][0]["name"] == "reach"


def test_where_no_board_is_reached_the_exit_code_says_so(
    capsys: pytest.CaptureFixture[str], boards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGENET_SSH", "false")
    code, out, err = run(capsys, "probe", "--device", FAR, "--device", "pi@roof")
    assert code == 3
    assert "unreachable" in out
    assert err.count("edgenet: pi@roof: ") == 3, "begun, ended, and why"


def test_profile_writes_a_fleet_report_and_limits_gate(
    capsys: pytest.CaptureFixture[str], boards: Path, built: Path, tmp_path: Path
) -> None:
    run(capsys, "deploy", built, "--fleet", boards, "--limit", "a", "-q")
    command = ("profile", built, "--fleet", boards, "--limit", "a,b", "--protocol", "quick", "--min-fps", 1e9)
    code, out, err = run(capsys, *command, "-o", tmp_path / "fleet.json", "--json")
    found = FleetReport.load(tmp_path / "fleet.json")
    assert code == 4
    assert json.loads(out) == json.loads((tmp_path / "fleet.json").read_text())
    assert [(row.board, row.state, row.exit_code) for row in found.boards] == [
        ("a", "over the limit", 4),
        ("b", "failed", 1),
    ]
    assert found.boards[0].report is not None
    assert found.boards[0].report.fps.model > 0
    assert "asked for at least 1e+09: MISSED" in str(found.boards[0].reason)
    assert "b: has no deployment of tiny.onnxruntime.fp32" in err


def test_one_board_is_as_before_and_may_have_another_home(
    capsys: pytest.CaptureFixture[str], boards: Path, built: Path, tmp_path: Path
) -> None:
    code, out, _ = run(capsys, "deploy", built, "--board-home", tmp_path / "other", "--json")
    assert code == 0
    assert json.loads(out)["device"] == "local"
    assert (tmp_path / "other" / "agent").is_dir()
    assert not (tmp_path / "edgenet-home").exists()
    assert json.loads(run(capsys, "probe", "--board-home", tmp_path / "other", "--json")[1])["cores"] > 0
    with_demo = ("demo", built, "--board-home", tmp_path / "demo", "--no-page", "--duration", 0.3, "--json")
    assert run(capsys, *with_demo, "--source", "synthetic")[0] == 0
    assert (tmp_path / "demo" / "agent").is_dir()


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "words"),
    [
        (("--device", "local", "--fleet", "{fleet}"), {}, 2, "--device and --fleet both say which boards"),
        ((), {"EDGENET_DEVICE": "local", "EDGENET_FLEET": "{fleet}"}, 2, "give one of them"),
        (("--limit", "a"), {}, 2, "--limit chooses of a fleet"),
        (("--retry",), {}, 2, "--retry chooses of several boards"),
        (("--device", "local", "--device", "local"), {}, 1, "local is in it twice"),
        (("--fleet", "{fleet}", "--limit", "d"), {}, 1, "no board has name 'd'"),
        (("--fleet", "{fleet}", "--retry"), {}, 1, "is remembered"),
        (("--fleet", "{fleet}", "--all"), {}, 2, "--all is for one board"),
        (("--fleet", "nothing.toml"), {}, 2, "does not exist"),
        (("--board-home", "here"), {}, 1, "is not the full path"),
    ],
)
def test_what_contradicts_itself_is_refused(
    capsys: pytest.CaptureFixture[str],
    boards: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    environment: dict[str, str],
    code: int,
    words: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(fleet=boards))
    got, out, err = run(capsys, "probe", *(word.format(fleet=boards) for word in arguments))
    assert (got, out) == (code, "")
    assert words in err


def test_what_is_typed_goes_before_the_environment(
    capsys: pytest.CaptureFixture[str], boards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGENET_DEVICE", FAR)
    code, out, _ = run(capsys, "probe", "--fleet", boards, "--limit", "a", "--json")
    assert (code, list(rows(out))) == (0, ["a"])
    monkeypatch.setenv("EDGENET_FLEET", str(boards))
    code, out, _ = run(capsys, "probe", "--device", "local", "--json")
    assert (code, "boards" in json.loads(out)) == (0, False)


def test_boards_with_one_reason_are_named_together(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reason begins with its board's name, which the line has already."""
    monkeypatch.delenv("EDGENET_DEVICE", raising=False)
    code, _, err = run(capsys, "rollback", "--fleet", fleet(tmp_path, a="", b=""))
    assert code == 4
    assert "edgenet: a, b: there is no earlier deployment on the board; deploy a bundle\n" in err
