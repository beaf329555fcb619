"""A report in a real browser: for everyone, on a phone, without a script, and what it gives away."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenet.report import Report
from edgenet.views.fleet_page import fleet_document
from edgenet.views.page import page as page_of
from tests.axe import violations
from tests.e2e.test_sweep_page import CHROMIUM, EVIL, column, sync_api
from tests.fleets.made import board, fleet
from tests.reports import DRIFT, report
from tests.views.test_fleet_page import old

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium (Debian: apt install chromium)")

PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNg"
    "YGD4DwABBAEAX+XDSwAAAABJRU5ErkJggg=="
)
NAMES = ["cat", "dog", EVIL, "a class whose name is long and has " + "W" * 60]
WORST = [
    {"file": f"{EVIL}.jpg", "max_abs": 0.5, "answer": 3, "reference": 3, "thumbnail": PNG, "label": "cat"},
    {"file": "changed.jpg", "max_abs": 0.25, "answer": 3, "reference": 4, "thumbnail": PNG},
]
FULL: dict[str, Any] = {
    **DRIFT,
    "classes": 4,
    "by_class": [
        {"name": name, "images": 50, "accuracy": 0.5 + at / 10, "accuracy_reference": 0.75}
        for at, name in enumerate(NAMES)
    ],
    "mistakes": [
        {"label": "cat", "answer": name, "images": 9 - at, "images_reference": 4, "of_images": 50}
        for at, name in enumerate(NAMES[1:])
    ],
    "matrix": {"names": NAMES, "board": [[40, 5, 3, 2]] * 4, "reference": [[41, 4, 3, 2]] * 4},
    "worst": WORST,
}
LAYERS = [
    {"name": "in", "node": "in", "op": "Conv", "ms": 0.25, "sqnr_db": 40.0, "share": 0.25, "reads": []},
    {"name": EVIL, "node": EVIL, "op": "Conv", "ms": 0.5, "sqnr_db": 20.0, "share": 0.5, "reads": ["in"]},
    {"name": "sum", "node": "sum", "op": "Add", "ms": 0.25, "share": 0.25, "reads": [EVIL, "in"]},
]
NOISY = {"state": "NOISY", "reasons": [f"other programs kept 1.00 of a core busy, {EVIL}"], "limits": []}


def build(p50: float, backend: str, precision: str, **changes: Any) -> Report:
    own = {**report().bundle.to_table(), "backend": backend, "precision": precision}
    return report(p50, int(8 * p50), **{"bundle": own, **changes})


# With all that a page can show.
ONE = [build(2.0, "tflite", "int8", drift=FULL, layers=LAYERS)]
FOUR = [
    build(4.0, "onnxruntime", "fp32", drift=FULL, layers=LAYERS, verdict=NOISY),
    build(3.0, "onnxruntime", "int8"),
    build(3.5, "tflite", "fp32"),
    build(2.0, "tflite", "int8", verdict={"state": "EMULATED", "reasons": ["qemu"], "limits": []}),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Name → address of a page."""
    folder: Path = tmp_path_factory.mktemp("pages")
    for name, reports in (("one", ONE), ("four", FOUR)):
        (folder / f"{name}.html").write_text(page_of(reports), encoding="utf-8")
    lost = board(EVIL, reason=EVIL, remedy=EVIL, tags=(EVIL,))
    first, second, *_, hot, _, _, cellar, shelf = fleet().boards
    made = fleet([first, second, hot, cellar, shelf, lost])
    (folder / "fleet.html").write_text(fleet_document(made, old()).page, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in ("one", "four", "fleet")}


def opened(browser: Any, address: str, width: int = 1280, **how: Any) -> Any:
    found = browser.new_context(viewport={"width": width, "height": 900}, **how).new_page()
    found.told = told = []
    found.on("pageerror", lambda error: told.append(str(error)))
    found.on("console", lambda message: told.append(message.text))
    found.on("request", lambda request: told.append(request.url))
    found.goto(address)
    return found


@pytest.mark.parametrize("name", ["one", "four", "fleet"])
def test_nobody_is_left_out_and_nothing_is_fetched_or_run(
    browser: Any, files: dict[str, str], name: str
) -> None:
    page = opened(browser, files[name])
    assert [item for item in page.told if not item.startswith("data:")] == [files[name]]
    assert page.title() != "run"
    assert violations(page) == []


def test_what_is_wrong_in_the_dark_alone_is_found(browser: Any) -> None:
    """The helper itself: a page that is fine by day, and unreadable by night."""
    page = browser.new_page()
    style = "@media (prefers-color-scheme: dark) { body { background: #000; color: #111 } }"
    page.set_content(
        f"<html lang=en><title>t</title><style>{style}</style><main><h1>a</h1><details><summary>s</summary>"
        "<p>folded</p></details></main>"
    )
    found = violations(page)
    assert found
    assert all(line.startswith("dark: color-contrast") for line in found)
    assert any("<p>folded</p>" in line for line in found)
    assert page.locator("details[open]").count() == 0


