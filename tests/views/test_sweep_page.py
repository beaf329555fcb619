"""A sweep's page: the answers first, every kind told, foreign text inert, nothing fetched, and small."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from edgenet.swept import Answer, CellAccuracy, CellDrift, CellFps, Sweep
from edgenet.views.script import script
from edgenet.views.sweep_charts import legend
from edgenet.views.sweep_page import sweep_page
from tests.sweeps.made import sweep

EVIL = '<script>alert("x")</script>\u202e</title><svg onload=alert(1)>&"\'|'
LONG = "x" * 16_000


class Reader(HTMLParser):
    """What a browser would run or fetch, the ids, the rows of the table, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        for name, value in attrs:
            assert not name.startswith("on"), f"{name} runs code"
            assert name not in ("src", "action", "data"), f"{name} fetches"
            if name in ("href", "xlink:href"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def read(made: Sweep) -> Reader:
    reader = Reader()
    reader.feed(sweep_page(made))
    return reader


def with_cells(made: Sweep, **changes: Any) -> Sweep:
    """The same sweep with all of its cells changed."""
    return replace(made, cells=tuple(replace(cell, **changes) for cell in made.cells))


def test_a_page_needs_nothing_else() -> None:
    made = sweep()
    page, html = read(made), sweep_page(made)
    assert not {"link", "iframe", "object", "embed", "img"} & set(page.tags)
    assert page.tags.count("script") == 1
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "url(" not in html
    assert "@import" not in html


def test_only_its_own_script_may_run() -> None:
    html = sweep_page(sweep())
    (own,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert own == script().text
    digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in html


def test_the_answers_come_first() -> None:
    made = sweep()
    text = read(made).text
    for answer in made.answers:
        assert answer.sentence in text
        assert text.index(answer.sentence) < text.index("Speed against accuracy")
    assert (
        text.index("Speed against accuracy") < text.index("Every cell") < text.index("What the search saved")
    )


def test_every_cell_has_its_row_with_its_kinds() -> None:
    made = sweep()
    rows = [[cell.strip() for cell in row] for row in read(made).rows]
    body = [row for row in rows if len(row) > 10][1:]
    assert len(body) == len(made.cells) == 180
    heads = next(row for row in rows if "FPS" in row)
    at = {head: index for index, head in enumerate(heads)}
    assert body[0][at["network"]] == "V3-Large 1.0 at 224"
    assert body[0][at["rank"]] == "answer"
    assert body[0][at["FPS"]] == "34.4 (33.9 to 34.9)"
    assert body[0][at["top-1 %"]] == "74.8"
    assert body[0][at["top-1 known by"]] == "published 75.2 %"
    assert body[0][at["drift"]] == "−0.4 ± 0.5 pp expected"
    states = {row[at["state"]] for row in body}
    assert states == {
        "sustained",
        "sustained, THROTTLED",
        "screened",
        "skipped",
        "failed",
        "pending",
        "EMULATED",
    }
    failed = next(row for row in body if row[at["state"]] == "failed")
    assert failed[at["reason"]].startswith("onnxruntime stopped")


def test_an_emulated_board_shows_no_speed() -> None:
    """Even where its file has some."""
    fast = CellFps(model=987.0, pipeline=876.0, interval=(865.0, 887.0))
    made = with_cells(sweep(("emulated",)), fps=fast, p99_ms=765.0)
    html = sweep_page(made)
    assert "EMULATED: a simulation has no speed, so nothing is drawn." in html
    assert "60 EMULATED (no speed)" in html
    for hidden in ("987", "876", "865", "765"):
        assert hidden not in re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)


def test_foreign_text_is_inert() -> None:
    made = sweep(("pi4",), notes=(EVIL,), plan={"name": EVIL, EVIL: [EVIL], "deep": {EVIL: EVIL}}, tool=EVIL)
    made = with_cells(made, model=EVIL, family=EVIL, precision=EVIL, backend=EVIL, reason=EVIL)
    made = replace(
        made, measure=EVIL, frame=EVIL, boards={"pi4": {"board": EVIL, "os": EVIL}},
        answers=(Answer(device="pi4", board=EVIL, fps_line=24.0, key=made.answers[0].key, sentence=EVIL),),
    )  # fmt: skip
    html, page = sweep_page(made), read(made)
    assert "<script>alert" not in html
    assert page.tags.count("script") == 1
    assert page.tags.count("title") == 1 + sum(cell.fps.decides is not None for cell in made.cells)
    assert "\u202e" not in html
    assert '<script>alert("x")</script>' in page.text


def test_drawings_are_described_and_well_formed() -> None:
    found = [
        ElementTree.fromstring(item)
        for item in re.findall(r'<svg class="scatter".*?</svg>', sweep_page(sweep()), re.DOTALL)
    ]
    assert len(found) == 2
    for item in found:
        assert item.get("role") == "group", "it holds links"
        assert "V3-Large 1.0 at 224" in item.get("aria-label", "")


def test_five_hundred_cells_are_below_two_megabytes() -> None:
    """Whatever their names and reasons are."""
    cells = sweep(("pi4",)).cells
    long: dict[str, Any] = {
        "model": LONG, "family": LONG, "reason": LONG, "precision": LONG, "backend": LONG, "state": LONG,
        "verdict": LONG, "top1": CellAccuracy(value=0.5, kind=LONG, source=LONG),
        "drift": CellDrift(kind=LONG, delta_pp=1.0, interval_pp=(0.0, 2.0), images=None, source=LONG),
    }  # fmt: skip
    many = tuple(replace(cells[i % len(cells)], key=str(i), **long) for i in range(500))
    html = sweep_page(sweep(("pi4",), cells=many, notes=(LONG,) * 100, plan={LONG: LONG}))
    assert len(html.encode()) < 2_000_000
    plain = tuple(replace(cells[i % len(cells)], key=str(i)) for i in range(500))
    assert len(sweep_page(sweep(("pi4",), cells=plain)).encode()) < 500_000


@pytest.mark.parametrize(
    "changes",
    [
        {"cells": (), "answers": (), "saved": (), "boards": {}, "notes": (), "plan": {}, "tool": None},
        {"cells": ()},
        {"answers": ()},
        {"boards": {}},
    ],
)
def test_what_is_not_there_is_no_error(changes: dict[str, Any]) -> None:
    assert "<h1>The most accurate network at 24 FPS</h1>" in sweep_page(sweep(**changes))


def test_a_cell_without_accuracy_is_not_drawn_but_listed() -> None:
    made = with_cells(sweep(("pi4",)), top1=None, drift=None)
    html = sweep_page(made)
    assert "No cell has both a speed and a known top-1." in html
    assert "60 not known" in html
    assert html.count('<tr id="cell-') == 60


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ["v1", "v2", "v3-large", "v3-small"]),
        ({"alpha": None}, ["like v1", "like v2", "like v3-large", "like v3-small"]),
        ({"family": "v1"}, []),
        ({"family": None}, []),
    ],
)
def test_colors_are_told_where_there_are_several(changes: dict[str, Any], told: list[str]) -> None:
    words = [item for _, item in legend(with_cells(sweep(("pi4",)), **changes))]
    assert words[: words.index("fp32")] == told


def test_what_was_measured_elsewhere_is_told_with_its_source() -> None:
    text = read(sweep()).text
    assert "Accuracy published: the paper, table 8" in text
    assert "Drift expected: edgenet, int8-accurate, 1,000 images each of v1-1.0-224" in text
    assert "Raspberry Pi 4 Model B Rev 1.5: measured for 8 min; 6 of 60 cells were decided" in text


def test_boards_that_call_themselves_alike_are_told_apart() -> None:
    made = sweep(("pi4", "pi5"))
    same = tuple(replace(answer, board="a board") for answer in made.answers)
    assert "a board (pi5)" in sweep_page(replace(made, answers=same))


def test_a_cell_of_an_unknown_state_is_shown_last() -> None:
    made = sweep(("pi4",))
    odd = replace(made.cells[0], key="odd", state="melted", fps=CellFps(), top1=None, drift=None)
    html = sweep_page(replace(made, cells=(odd, *made.cells)))
    assert "melted" in html[html.index('id="cell-61"') :]
