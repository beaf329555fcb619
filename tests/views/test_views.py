"""What people see of reports: the figures are the report's, foreign text stays text, nothing is fetched."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from edgenet.cli.shared.tables import verdict_rows
from edgenet.cli.shared.terminal import sparkline
from edgenet.errors import ReportError
from edgenet.report import Report
from edgenet.steps.report import load_reports, present
from edgenet.views.bars import bars
from edgenet.views.charts import _axis
from edgenet.views.comparison import names, table
from edgenet.views.script import script
from tests.reports import DRIFT, report

EVIL = '<script>alert("x")</script>&"\'|'
LAYERS = [
    {"name": "Conv1", "op": "Conv", "ms": 0.5, "sqnr_db": 40.0},
    {"name": EVIL, "op": "Conv", "ms": 1.5, "sqnr_db": 20.0},
]


def float_report() -> Report:
    other = report(4.0, 1)
    drift = {**DRIFT, "top1": 0.705, "top1_delta_pp": 0.0, "agreement": 1.0}
    return report(
        4.0, 1, bundle={**other.bundle.to_table(), "precision": "fp32", "size_bytes": 900_000}, drift=drift
    )


class Reader(HTMLParser):
    """Collects what a browser would fetch or run, the ids, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"{name} runs code"
            if name in ("src", "href", "xlink:href", "action", "data"):
                self.fetched.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def svgs(html: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(item) for item in re.findall(r"<svg .*?</svg>", html, re.DOTALL)]


@pytest.mark.parametrize("count", [1, 3])
def test_a_page_needs_nothing_else(count: int) -> None:
    html = present([report(layers=LAYERS), float_report(), report(3.0, 2)][:count])
    page = read(html)
    assert not {"link", "iframe", "object", "embed"} & set(page.tags)
    assert page.tags.count("script") == 1
    assert f"<script>{script().text}</script>" in html, "and that one is ours"
    assert f"script-src 'sha256-{script().digest}';" in html
    data = tuple(f"data:{kind}" for kind in ("image/png;base64,", "text/csv;", "application/json;"))
    assert all(item.startswith(("#", *data)) for item in page.fetched)
    assert "url(" not in html
    assert "@import" not in html
    assert len(page.ids) == len(set(page.ids))
    targets = [item[1:] for item in page.fetched if item.startswith("#")]
    assert set(targets) <= set(page.ids)


def test_half_a_million_samples_stay_small() -> None:
    html = present([report(0.5, runs=500_000), report(0.6, 1, runs=500_000)])
    assert len(html.encode()) < 300_000


def test_foreign_text_stays_text() -> None:
    worst = [{"file": EVIL, "max_abs": 1.0, "answer": 1, "reference": 2, "thumbnail": "javascript:alert(1)"}]
    first = report()
    evil = report(
        bundle={**first.bundle.to_table(), "model": EVIL},
        device={"name": EVIL, "target": EVIL, "facts": {"board": EVIL, "clock_s": "soon"}},
        layers=LAYERS,
        drift={**DRIFT, "worst": worst},
        verdict={"state": "NOISY", "reasons": [EVIL], "limits": []},
    )
    html = present([evil])
    assert html.count("<script") == 1
    assert "javascript:" not in html
    assert EVIL in "".join(read(html).words)
    text = present([evil], "md")
    assert "<script" not in text
    assert len({line.count("|") - line.count("\\|") for line in text.splitlines() if line[:1] == "|"}) == 1
    assert next(csv.DictReader(io.StringIO(present([evil], "csv"))))["model"] == EVIL


def test_every_chart_is_described_and_well_formed() -> None:
    found = svgs(present([report(layers=LAYERS), float_report()]))
    told = [item for item in found if item.get("aria-hidden") != "true"]
    assert len(told) >= 10
    for item in told:
        assert item.get("role") == "img" or "scatter" in item.get("class", "")
        assert len(item.get("aria-label", "")) > 10


def titles(svg: str) -> list[str]:
    return [item.text or "" for item in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}title")]


