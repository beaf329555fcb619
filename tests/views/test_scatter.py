"""Points, error bars, the front and the line stand where their numbers say."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.views.marks import SHAPES
from edgenet.views.scatter import scatter, symbol
from edgenet.views.scatter_axes import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axes, Mark
from edgenet.views.scatter_labels import labels


def mark(x: float = 30.0, y: float = 70.0, **changes: Any) -> Mark:
    values: dict[str, Any] = {
        "x_span": None, "y_span": None, "color": 0, "shape": "circle", "filled": True, "title": "t",
        "link": "#a",
    }  # fmt: skip
    return Mark(x, y, **{**values, **changes})


def drawn(*marks: Mark, line: float = 24.0) -> tuple[ElementTree.Element, Axes]:
    axes = Axes.around(marks, line)
    return ElementTree.fromstring(scatter(marks, axes, line, ("FPS", "top-1, %"), "says")), axes


def of_class(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [item for item in root.iter() if name in item.get("class", "").split()]


def numbers(element: ElementTree.Element) -> list[float]:
    return [float(item) for item in re.findall(r"-?\d+(?:\.\d+)?", element.get("d", ""))]


def test_axes_are_logarithmic_beyond_a_decade() -> None:
    near, far = Axes.around([mark(10.0), mark(90.0)], 24.0), Axes.around([mark(9.0), mark(91.0)], 24.0)
    assert (near.logarithmic, far.logarithmic) == (False, True)
    assert near.x[0] == 0.0
    assert near.across(45.0) == pytest.approx(LEFT + 45.0 / near.x[1] * (WIDTH - LEFT - RIGHT))
    part = math.log(30.0 / far.x[0]) / math.log(far.x[1] / far.x[0])
    assert far.across(30.0) == pytest.approx(LEFT + part * (WIDTH - LEFT - RIGHT))
    assert far.x_marks == [10.0, 20.0, 50.0, 100.0]


def test_axes_show_an_interval_but_not_one_without_end() -> None:
    assert Axes.around([mark(90.0, x_span=(80.0, 130.0))], 24.0).x[1] >= 130.0
    assert Axes.around([mark(90.0, x_span=(80.0, 1e9))], 24.0).x[1] <= 150.0


def test_several_boards_can_share_axes() -> None:
    both = Axes.around([mark(5.0, 40.0), mark(200.0, 75.0)], 24.0)
    one = [mark(5.0, 40.0)]
    root = ElementTree.fromstring(scatter(one, both, 24.0, ("x", "y"), "says"))
    (circle,) = of_class(root, "mark")
    assert float(circle.get("cx", "")) == pytest.approx(both.across(5.0), abs=0.06)
    assert float(circle.get("cy", "")) == pytest.approx(both.up(40.0), abs=0.06)


def test_error_bars_reach_as_far_as_the_interval() -> None:
    wide = mark(30.0, 70.0, x_span=(20.0, 44.0), y_span=(62.0, 76.0))
    root, axes = drawn(wide, mark(31.0, 40.0, x_span=(30.99, 31.01)))
    across, up = of_class(root, "bar")
    assert numbers(across) == pytest.approx(
        [axes.across(20.0), axes.up(70.0), axes.across(44.0), axes.up(70.0)], abs=0.06
    )
    assert numbers(up) == pytest.approx(
        [axes.across(30.0), axes.up(62.0), axes.across(30.0), axes.up(76.0)], abs=0.06
    )


def test_the_front_is_a_stair_through_its_cells() -> None:
    root, axes = drawn(mark(10.0, 75.0, front=True), mark(40.0, 60.0, front=True), mark(20.0, 50.0))
    (stair,) = of_class(root, "front")
    x, y = axes.across, axes.up
    assert numbers(stair) == pytest.approx(
        [x(40.0), HEIGHT - BOTTOM, x(40.0), y(60.0), x(10.0), y(75.0), LEFT], abs=0.06
    )


def test_the_line_and_what_keeps_it() -> None:
    root, axes = drawn(mark())
    (line,), (area,) = of_class(root, "line"), of_class(root, "reached")
    assert numbers(line)[0] == pytest.approx(axes.across(24.0), abs=0.06)
    assert float(area.get("x", "")) + float(area.get("width", "")) == pytest.approx(WIDTH - RIGHT, abs=0.1)
    assert of_class(root, "at")[0].text == "24 FPS"


def test_marks_tell_precision_family_and_whether_it_was_run_long() -> None:
    marks = [mark(float(i), 70.0, shape=shape, color=i) for i, shape in enumerate([*SHAPES, "?"], 1)]
    root, _ = drawn(*marks, mark(9.0, 60.0, filled=False, ringed=True))
    found = of_class(root, "mark")
    assert [item.get("class") for item in found[:5]] == [f"mark c{i}" for i in range(1, 6)]
    assert len({item.get("d", item.get("r")) for item in found[:5]}) == 5
    assert found[5].get("class") == "mark c0 hollow"
    assert len(of_class(root, "ring")) == 1
    assert 'class="mark hollow"' in symbol("circle", filled=False)


def test_a_mark_has_a_title_and_leads_somewhere() -> None:
    root, _ = drawn(mark(title="<b> & \u202e", link="#cell-3"))
    (link,) = root.iter("a")
    assert link.get("href") == "#cell-3"
    assert link.findtext("title") == "<b> & \ufffd"


def test_labels_never_lie_on_marks_or_on_each_other() -> None:
    marks = [mark(20.0 + i % 7, 60.0 + i % 5, label=f"network {i}", ringed=i == 3) for i in range(30)]
    axes = Axes.around(marks, 24.0)
    found = labels(marks, axes)
    assert 1 <= len(found) < 30
    assert labels([mark(label="alone", ringed=True)], axes)[0].ringed
    boxes = []
    for label in found:
        wide = 6.6 * len(label.text)
        left = label.place[0] - wide * {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor]
        boxes.append((left, label.place[1] - 11, left + wide, label.place[1] + 4))
    for index, a in enumerate(boxes):
        for b in boxes[:index]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
    assert labels([mark(label="flowers_" * 9 + "fft")], axes)[0].text == "flowers_flow…_flowers_fft"


positive = st.floats(min_value=1e-300, max_value=2.0**63)
percent = st.floats(min_value=-1e6, max_value=1e6)


@given(st.lists(st.tuples(positive, percent, percent, positive), max_size=6), positive)
def test_any_figures_are_drawn_within(points: list[tuple[float, float, float, float]], line: float) -> None:
    marks = [
        mark(x, y, y_span=(other, y), x_span=(-x, span), label="label", front=True)
        for x, y, other, span in points
    ]
    root, axes = drawn(*marks, line=line)
    for circle in of_class(root, "mark"):
        assert LEFT <= float(circle.get("cx", "")) <= WIDTH - RIGHT
        assert TOP <= float(circle.get("cy", "")) <= HEIGHT - BOTTOM
    assert len(axes.x_marks) <= 40
    assert len(axes.y_marks) <= 12


def test_a_mark_without_a_row_to_go_to_is_no_link() -> None:
    root, _ = drawn(mark(link=""), mark(40.0))
    assert [item.get("href") for item in root.iter("a")] == [None, "#a"]
    assert [item.get("tabindex") for item in root.iter("a")] == [None, "-1"]
