"""The hosts of an ssh config, as ssh_config(5) says how it is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgenet.devices import ssh_config
from edgenet.devices.ssh_config import ssh_hosts

CONFIG = """
# Host commented
Host desk "lab pi" lab-pi   # the second is no name that ssh could be given
    HostName 10.0.0.5
host=jetson
\tHOST  orin other
Host * !not bastion-?
Match host matched
Include conf.d/* missing/*.conf
Host "open quote
HostKeyAlias no-host
"""


def config(folder: Path, text: str) -> Path:
    path = folder / "config"
    path.write_text(text)
    return path


def test_hosts_patterns_and_includes(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "b").write_text("Host from-b\n")
    (tmp_path / "conf.d" / "a").write_text("Host from-a\nInclude again\n")
    (tmp_path / "again").write_text("Include config\nHost deep\n")
    found = ssh_hosts(config(tmp_path, CONFIG))
    assert found == ["deep", "desk", "from-a", "from-b", "jetson", "lab-pi", "orin", "other"]


def test_what_cannot_be_read_has_no_hosts(tmp_path: Path) -> None:
    assert ssh_hosts(tmp_path / "none") == []
    assert ssh_hosts(tmp_path) == []
    os.mkfifo(tmp_path / "pipe")
    assert ssh_hosts(config(tmp_path, "Include pipe\nHost a\n")) == ["a"]


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_config, "MAX_BYTES", 1000)
    (tmp_path / "large").write_text("Host large\n" + "# x\n" * 1000)
    for number in range(200):
        (tmp_path / f"chain{number}").write_text(f"Host h{number:03}\nInclude chain{number + 1}\n")
    found = ssh_hosts(config(tmp_path, "Include large chain0\n"))
    assert found == [f"h{number:03}" for number in range(ssh_config.DEPTH)]
    wide = ssh_hosts(config(tmp_path, "Include chain*\n"))
    assert 0 < len(wide) <= ssh_config.MAX_FILES


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=200))
@example(text="~0")
@example(text="~a\0b")
def test_no_text_is_too_odd(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("ssh")
    path = folder / "config"
    path.write_bytes(f"Host {text}\nInclude {text}\n".encode("utf-8", "surrogatepass"))
    for name in ssh_hosts(path):
        assert name.strip() == name
        assert not name.startswith("-")