def test_bars_are_as_long_as_their_values() -> None:
    svg = bars(["a", "b", "c"], [1.0, 0.0, 4.0], "ms", "says it all")
    rects = [float(item.get("width", 0)) for item in ElementTree.fromstring(svg).iter("rect")]
    assert rects[0] == pytest.approx(rects[2] / 4, rel=0.01)
    assert rects[1] == 0
    assert "<title>c 4 ms</title>" in svg


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.0), (3.0, 3.0), (-1.0, 2.0), (0.26, 8.6), (1e-6, 2e-6)])
def test_axes_cover_their_values(low: float, high: float) -> None:
    marks = _axis(low, high)["x_labels"]
    assert 2 <= len(marks) <= 9
    assert marks[0] <= low
    assert marks[-1] >= high - 1e-12


def test_the_best_of_a_column_is_marked() -> None:
    columns, rows = table([report(), float_report()])
    marked = {name: row for row in (0, 1) for name, (_, best) in zip(columns, rows[row], strict=True) if best}
    assert marked["p50 ms"] == 0
    assert marked["artifact MB"] == 0
    assert marked["top-1 %"] == 1
    assert "peak MB" not in marked, "equal figures have no best"
    assert "J/frame" not in columns, "nobody measured it"
    noisy = report(verdict={"state": "NOISY", "reasons": ["r"], "limits": []})
    columns, rows = table([noisy, float_report()])
    marked = {name for row in rows for name, (_, best) in zip(columns, row, strict=True) if best}
    assert "top-1 %" in marked
    assert "p50 ms" not in marked, "a disturbed run's time is no best"


def test_names_tell_reports_apart() -> None:
    other = report(device={"name": "pi", "target": "t", "facts": {}})
    assert names([report(), float_report()]) == ["tflite int8", "tflite fp32"]
    assert names([report(), other]) == ["tflite int8 · local", "tflite int8 · pi"]
    assert names([report(), report()]) == ["tflite int8 #1", "tflite int8 #2"]


def test_an_emulated_board_shows_no_speed() -> None:
    emulated = report(verdict={"state": "EMULATED", "reasons": ["r"], "limits": []})
    for form in ("html", "md", "csv"):
        text = present([emulated], form)
        assert "500.0" not in text
        assert "2.00" not in text.replace("0.00", "")
    assert "An emulated board has no speed" in present([emulated])
    layers = [{"name": "Conv1", "op": "Conv", "ms": 7.125, "share": 1.0, "gmac_s": 3.3, "sqnr_db": 40.0}]
    about = {"method": "m", "summary": "The fastest run takes 7.25 ms."}
    html = present([Report.from_table({**emulated.to_table(), "layers": layers, "layer_facts": about})])
    assert "Conv1" in html
    assert "40" in html
    for hidden in ("7.125", "7.25", "GMAC/s", "image to label", "99 % of runs within", "24 FPS"):
        assert hidden not in html


def test_markdown_is_exactly_this() -> None:
    limits = [{"name": "pipeline FPS", "limit": 24.0, "value": 20.0, "passed": False}]
    noisy = report(verdict={"state": "NOISY", "reasons": ["why"], "limits": limits})
    assert present([noisy], "md").splitlines() == [
        "### m",
        "",
        "| build | artifact MB | p50 ms | p99 ms | FPS model | FPS pipeline | peak MB | top-1 % | drift pp"
        " | agree % | verdict |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
        f"| tflite int8 | 0.50 | {noisy.latency_ms.p50:.3f} | {noisy.latency_ms.p99:.3f}"
        " | 500.0 | 125.0 | 60.0 | 70.0 | -0.50 | 99.0 | NOISY |",
        "",
        "- tflite int8 is NOISY: why",
        "- tflite int8: drift -0.50 pp, 95 % interval -1.25 to 0.25 pp on 200 images",
        "- tflite int8: **pipeline FPS 20.00, asked for 24: EXCEEDED**",
    ]


def test_csv_rounds_and_has_a_date() -> None:
    first = report()
    (row,) = csv.DictReader(io.StringIO(present([first], "csv")))
    assert row["p50_ms"] == f"{first.latency_ms.p50:.3f}".rstrip("0")
    assert row["joules_per_frame"] == ""
    assert row["date"] == "2023-11-14T22:13:20+00:00"
    (small,) = csv.DictReader(io.StringIO(present([report(0.07654, runs=1)], "csv")))
    assert len(small["p50_ms"]) <= 6, "no 17 digits, and of a small figure three that count"
    for wrong in (9e18, 86400.0, True, "now"):
        timeless = report(device={"name": "pi", "target": "t", "facts": {"clock_s": wrong}})
        assert next(csv.DictReader(io.StringIO(present([timeless], "csv"))))["date"] == ""


