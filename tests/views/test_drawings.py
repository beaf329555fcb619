"""Our own drawings: every run in the histogram, whiskers where intervals end, lanes that join layers."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.breakdown import Layer
from edgenet.confusion_matrix import ConfusionMatrix
from edgenet.views.builds_chart import builds_chart
from edgenet.views.charts import Charts
from edgenet.views.comparison import names
from edgenet.views.histogram import histogram
from edgenet.views.lanes import LANE, lanes
from edgenet.views.matrix import matrix
from edgenet.views.network import extremes, network, noise
from edgenet.views.scatter_axes import BOTTOM, HEIGHT
from edgenet.views.whiskers import Whisker, scale_of, whiskers
from tests.reports import DRIFT, report


def of_class(svg: str, name: str) -> list[ElementTree.Element]:
    every = ElementTree.fromstring(svg).iter()
    return [item for item in every if name in item.get("class", "").split()]


def test_the_histogram_counts_every_run_up_to_the_99th_percentile() -> None:
    samples = np.random.default_rng(3).gamma(3, 0.1, 1234)
    svg = histogram(samples, "x")
    found = [item.findtext("title", "") for item in of_class(svg, "column")]
    assert sum(int(text.split()[0]) for text in found) == int((samples <= np.percentile(samples, 99)).sum())
    lines = [float(re.findall(r"[\d.]+", item.get("d", ""))[0]) for item in of_class(svg, "mark-line")]
    low, high = float(samples.min()), float(np.percentile(samples, 99))
    expected = [60 + (float(np.percentile(samples, q)) - low) / (high - low) * 388 for q in (50, 90, 99)]
    assert lines == pytest.approx(expected, abs=0.06)


@given(st.lists(st.floats(min_value=1e-6, max_value=1e9), min_size=1, max_size=60))
def test_any_run_is_drawn_within(samples: list[float]) -> None:
    svg = histogram(np.asarray(samples), "x")
    for item in of_class(svg, "column"):
        assert float(item.get("x", "")) >= 59.9
        assert float(item.get("y", "")) >= 43.9
        assert float(item.get("height", "")) <= 182.1


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_the_legend_of_the_parts_ends_within(count: int) -> None:
    svg = Charts().stacked({f"part {at}": 1.0 for at in range(count)}, "ms", "says")
    height = float(ElementTree.fromstring(svg).get("viewBox", "").split()[3])
    legends = of_class(svg, "legends")[0]
    top = float(re.findall(r"[\d.]+", legends.get("transform", ""))[1])
    lowest = max(float(item.get("y", "")) for item in legends.iter() if item.tag.endswith("text"))
    assert top + lowest + 5 <= height


def test_the_words_beside_whiskers_end_within() -> None:
    for words in ("+0.00", "-100.00 (-100.00 to -50.12)"):
        svg = whiskers([Whisker("a", -60.0, (-70.0, -50.0), words)], "pp", "says", True)
        text = next(item for item in of_class(svg, "name") if item.text == words)
        assert float(text.get("x", "")) + 7.0 * len(words) <= 460
        assert float(text.get("x", "")) > 200


def test_whiskers_end_where_the_interval_does_and_scales_are_few() -> None:
    rows = [Whisker("a", -0.25, (-0.5, 0.25), "w"), Whisker("b", 0.0, (-40.0, 0.0), "few images"),
            Whisker("all", -0.25, (-0.5, -0.1), "w")]  # fmt: skip
    assert scale_of(rows) == 1.0
    svg = whiskers(rows, "pp", "says", True)
    first = [float(x) for x in re.findall(r"[\d.]+", of_class(svg, "whisker")[0].get("d", ""))]
    middle, half = 96 + 212 / 2, 212 / 2
    assert first[0::2] == pytest.approx([middle - 0.5 * half, middle + 0.25 * half], abs=0.06)
    assert len(of_class(svg, "whisker")) == 3 + 2 + 1 + 2, "an end outside of the scale has no cap"
    assert len(of_class(svg, "lost")) == 4, "only the row whose interval is below zero is colored"
    assert scale_of([Whisker("a", -1.5, None, "")]) == 2.0
    assert scale_of([Whisker("a", 0.0, (-300.0, 5.0), "")]) == 100.0


def chain(*rows: tuple[str, tuple[str, ...] | None]) -> list[Layer]:
    return [
        Layer(
            name=name,
            op="Conv",
            ms=1.0,
            node=name.split(" ")[0] if "conv" in name or reads is not None else None,
            reads=reads,
        )
        for name, reads in rows
    ]


def ends(svg: str) -> list[str]:
    return re.findall(r"M\d+ \d+[A-Z][\d ]+", of_class(svg, "lane")[0].get("d", ""))


def test_a_residual_is_a_second_lane_from_its_source_to_the_sum() -> None:
    rows = chain(("in", ()), ("a", ("in",)), ("b", ("a",)), ("sum", ("b", "in")), ("out", ("sum",)))
    drawn, width = lanes(rows)
    assert width == 2
    first, second = LANE // 2, LANE // 2 + LANE
    dots = [of_class(item, "stop")[0].get("d", "") for item in drawn]
    assert [int(dot[1:].split()[0]) for dot in dots] == [first, second, second, first, first]
    passing = [f"M{first} 0V100" in ends(item) for item in drawn]
    assert passing == [False, True, True, False, False], "the input passes by until the sum reads it"
    comes = [item.count("C") for item in (of_class(one, "lane")[0].get("d", "") for one in drawn)]
    assert comes == [0, 1, 1, 2, 1]


def test_rows_of_the_runtime_alone_stand_in_the_chain() -> None:
    rows = chain(("to int8", None), ("conv", ()), ("conv (Relu)", None), ("out", ("conv",)))
    drawn, width = lanes(rows)
    assert width == 1
    assert all("C" in of_class(item, "lane")[0].get("d", "") for item in drawn[1:])
    assert lanes([Layer(name="a", op=None, ms=1.0), Layer(name="b", op=None, ms=1.0)]) == (["", ""], 0)


@given(st.lists(st.lists(st.integers(min_value=0, max_value=30), max_size=5), min_size=1, max_size=40))
def test_any_graph_has_few_lanes(reads: list[list[int]]) -> None:
    """What a stranger's report says its layers read: forward, itself, nothing, too many at once."""
    rows = chain(*((str(at), tuple(map(str, own))) for at, own in enumerate(reads)))
    drawn, width = lanes(rows)
    assert len(drawn) == len(rows)
    assert 1 <= width <= 9
    for item in drawn:
        ElementTree.fromstring(item)


