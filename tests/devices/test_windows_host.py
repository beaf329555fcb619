"""What is different on a host with Windows, by doubles of ``os.name``: nothing of it was run there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgenet import shell
from edgenet.board import Board
from edgenet.devices import local, process
from edgenet.devices.local import LocalConnection
from edgenet.devices.process import PipedProcess
from edgenet.devices.ssh import ssh_command
from edgenet.errors import ConnectionFailed
from edgenet.live.source import source_order


def windows(monkeypatch: pytest.MonkeyPatch, module: object) -> None:
    monkeypatch.setattr(module, "os", SimpleNamespace(name="nt", environ=os.environ))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"C:\Windows\System32\OpenSSH\ssh.exe", [r"C:\Windows\System32\OpenSSH\ssh.exe"]),
        (r'"C:\Program Files\Git\usr\bin\ssh.exe" -v', [r"C:\Program Files\Git\usr\bin\ssh.exe", "-v"]),
    ],
)
def test_a_backslash_of_a_path_stays(monkeypatch: pytest.MonkeyPatch, text: str, words: list[str]) -> None:
    monkeypatch.setenv("EDGENET_SSH", text)
    windows(monkeypatch, shell)
    assert ssh_command("pi@board", ["sh"], interactive=True)[: len(words) + 1] == [*words, "-T"]


def test_this_machine_is_no_board_there(monkeypatch: pytest.MonkeyPatch) -> None:
    windows(monkeypatch, local)
    with pytest.raises(ConnectionFailed, match=r'runs Windows.*device="user@host".*WSL'):
        LocalConnection(Board("local")).start("0" * 64, 1)


def test_ctrl_c_is_not_for_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has no signal that is ignored by who is started; another group of processes gets none."""
    asked: dict[str, object] = {}

    def popen(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        asked.update(options)
        options.pop("creationflags")
        return real(command, **options)

    real = subprocess.Popen
    monkeypatch.setattr(process, "_OWN_GROUP", 0x200)
    monkeypatch.setattr(process.subprocess, "Popen", popen)
    PipedProcess([sys.executable, "-c", ""]).close()
    assert asked["creationflags"] == 0x200


def test_a_drive_is_no_scheme_of_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / r"C:\clip.mp4").write_bytes(b"")
    assert source_order(r"C:\clip.mp4", "local").order["kind"] == "video"