def test_a_page_of_several_days_names_the_first_and_the_last() -> None:
    def at(seconds: float) -> Report:
        return report(device={"name": "pi", "target": "t", "facts": {"clock_s": seconds}})

    assert "2 builds · pi · 2023-11-14 to 2023-11-16" in present([at(1.7e9 + 2 * 86400), at(1.7e9)])
    assert "2 builds · pi · 2023-11-14 22:13 UTC" in present([at(1.7e9), at(1.7e9 + 60)])


def test_different_models_need_the_same_labelled_images() -> None:
    other = report(bundle={**report().bundle.to_table(), "model_digest": "y", "model": "other"})
    assert len(load_reports([report(), other])) == 2
    blind = report(bundle=other.bundle.to_table(), drift={**DRIFT, "labelled": False, "top1": None})
    with pytest.raises(ReportError, match=r"different models \(m, other\)"):
        load_reports([report(), blind])


def test_different_tasks_are_not_compared() -> None:
    """Not even where nothing is known of model and images."""
    bundle = {**report().bundle.to_table(), "model_digest": None}
    unknown = ("rank1", "rank1_reference", "rank1_delta_pp", "auc", "auc_reference")
    embedding = {**DRIFT, "task": "embedding", "labelled": False, "interval_pp": None, "mcnemar_p": None,
                 "cosine_median": 1.0, **dict.fromkeys(unknown)}  # fmt: skip
    other = report(bundle=bundle, drift={key: embedding[key] for key in embedding if "top" not in key})
    with pytest.raises(ReportError, match=r"different tasks \(classification, embedding\)"):
        load_reports([report(bundle=bundle), other])


MORE = {
    "threads": {
        "tried": [
            {"threads": 1, "on": "1 × Cortex-A76", "cores": [4], "p50": 8.0, "fps": 125.0},
            {"threads": 4, "on": "4 × Cortex-A76", "cores": [4, 5, 6, 7], "p50": 2.5, "fps": 400.0},
        ],
        "best": 4,
    },
    "sustained": {
        "curve": [[15.0, 50.0], [30.0, 36.0], [45.0, 35.0], [60.0, 35.0]],
        "first_fps": 50.0, "settled_fps": 35.0, "ratio": 0.7, "settled_after_s": 30.0,
    },
    "cold_start": {
        "runs": [
            {"total_ms": ms, "start_ms": 60.0, "import_ms": ms - 100.0, "load_ms": 30.0, "first_run_ms": 10.0}
            for ms in (900.0, 400.0, 500.0)
        ],
        "first_ms": 900.0, "p50_ms": 450.0, "max_ms": 500.0,
    },
}  # fmt: skip


def test_the_terminal_tells_what_only_a_protocol_measures() -> None:
    lines = [
        f"{name:12} {text}"
        for name, text in verdict_rows(
            report(more=MORE, memory_mb={"import": 20.0, "peak": 60.0, "arena": None})
        )
    ]
    assert "memory       import 20.0, peak 60.0 MB" in lines
    tried = "1 thread on 1 × Cortex-A76 8 ms; 4 threads on 4 × Cortex-A76 2.5 ms"
    assert f"threads      {tried}: 4 the fewest within 2 % of the fastest" in lines
    assert "sustained    model: 50 FPS at first, settled at 35 (70.0 %), steady after 30 s" in lines
    assert "cold start   450 ms (start 60, import 400, load 30, first run 10), the first 900 ms" in lines
    emulated = {"state": "EMULATED", "reasons": ["r"], "limits": []}
    assert not [
        line
        for line in [f"{name:12} {text}" for name, text in verdict_rows(report(more=MORE, verdict=emulated))]
        if "FPS" in line
    ]


def test_the_page_tells_what_only_a_protocol_measures() -> None:
    html = present([report(more=MORE, memory_mb={"peak": 60.0, "arena": None, "arena_absent": "of A"})])
    assert "The fewest within 2 % of the fastest: 4 threads on 4 × Cortex-A76." in html
    assert "It settled at 35 FPS, 70.0 % of the first 15 s." in html
    assert "A fresh process answers after 450 ms, the first 900." in html
    assert "The arena is not known: of A." in html


