"""An address with a secret in it reaches the browser by a file; test_demo_page.py opens it in a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenet.cli.shared import browser

URL = "http://127.0.0.1:1/#secret"


@pytest.fixture(autouse=True)
def launched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    paths: list[str] = []
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(browser.click, "launch", lambda path: paths.append(path) or 0)
    return paths


def test_the_file_lies_where_a_confined_browser_sees_it_and_goes_in_the_end(launched, tmp_path) -> None:
    with browser.Browser() as opener:
        assert opener.open(URL)
        path = Path(launched[0])
        assert path.parent.parent == tmp_path
        assert not path.parent.name.startswith(".")
        assert f'url={URL}"' in path.read_text()
        assert "secret" not in launched[0]
    assert list(tmp_path.iterdir()) == []


def test_an_address_stays_within_its_attribute(launched) -> None:
    with browser.Browser() as opener:
        assert opener.open(URL + '"><script>')
        assert "<script>" not in Path(launched[0]).read_text()


def test_without_a_browser_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser.click, "launch", lambda _: 1)
    with browser.Browser() as opener:
        assert not opener.open(URL)


def test_without_a_home_there_is_the_temporary_folder(launched, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "missing"))
    with browser.Browser() as opener:
        assert opener.open(URL)
        assert Path(launched[0]).exists()
    assert not Path(launched[0]).exists()
