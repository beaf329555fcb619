"""What runs on a board is what edgenet pinned, to the last bit, wherever it came from."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from edgenet.devices import digests, wheelhouse
from edgenet.devices import pins as shipped
from edgenet.devices.platform import Platform
from edgenet.devices.wheelhouse import fetch
from edgenet.errors import DeviceError, LibraryError
from edgenet.files import file_digest
from edgenet.library import Table
from tests.house.tree import PACKAGE

NAME = "tiny-1.0-py3-none-any.whl"
HERE = Platform("3.11", "x86_64", "2.36")


def wheel(folder: Path, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / NAME
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {
            "tiny.py": f"print({says!r})\n",
            "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
            "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "tiny-1.0.dist-info/RECORD": "",
        }.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    return path


def knows(monkeypatch: pytest.MonkeyPatch, known: dict[str, str]) -> None:
    """What edgenet has pinned."""
    for module in (digests, wheelhouse):
        monkeypatch.setattr(module, "known_digests", lambda: known)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes wheels from, and the digest of the good one among those that are known."""
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    good = file_digest(wheel(tmp_path / "index", "good"))
    knows(monkeypatch, {NAME: good})
    return tmp_path / "index"


def test_a_forged_wheel_is_never_used(index: Path, tmp_path: Path) -> None:
    """Same name, same version, from another index: what was fetched, sent and run before."""
    wheel(index, "forged")
    with pytest.raises(
        DeviceError, match=f"{re.escape(NAME)} has another sha256 than the wheel that edgenet"
    ):
        fetch(["tiny==1.0"], HERE)
    assert not list((tmp_path / "cache").rglob("*.whl")), "nothing of it is kept"


def test_a_wheel_that_nobody_pinned_is_refused(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    knows(monkeypatch, {})
    with pytest.raises(DeviceError, match=r"tiny==1\.0: no sha256 of it is known: it is not used"):
        fetch(["tiny==1.0"], HERE)


def test_of_two_indexes_the_one_with_the_right_wheel_serves(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a forged wheel, or a newer build of it, beside the true one: pip is told what it must be."""
    true, other = tmp_path / "true" / "tiny", tmp_path / "other"
    true.mkdir(parents=True)
    good = wheel(true, "good")
    line = f'<a href="{NAME}#sha256={file_digest(good)}">{NAME}</a>'
    (true / "index.html").write_text(line, encoding="utf-8")
    wheel(other, "forged")
    wheel(other, "forged").rename(other / "tiny-1.0-9-py3-none-any.whl")
    wheel(other, "forged")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(other))
    monkeypatch.setenv("PIP_INDEX_URL", true.parent.as_uri())
    (found,) = fetch(["tiny==1.0"], HERE)
    assert found.read_bytes() == good.read_bytes()


def test_what_pip_kept_of_a_forged_wheel_does_not_last(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time pip's own cache is left out."""
    asked, told, run = [], [], subprocess.run

    def running(command: list[str], **options: object) -> object:
        asked.append("--no-cache-dir" in command)
        wheel(index, "good" if asked[-1] else "forged")
        return run(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", running)
    fetch(["tiny==1.0"], HERE, tell=lambda what, name: told.append((what, name)))
    assert asked == [False, True]
    assert told == [("of another sha256 than the pinned one, fetched again:", NAME)]


@pytest.mark.parametrize("damage", ["forged", "cut"])
def test_the_cache_is_not_believed_either(index: Path, damage: str) -> None:
    (kept,) = fetch(["tiny==1.0"], HERE)
    good = kept.read_bytes()
    kept.chmod(0o600)
    if damage == "cut":
        kept.write_bytes(good[:-1])
    else:
        wheel(kept.parent, "forged")
    with pytest.raises(DeviceError, match=r"another sha256.*run this again without offline=True"):
        fetch(["tiny==1.0"], HERE, offline=True)
    kept.parent.mkdir()
    kept.write_bytes(good[:-1])
    told = []
    (again,) = fetch(["tiny==1.0"], HERE, tell=lambda what, name: told.append((what, name)))
    assert again.read_bytes() == good
    assert told == [("changed in the cache, fetched again:", NAME)]


def test_a_cache_that_is_whole_needs_no_network(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fetch(["tiny==1.0"], HERE)
    monkeypatch.setattr(wheelhouse, "_download", lambda *_: pytest.fail("the network was used"))
    assert fetch(["tiny==1.0"], HERE) == first


def test_a_key_of_the_pins_that_nobody_reads_is_refused() -> None:
    row = {"python": ["3.11"], "machines": ["x86_64"], "glibc": "2.28", "wheels": ["a==1"]}
    with pytest.raises(LibraryError, match="does not know 'machine': did you mean 'machines'"):
        shipped._row(Table({**row, "machine": "x86_64"}, "pins.toml"))


def pins() -> list[tuple[str, str, str, str]]:
    """(project, version, Python tag, machine) of every pin that ships."""
    table = tomllib.loads((PACKAGE / "devices" / "pins.toml").read_text(encoding="utf-8"))
    return sorted({
        (*item.split("=="), f"cp{python.replace('.', '')}", machine)
        for listed in table.values()
        for pin in listed
        for item in pin["wheels"]
        for python in pin["python"]
        for machine in pin["machines"]
    })  # fmt: skip


@pytest.mark.parametrize("pin", pins(), ids=" ".join)
def test_every_pin_that_ships_has_its_digests(pin: tuple[str, str, str, str]) -> None:
    project, version, tag, machine = pin
    name = project.replace("-", "[-_]")
    python = rf"(?:{tag}|py3|py2\.py3)"
    fits = re.compile(rf"(?i){name}-{re.escape(version)}-{python}-\w+-[\w.]*(?:{machine}|any)\.whl\Z")
    assert any(fits.match(item) for item in digests.known_digests()), f"run make wheel-digests: {pin}"


def test_the_file_is_what_sha256sum_reads_and_the_tool_writes() -> None:
    text = (PACKAGE / "devices" / digests.FILE).read_text(encoding="ascii")
    assert digests.digest_lines(digests.known_digests()) == text


def test_boards_of_one_kind_share_one_download(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask at once, pip runs once, and all get the same files."""
    runs, download = [], wheelhouse.download

    def counted(*asked: Any) -> str | None:
        runs.append(asked)
        return download(*asked)

    monkeypatch.setattr(wheelhouse, "download", counted)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: fetch(["tiny==1.0"], HERE), range(8)))
    assert len(runs) == 1
    assert all(paths == found[0] and paths[0].name == NAME for paths in found)