def test_a_page_without_a_pipeline_leads_with_the_network() -> None:
    words = " ".join(" ".join(read(present([report(pipeline_ms=None, fps={"model": 500.0})])).words).split())
    assert "network alone 500.0 FPS meets 24 FPS (21×) image to label: not measured" in words


@pytest.mark.parametrize("longest", [1, 24, 25, 500])
def test_bars_names_and_values_are_within_the_drawing(longest: int) -> None:
    root = ElementTree.fromstring(bars([longest * "w", "b"], [123456.0, 2.0], "ms", "s"))
    for item in root.iter("rect"):
        assert float(item.get("x", "")) + float(item.get("width", "")) <= 460 - 70
    assert max(float(item.get("width", "")) for item in root.iter("rect")) > 80
    for item in root.iter("text"):
        width = 6.6 * len(item.text or "")
        x = (
            float(item.get("x", ""))
            - {"start": 0, "middle": width / 2, "end": width}[item.get("text-anchor", "")]
        )
        assert -1 <= x <= x + width <= 461


def test_an_emulated_board_keeps_no_best_from_being_marked() -> None:
    emulated = report(1.0, 5, verdict={"state": "EMULATED", "reasons": ["r"], "limits": []})
    columns, rows = table([report(), float_report(), emulated])
    marked = {columns[i] for row in rows for i, (_, best) in enumerate(row) if best}
    assert {"p50 ms", "FPS model"} <= marked
    assert rows[2][columns.index("p50 ms")] == ("–", False)


def test_sparkline() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([5.0, 5.0]) == "▁▁"


def said(*reports: Report) -> str:
    return " ".join(" ".join(read(present(list(reports))).words).split())


def test_the_card_says_whether_24_fps_are_met_and_how_often() -> None:
    assert "meets 24 FPS (5.2×)" in said(report(2.0))
    assert "misses 24 FPS (0.5×)" in said(report(20.0))
    assert "meets 24 FPS (104×)" in said(report(0.1))


def test_the_board_and_its_processor_stand_below_the_title() -> None:
    facts = {"board": "Raspberry Pi 5", "cpu": "Cortex-A76", "cores": 4, "clock_s": 1.7e9}
    text = said(report(device={"name": "pi", "target": "t", "facts": facts}))
    assert "Raspberry Pi 5, 4 × Cortex-A76 · 2023-11-14 22:13 UTC · protocol quick" in text
    odd = report(device={"name": "pi", "target": "t", "facts": {"cpu": ["x"], "cores": True}})
    assert "pi · protocol quick" in said(odd)


def test_what_is_not_known_of_the_board_is_one_line() -> None:
    absent = {"governor": "no cpufreq", "cpu_mhz": "no cpufreq", "power_w": "no sensor"}
    reading = {"time_s": 1.0, "absent": absent}
    text = said(report(sensors={"before": reading, "after": {**reading, "time_s": 2.0}}))
    assert text.count("Not known on this board") == 1
    assert "Not known on this board: governor, clock (no cpufreq); power (no sensor)." in text


def test_stages_have_their_intervals_where_they_are_known() -> None:
    quantized = {**DRIFT["stages"]["quantization"], "top1_delta_pp": -0.5, "interval_pp": [-1.0, -0.25]}
    stages = {**DRIFT["stages"], "quantization": quantized}
    text = present([report(drift={**DRIFT, "stages": stages})])
    assert "Top-1 won and lost by stage, on a scale of ±2 pp" in text
    assert "quantization -0.50 (-1.00 to -0.25), kernel bit-exact, all together -0.50 (-1.25 to 0.25)" in text
    assert "Answers changed by stage, on a scale of 5 %" in text
    assert "kernel bit-exact, all together 1.00 % of 200" in text


def test_a_measured_loss_is_never_called_none() -> None:
    assert "no measurable loss on 200 images" in said(report())
    lost = said(report(drift={**DRIFT, "interval_pp": [-1.25, -0.25]}))
    assert "no measurable loss" not in lost
    assert "0.50 pp of top-1 lost on 200 images" in lost