OUTSIDE = """width => [...document.querySelectorAll("main *")].filter(item => {
  const box = item.getBoundingClientRect();
  return box.width > 2 && box.right > width + 0.5 && !item.closest(".hidden");
}).map(item => item.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("name", ["one", "four", "fleet"])
def test_on_a_phone_nothing_is_hidden_to_the_right(browser: Any, files: dict[str, str], name: str) -> None:
    page = opened(browser, files[name], 390)
    page.evaluate("() => document.querySelectorAll('details').forEach(item => { item.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate(OUTSIDE, 390) == []
    if name == "four":
        cards = page.locator(".overview tbody tr")
        assert cards.count() == 4
        first, second = (cards.nth(at).bounding_box() for at in (0, 1))
        assert first["y"] + first["height"] <= second["y"], "one card below the other"
        assert first["width"] > 300
        head = cards.nth(0).locator("td").first.evaluate("cell => getComputedStyle(cell, '::before').content")
        assert head == '"artifact MB"'


def test_tables_sort_and_words_stay_words(browser: Any, files: dict[str, str]) -> None:
    page = opened(browser, files["four"])
    head = page.locator(".overview thead th", has=page.get_by_role("button", name="p50 ms", exact=True))
    builds = ["onnxruntime fp32", "onnxruntime int8", "tflite fp32", "tflite int8"]
    assert column(page, "build", ".overview") == builds
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, "build", ".overview") == [builds[at] for at in (1, 2, 0, 3)], "without a time last"
    page.get_by_role("button", name="build", exact=True).first.press("Enter")
    assert column(page, "build", ".overview") == builds
    page = opened(browser, files["one"])
    classes = "table:has(caption:text-matches('Accuracy of each class'))"
    page.locator(classes).get_by_role("button", name="board", exact=True).click()
    assert column(page, "board", classes) == ["50.0 %", "60.0 %", "70.0 %", "80.0 %"]
    page.locator(classes).get_by_role("button", name="board", exact=True).click()
    assert column(page, "board", classes) == ["80.0 %", "70.0 %", "60.0 %", "50.0 %"]


def test_without_a_script_all_is_read_and_no_button_is_dead(browser: Any, files: dict[str, str]) -> None:
    page = opened(browser, files["one"], java_script_enabled=False)
    assert page.locator("button").count() == 0
    text = page.locator("main").inner_text()
    for words in ("meets 24 FPS (5.2×)", "Class by class", "What is taken for what", "changed.jpg"):
        assert words in text
    assert text.index("changed.jpg") < text.index(f"{EVIL}.jpg"), "changed answers come first"
    assert page.locator(".network tbody tr").count() == 3
    assert page.locator(".matrix td.right").all_inner_texts() == ["40 −1", "5 +1", "3", "2"]


def test_a_report_and_its_figures_can_be_taken_away(
    browser: Any, files: dict[str, str], tmp_path: Path
) -> None:
    page = opened(browser, files["one"])
    for name in ("JSON", "CSV"):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=name).click()
        waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    again = Report.load(tmp_path / "m.tflite.int8.json")
    assert again.latency_ms.p50 == ONE[0].latency_ms.p50
    assert again.drift.matrix == ONE[0].drift.matrix  # type: ignore[attr-defined]
    assert again.layers == ONE[0].layers
    (row,) = csv.DictReader(io.StringIO((tmp_path / "edgenet.csv").read_text()))
    assert row["backend"] == "tflite"
    assert row["date"] == "2023-11-14T22:13:20+00:00"


def test_a_fleets_boards_are_sorted_filtered_and_opened(browser: Any, files: dict[str, str]) -> None:
    page = opened(browser, files["fleet"])
    page.get_by_role("button", name="FPS model", exact=True).first.click()
    assert [text[:4] for text in column(page, "FPS model", "#boards")] == ["32.3", "50.0", "50.0"]
    page.get_by_role("button", name="board", exact=True).first.click()
    links = page.locator("#boards tbody th a")
    assert links.all_inner_texts() == ["kitchen-0", "kitchen-1", "kitchen-hot"]
    field = page.get_by_role("searchbox", name="Show those with")
    field.fill("Outlier kitchen")
    shown = page.locator("#boards tbody tr:visible")
    assert shown.count() == 1
    assert page.locator(".filter output").inner_text() == "1 of 3"
    link = shown.locator("th a")
    assert link.inner_text() == "kitchen-hot"
    link.click()
    assert page.evaluate("document.querySelector('details:target').open")
    field.fill("")
    assert shown.count() == 3
    without = opened(browser, files["fleet"], java_script_enabled=False)
    assert without.locator("input").count() == 0
    assert "no route to host" in without.locator("main").inner_text()
