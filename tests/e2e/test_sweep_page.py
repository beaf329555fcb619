"""A sweep's page in a real browser: its table sorts, its marks lead to their rows, nothing foreign runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgenet.views.sweep_page import sweep_page
from tests.axe import violations
from tests.sweeps.made import sweep

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (Debian: apt install chromium)")

EVIL = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">"

# One row is as the other.
HIDE = "hide => document.querySelectorAll('#cells tr:nth-child(n+20)').forEach(row => { row.hidden = hide; })"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, list[str]]]:
    """The page, and all that it asked for or complained of."""
    made = sweep()
    cells = (replace(made.cells[0], model=EVIL, reason=EVIL), *made.cells[1:])
    path: Path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(sweep_page(replace(made, cells=cells, notes=(EVIL,))), encoding="utf-8")
    told: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("console", lambda message: told.append(message.text))
        page.on("request", lambda request: told.append(request.url))
        page.goto(path.as_uri())
        yield page, told
        browser.close()


def column(page: Any, name: str, table: str = "#cells") -> list[str]:
    """The texts of a column, from above."""
    heads = [text.strip(" ▲▼") for text in page.locator(f"{table} thead th").all_inner_texts()]
    return page.eval_on_selector_all(
        f"{table} tbody tr", f"rows => rows.map(row => row.cells[{heads.index(name)}].textContent)"
    )


def figures(texts: list[str]) -> list[float]:
    return [float(re.match(r"[\d.]+", text)[0]) for text in texts if text]  # type: ignore[index]


def test_a_head_sorts_up_then_down_and_cells_without_a_value_stay_last(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    head = page.locator("#cells th", has=page.get_by_role("button", name="FPS", exact=True))
    for turn, sort in (("ascending", False), ("descending", True)):
        head.locator("button").click()
        texts = column(page, "FPS")
        assert figures(texts) == sorted(figures(texts), reverse=sort)
        assert texts[0] != ""
        assert texts[-1] == ""
        assert head.get_attribute("aria-sort") == turn
        assert page.locator("#cells th[aria-sort$=ending]").count() == 1
    assert len(texts) == 180


def test_words_sort_by_the_keyboard(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.get_by_role("button", name="build", exact=True).focus()
    page.keyboard.press("Enter")
    builds = column(page, "build")
    assert builds == sorted(builds)
    assert len(set(builds)) == 4


def test_a_mark_leads_to_its_row(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.locator(".scatter a", has=page.locator(".ring")).first.click()
    assert page.evaluate("document.querySelector('tr:target th').textContent") == "V3-Large 1.0 at 224"


def test_it_asked_for_nothing_and_nothing_foreign_ran(opened: tuple[Any, list[str]]) -> None:
    page, told = opened
    assert page.title() == "The most accurate network at 24 FPS · edgenet"
    assert EVIL in page.locator("#cells").inner_text()
    assert [item for item in told if not item.startswith("file://")] == []
    assert len(told) == 1


def test_nobody_is_left_out(opened: tuple[Any, list[str]]) -> None:
    page, _ = opened
    page.evaluate(HIDE, True)
    assert violations(page) == []
    page.evaluate(HIDE, False)


@pytest.mark.parametrize("width", [400, 900])
def test_it_fits_a_narrow_screen(opened: tuple[Any, list[str]], width: int) -> None:
    page, _ = opened
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == width
