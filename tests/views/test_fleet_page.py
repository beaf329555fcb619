"""A fleet's page: small, inert, needs nothing else; outliers are told with what differs, and what changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import pytest

from edgenet.fleet_report import OVER_LIMIT, FleetReport
from edgenet.views import fleet_page
from edgenet.views.fleet_columns import columns
from edgenet.views.fleet_kinds import kinds
from edgenet.views.fleet_page import FleetDocument, fleet_document
from edgenet.views.fleet_rows import FleetMatrix, matrix_of
from edgenet.views.script import script
from tests.fleets.made import board, fleet, one
from tests.reports import CAMERA, DRIFT
from tests.views.test_views import EVIL, read

LONG = "W" * 3_000


@pytest.fixture(scope="module")
def made() -> FleetDocument:
    return fleet_document(fleet())


def test_a_page_needs_nothing_else(made: FleetDocument) -> None:
    page = read(made.page)
    assert not {"link", "iframe", "object", "embed"} & set(page.tags)
    assert page.tags.count("script") == 1
    assert f"script-src 'sha256-{script().digest}'" in made.page
    data = ("data:text/csv;", "data:application/json;")
    assert all(item.startswith(("#", *data)) for item in page.fetched)
    assert {item[1:] for item in page.fetched if item.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "url(" not in made.page
    assert not made.beside


def test_every_board_is_there_with_its_report_or_its_reason(made: FleetDocument) -> None:
    text = "".join(read(made.page).words)
    for item in fleet().boards:
        assert item.board in text
        assert item.device in text
    for told in ("8", "of 10 boards", "1 failed, 1 unreachable", "the card is full", "edgenet prune --keep 1",
                 "no route to host", "switch it on", "7 of 8", "2 kinds"):  # fmt: skip
        assert told in " ".join(text.split()), told
    assert made.page.count('<details class="report"') == 8


def table(found: FleetMatrix) -> dict[str, dict[str, str]]:
    """Board → head → the mark there."""
    heads = [head.name for head in found.heads][1:]
    return {
        name: {
            head: cell.mark.words
            for head, cell in zip(heads, row.cells, strict=True)
            if cell.mark is not None
        }
        for name, row in found.rows.items()
    }


def test_an_outlier_is_marked_among_its_own_kind_and_its_facts_are_told() -> None:
    found = matrix_of(fleet())
    marks = table(found)
    assert {name for name, own in marks.items() if own} == {"kitchen-hot"}
    assert set(marks["kitchen-hot"]) == {"FPS pipeline", "FPS model", "p99 ms", "hottest °C"}
    assert marks["kitchen-hot"]["FPS model"] == "35 % below"
    assert marks["kitchen-hot"]["hottest °C"] == "27.0 °C above"
    words = found.rows["kitchen-hot"].cells[-1].text
    assert "outlier of kind A: THROTTLED, " in words
    assert "82 °C at most, the others 55" in words
    assert "governor powersave, of the others performance" in words
    assert all(mark.worse for mark in found.standings["kitchen-hot"].marks.values())


def test_kinds_are_what_decides_the_figures() -> None:
    same = [board("a", one()), board("b", one(seed=1))]
    other = [
        one(facts={"python": "3.13.0"}),
        one(facts={"clock_max_mhz": 1500}),
        one(target="raspberry-pi-5"),
        one(bundle={**one().bundle.to_table(), "precision": "fp32"}),
        one(pipeline_ms=CAMERA),
        one(verdict={"state": "EMULATED", "reasons": [], "limits": []}),
    ]
    found = kinds(fleet([*same, *(board(f"o{at}", item) for at, item in enumerate(other))]))
    assert [len(kind.boards) for kind in found] == [2, 1, 1, 1, 1, 1, 1]
    assert found[0].letter + found[6].letter == "AG"
    assert found[0].words == "raspberry-pi-4 · tflite int8 · Python 3.11 · 1800 MHz"
    assert found[6].words.endswith("· emulated")


def test_another_runtime_is_told() -> None:
    others = [board(f"b{at}", one(20 + at / 50, at)) for at in range(5)]
    odd = board("odd", one(30.0, 7, facts={"runtimes": {"tflite": "2.9.0"}, "kernel": "5.10"}))
    words = matrix_of(fleet([*others, odd])).rows["odd"].cells[-1].text
    assert (
        words == "outlier of kind A: runtime 2.9.0, of the others 2.14.0, kernel 5.10, of the others 6.6.31"
    )
    plain = matrix_of(fleet([*others, board("odd", one(30.0, 7))])).rows["odd"].cells[-1].text
    assert plain == "outlier of kind A: no fact that the boards told differs"


def test_drift_on_other_images_is_not_compared() -> None:
    far = {**DRIFT, "top1_delta_pp": -5.0}
    boards = [board(f"b{at}", one(seed=at)) for at in range(5)]
    assert table(matrix_of(fleet([*boards, board("x", one(drift=far))])))["x"] == {
        "drift pp": "4.50 pp below"
    }
    elsewhere = one(drift={**far, "images": 99})
    assert table(matrix_of(fleet([*boards, board("x", elsewhere)])))["x"] == {}


def test_what_no_board_has_is_no_column() -> None:
    blind = {**DRIFT, "labelled": False, "top1": None, "top1_delta_pp": None, "interval_pp": None}
    heads = [item.metric.key for item in columns([one(drift=blind), one(drift=blind)])]
    assert heads == [
        "fps_pipeline", "fps_model", "p99_ms", "peak_mb", "agreement_percent", "temperature_c"
    ]  # fmt: skip
    assert [item.metric.key for item in columns([])] == []


def test_limits_that_do_not_hold_are_told() -> None:
    limit = {"name": "FPS", "kind": "at least", "limit": 24, "value": 12.5, "passed": False}
    late = one(verdict={"state": "VALID", "reasons": [], "limits": [limit]})
    cells = matrix_of(fleet([board("a", late, state=OVER_LIMIT, exit_code=4)])).rows["a"].cells
    assert cells[-2].text == "VALID, over the limit"
    assert cells[-1].text == "FPS 12.50, asked for at least 24: MISSED"


def old() -> FleetReport:
    noisy = {"state": "NOISY", "reasons": ["others"], "limits": []}
    return fleet(
        [
            board("kitchen-0", one(22.0, 50)),
            board("kitchen-1", one(18.0, 51)),
            board("kitchen-2", one(20.04, 52)),
            board("kitchen-3", one(30.0, 53, verdict=noisy)),
            board("kitchen-4", one(30.0, 54, bundle={**one().bundle.to_table(), "model_digest": "y" * 64})),
            board("shelf", one()),
            board("attic", one()),
        ],
        at=1.74e9,
    )


def test_what_changed_since_is_told_as_far_as_samples_tell() -> None:
    found = matrix_of(fleet(), old())
    since = found.since
    assert since is not None
    first = since.boards["kitchen-0"].shifts["fps_model"]
    assert (first.words, first.arrow, first.better) == ("+10.0 %", "up", True)
    assert first.edges is not None
    assert first.edges[0] < first.by < first.edges[1]
    second = since.boards["kitchen-1"].shifts["fps_pipeline"]
    assert (second.arrow, second.better) == ("down", False)
    for name in ("kitchen-2", "kitchen-3"):
        assert since.boards[name].shifts["fps_model"].arrow == ""
    assert since.boards["kitchen-3"].notes == ["verdict was NOISY"]
    assert since.boards["kitchen-4"].notes == ["another model than before: nothing is compared"]
    assert since.boards["shelf"].notes == ["was done"]
    assert since.boards["kitchen-0"].shifts["peak_mb"].arrow == "", "a single figure has no interval"
    assert (since.faster, since.slower, since.compared) == (1, 1, 4)
    assert list(since.gone) == ["attic"]
    assert "hall-0" in since.new
    assert "cellar" in since.new
    text = " ".join("".join(read(fleet_document(fleet(), old()).page).words).split())
    assert "Since 2025-02-19 21:20 UTC" in text
    assert "4 boards with figures in both runs: 1 faster, 1 slower, 2 not told apart" in text
    assert "Gone: attic" in text


def test_drift_changed_where_the_intervals_do_not_meet() -> None:
    worse = {**DRIFT, "top1_delta_pp": -4.0, "interval_pp": [-5.0, -3.0]}
    since = matrix_of(fleet([board("a", one(drift=worse))]), fleet([board("a", one())])).since
    assert since is not None
    shift = since.boards["a"].shifts["drift_pp"]
    assert (shift.words, shift.arrow, shift.better) == ("-3.50 pp", "down", False)
    other = matrix_of(
        fleet([board("a", one(drift={**worse, "images": 9}))]), fleet([board("a", one())])
    ).since
    assert other is not None
    assert "drift_pp" not in other.boards["a"].shifts


def many(count: int, **changes: Any) -> FleetReport:
    return fleet([board(f"b{at}", one(20 + at / 100, at, **changes)) for at in range(count)])


def test_reports_too_large_for_one_page_lie_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_page, "MOST", 20_000)
    boards = [board(name, one(runs=30)) for name in ("a b/../c", "a b/../d", EVIL)]
    found = fleet_document(fleet(boards), folder="x y.boards")
    assert len(found.beside) == 3
    assert all(re.fullmatch(r"x y\.boards/[0-9]{2}-[\w-]+\.html", path) for path in found.beside)
    links = [item for item in read(found.page).fetched if not item.startswith(("#", "data:"))]
    assert sorted(map(unquote, links)) == sorted(found.beside)
    assert all(text.startswith("<!doctype html>") for text in found.beside.values())
    alone = fleet_document(fleet(boards))
    assert not alone.beside
    assert "writes each as a page of its own beside it" in alone.page


def test_fifty_boards_stay_small_whatever_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_page, "page", lambda reports: "its page")
    noisy = {"state": LONG, "reasons": [LONG] * 9, "limits": []}
    one_of = one(verdict=noisy, facts={"board": LONG, "python": LONG})
    boards = [board(f"{at}{LONG}", one_of, device=LONG, tags=(LONG,) * 20) for at in range(50)]
    boards += [board(f"lost{at}", reason=LONG, remedy=LONG, tags=(LONG,) * 20) for at in range(50)]
    found = fleet_document(fleet(boards), fleet(boards), "x")
    assert len(found.page.encode()) < 3_000_000
    assert len(found.beside) == 50


def test_foreign_text_is_inert() -> None:
    evil = one(
        target=EVIL, governor=EVIL, facts=dict.fromkeys(("board", "python", "os", "kernel", "cpu"), EVIL),
        bundle={**one().bundle.to_table(), "model": EVIL, "backend": EVIL},
        verdict={"state": EVIL, "reasons": [EVIL], "notes": [EVIL], "limits": []}, p50=40.0,
    )  # fmt: skip
    rest = [board(f"b{at}", one(seed=at, target=EVIL)) for at in range(5)]
    boards = [*rest, board(EVIL, evil, device=EVIL, tags=(EVIL,))]
    boards += [board(f"{EVIL}2", reason=EVIL, remedy=EVIL, tags=(EVIL,))]
    html = fleet_document(fleet(boards), fleet([*rest, board("gone" + EVIL, one())])).page
    assert "<script>alert" not in html
    assert read(html).tags.count("script") == 1
    assert EVIL in "".join(read(html).words)


@pytest.mark.parametrize("boards", [[], [board("a")], [board("a", one())]])
def test_few_boards_are_no_error(boards: Sequence[Any]) -> None:
    page = fleet_document(fleet(boards), fleet([])).page
    assert f"on {len(boards)} board" in page
    assert "stand out" in page


def test_an_emulated_board_shows_no_speed() -> None:
    quiet = one(987.0, verdict={"state": "EMULATED", "reasons": ["qemu"], "limits": []})
    cells = matrix_of(fleet([board("a", quiet)])).rows["a"].cells
    assert [cell.text for cell in cells][:4] == ["A", "60.0", "-0.50", "55.0"]