def test_noise_is_the_share_of_the_signal() -> None:
    assert noise(20.0) == pytest.approx(10.0)
    assert noise(40.0) == pytest.approx(1.0)
    assert noise(1e9) < 1e-10
    layers = [{"name": "a", "op": "Conv", "ms": 0.5, "sqnr_db": 40.0}, {"name": "b", "op": None, "ms": 1.0}]
    found = network(report(layers=layers))
    assert found is not None
    assert [[bar and (bar.words, bar.part) for bar in row.bars] for row in found.rows] == [
        [("0.5", 0.5), ("1.0", 1.0)], [("1", 1.0), None],
    ]  # fmt: skip
    assert extremes(report(layers=layers)) == [], "a short list needs no shorter one"
    many = [{"name": f"l{at}", "op": "Conv", "ms": float(at), "sqnr_db": 60.0 - at} for at in range(50)]
    slow, noisy = extremes(report(layers=many))
    assert [row[0] for row in slow.rows] == ["l49", "l48", "l47", "l46", "l45"]
    assert [row[0] for row in noisy.rows] == ["l49", "l48", "l47", "l46", "l45"]


def test_the_matrix_says_what_changed_against_float() -> None:
    counts = ConfusionMatrix(names=("cat", "dog"), board=((7, 3), (0, 10)), reference=((8, 2), (0, 10)))
    found = matrix(counts)
    assert found is not None
    assert [[(item.text, item.change, item.kind, item.strength) for item in row] for row in found.rows] == [
        [("7", "−1", "right", 70), ("3", "+1", "wrong", 30)],
        [("", "", "wrong", 0), ("10", "", "right", 100)],
    ]
    names13 = tuple("abcdefghijklm")
    wide = ConfusionMatrix(names=names13, board=((0,) * 13,) * 13, reference=((0,) * 13,) * 13)
    assert matrix(wide) is None


def test_the_axis_of_accuracy_holds_every_interval() -> None:
    """As wide as what is not known: a tenth of a point must not look like an abyss."""
    reports = [report(), report(3.0, 1, drift={**DRIFT, "top1": 0.7, "top1_delta_pp": 0.0,
                                               "interval_pp": [-2.0, 1.5], "agreement": 1.0})]  # fmt: skip
    chart = builds_chart(reports, names(reports), [0])
    assert chart is not None
    spans = [
        [float(x) for x in re.findall(r"[\d.]+", item.get("d", ""))] for item in of_class(chart.svg, "bar")
    ]
    upright = [span for span in spans if span[0] == span[2]]
    assert len(upright) == 2
    for span in upright:
        assert 22 < min(span[1], span[3]) < max(span[1], span[3]) <= HEIGHT - BOTTOM
    assert len(of_class(chart.svg, "ring")) == 1
    assert [item.get("href") for item in ElementTree.fromstring(chart.svg).iter("a")] == [
        "#report-2",
        "#report-1",
    ]
