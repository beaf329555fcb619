"""Commands that people paste, and those they name, in two systems' words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet import shell
from edgenet.shell import command_line, split_line

LETTERS = st.characters(codec="ascii", exclude_characters='"', exclude_categories=("Cc",))
NAMES = st.text(LETTERS, min_size=1)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "os", SimpleNamespace(name="nt"))


@given(st.lists(st.text(min_size=0), min_size=1))
def test_what_is_written_is_read_again(command: list[str]) -> None:
    assert split_line(command_line(command)) == command


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("command", "line"),
    [
        (["edgenet", "deploy", r"C:\models\a.edgenet"], r"edgenet deploy C:\models\a.edgenet"),
        (["edgenet", "deploy", r"C:\My models\a.edgenet"], r'edgenet deploy "C:\My models\a.edgenet"'),
        (["edgenet", "deploy", "a(1).edgenet"], 'edgenet deploy "a(1).edgenet"'),
        ([r"'C:\O'Brien\ssh.exe", "-v"], "\"'C:\\O'Brien\\ssh.exe\" -v"),
        (["edgenet", "a,b", "@c", "pi@d", ""], 'edgenet "a,b" "@c" pi@d ""'),  # PowerShell: an array, a splat
    ],
)
def test_windows_has_double_quotes_alone(command: list[str], line: str) -> None:
    assert command_line(command) == line
    assert split_line(line) == command


@pytest.mark.usefixtures("windows")
def test_quotes_within_a_word_and_open_ones() -> None:
    assert split_line(r'C:\"Program Files"\ssh.exe  -v') == [r"C:\Program Files\ssh.exe", "-v"]
    assert split_line(r"'C:\O'Brien\ssh.exe") == [r"'C:\O'Brien\ssh.exe"]
    with pytest.raises(ValueError, match="quotation"):
        split_line('ssh "-v')


def test_windows_reads_what_it_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "os", SimpleNamespace(name="nt"))

    @given(st.lists(NAMES, min_size=1))
    def holds(command: list[str]) -> None:
        assert split_line(command_line(command)) == command

    holds()
