"""What a run tells: nothing but results, the usual, or everything; and what a failed one leaves behind."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from edgenet.cli import main as command
from edgenet.cli.shared import journal
from edgenet.cli.shared.journal import Journal
from edgenet.log import log
from tests.cli.test_cli import run
from tests.conftest import CHEAP


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where logs go, and nothing is yet."""
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "logs"


def build(model_file: Path, photos: Path, tmp_path: Path) -> tuple[Any, ...]:
    how = ("--target", "local", "--precision", "int8", "--recipe", CHEAP, "--calibration", photos)
    return ("compile", model_file, *how, "-o", tmp_path / "b.edgenet")


def test_quiet_usual_and_verbose(
    capsys: pytest.CaptureFixture[str], logs: Path, model_file: Path, photos: Path, tmp_path: Path
) -> None:
    words = build(model_file, photos, tmp_path)
    code, text, err = run(capsys, *words, "-q")
    assert (code, err) == (0, "")
    assert "b.edgenet" in text
    _, same, err = run(capsys, *words)
    assert "edgenet: preparing the graph\n" in err
    assert "next: edgenet deploy" in err
    assert "cache:" not in err
    for verbose in ((*words, "--verbose"), ("-v", *words)):
        code, text, err = run(capsys, *verbose)
        assert code == 0
        assert text == same, "results are the same, however loud"
        assert "preparing the graph: took" in err
        assert "cache: quantized" in err
    assert not logs.exists(), "only a failure leaves a log"


def test_quiet_and_verbose_together_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("-q", "targets", "-v"), ("targets", "-qv")):
        code, out, err = run(capsys, *words)
        assert (code, out) == (2, "")
        assert "contradict" in err
    assert run(capsys, "targets")[2].startswith("next: "), "the next run is as loud as usual"


def test_a_failure_names_its_log(capsys: pytest.CaptureFixture[str], logs: Path, tmp_path: Path) -> None:
    code, _, err = run(capsys, "compile", tmp_path / "none.onnx", "--target", "local", "-q")
    assert code == 1
    reason, where = err.splitlines()
    assert "cannot be read" in reason
    path = Path(where.removeprefix("edgenet: log: "))
    assert path.parent == logs
    assert path.stat().st_mode & 0o077 == 0, "nobody else reads it"
    text = path.read_text()
    assert text.splitlines()[1] == f"edgenet compile {tmp_path / 'none.onnx'} --target local -q"
    assert "Traceback" in text
    assert "ModelError" in text.splitlines()[-1]


def test_the_ssh_command_and_what_ssh_said_are_in_the_log(
    capsys: pytest.CaptureFixture[str], logs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "ssh"
    fake.write_text("#!/bin/sh\necho 'kex_exchange_identification: odd' >&2\nexit 255\n")
    fake.chmod(0o755)
    monkeypatch.setenv("EDGENET_SSH", str(fake))
    assert run(capsys, "probe", "--device", "pi@desk")[0] == 3
    (path,) = logs.iterdir()
    text = path.read_text()
    assert f"run: {fake} -T -o ConnectTimeout=10" in text
    assert "-- pi@desk sh" in text
    assert "ssh: kex_exchange_identification: odd" in text
    assert "ssh ended with exit status 255" in text


def test_a_bug_is_one_line_and_its_traceback_is_in_the_log(
    capsys: pytest.CaptureFixture[str], logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import edgenet.steps.probe

    def broken(device: str, progress: object) -> None:
        raise KeyError("odd\x1b[2J")

    monkeypatch.setattr(edgenet.steps.probe, "probe", broken)
    code, out, err = run(capsys, "probe")
    assert (code, out) == (1, "")
    assert err.splitlines()[0].startswith("edgenet: this is a bug in edgenet (KeyError: ")
    assert "Traceback" not in err
    assert "\x1b" not in err
    (path,) = logs.iterdir()
    assert "in broken" in path.read_text()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "not enough memory"),
        (
            ModuleNotFoundError("No module named 'onnx'", name="onnx"),
            "does not load (No module named 'onnx')",
        ),
        (OSError(28, "No space left on device"), "the system refused ([Errno 28] No space left on device)"),
        (ModuleNotFoundError("No module named 'edgenet.x'", name="edgenet.x"), "a bug in edgenet"),
        (RecursionError("too deep"), "a bug in edgenet (RecursionError: too deep)"),
    ],
)
def test_only_our_bugs_are_called_so(
    error: Exception,
    said: str,
    capsys: pytest.CaptureFixture[str],
    logs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import edgenet.steps.probe

    def broken(device: str, progress: object) -> None:
        raise error

    monkeypatch.setattr(edgenet.steps.probe, "probe", broken)
    code, _, err = run(capsys, "probe")
    assert code == 1
    assert said in err
    assert ("a bug in edgenet" in err) == ("a bug in edgenet" in said)


def test_without_a_place_for_it_there_is_no_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "file" / "cache"))
    code, _, err = run(capsys, "inspect", tmp_path / "none.onnx")
    assert code == 1
    assert len(err.splitlines()) == 1


def test_logs_are_bounded_and_old_ones_go(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "FIRST", 3)
    logs.mkdir(parents=True)
    for number in range(30):
        (logs / f"20200101-0000{number:02}-1.log").touch()
    with Journal(["x"]) as kept:
        for number in range(journal.LAST + 10):
            log.debug("line %d %s", number, "y" * 10_000)
        path = kept.save(ValueError("end"))
    assert path is not None
    lines = path.read_text().splitlines()
    assert max(map(len, lines)) < journal.LONGEST + 20
    assert any("lines left out" in line for line in lines)
    assert "line 0" in lines[2]
    assert lines[-1] == "ValueError: end"
    assert len(list(logs.iterdir())) == journal.KEPT
    log.debug("when the run is over, nothing is kept")
    assert "over" not in path.read_text()


def test_a_thread_that_fails_prints_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, logs: Path
) -> None:
    monkeypatch.setattr(threading, "excepthook", command._of_a_thread)
    with Journal([]) as kept:
        thread = threading.Thread(target=[].__getitem__, args=(1,), name="reader")
        thread.start()
        thread.join()
        path = kept.save(ValueError("end"))
    assert capsys.readouterr().err == ""
    assert path is not None
    assert "reader ended with IndexError" in path.read_text()
