"""What is learned from figures, and held to those that were left out."""

from __future__ import annotations

import pytest

from edgenet.estimates.correction import Case, Correction, case_of
from edgenet.estimates.left_out import QUESTIONS, LeftOut, left_out, within, without_scaled
from edgenet.estimates.roofline import roofline_ms
from edgenet.estimates.work import Work, work_of_named
from tests.estimates.made import NETWORKS, figure, figures, machine, network

PI, OTHER = machine("pi"), machine("other", clock=1000)


def test_without_figures_a_time_is_its_roofline() -> None:
    case = Case(work_of_named(network("v1-0.25-32")), PI, "fp32", "tflite", 4)
    assert Correction.of([]).ms(case) == roofline_ms(case.work, PI, "fp32", 4)


def test_a_law_that_all_figures_obey_is_found() -> None:
    known = figures(PI, OTHER, slower=3.0)
    learned = Correction.of(known)
    assert [learned.ms(case_of(item)) for item in known] == [
        pytest.approx(item.ms, rel=0.02) for item in known
    ]


def test_a_trait_that_many_figures_show_is_believed_more_than_one_that_a_single_one_shows() -> None:
    many = (*figures(PI, slower=1.0), *figures(OTHER, slower=2.0, kernels="slow"))
    one = (*figures(PI, slower=1.0), figure(OTHER, NETWORKS[0], 2.0, kernels="slow"))
    case = Case(work_of_named(network(NETWORKS[0])), PI, "fp32", "slow", 4)
    roof = roofline_ms(case.work, PI, "fp32", 4)
    assert roof is not None
    assert roof < Correction.of(one).ms(case) < Correction.of(many).ms(case) < 2.0 * roof


def test_a_network_of_no_family_has_no_family_s_traits() -> None:
    case = Case(Work((), None), PI, "int8", "tflite", 4)
    assert not [name for name in case.traits() if "family" in name]
    assert [name for name in case.traits() if "int8" in name]


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_figure_helps_to_estimate_itself(question: str) -> None:
    """One that is far off is estimated as if it were not there, and every estimate is of its own figure."""
    known = figures(PI, OTHER, machine("third", "Cortex-A53"))
    odd = figure(machine("odd", "Odd"), "v2-0.35-32", 50.0, kernels="odd", precision="int8")
    rows = left_out((*known, odd), question)
    assert [row.figure for row in rows] == [*known, odd]
    assert rows[-1].ratio < 0.1
    far = figure(machine("odd", "Odd"), "v2-0.35-32", 500.0, kernels="odd", precision="int8")
    assert left_out((*known, far), question)[-1].ms == pytest.approx(rows[-1].ms)


def test_what_is_left_out_together_is_what_the_question_says() -> None:
    known = (*figures(PI), *figures(PI, kernels="ncnn"), *figures(OTHER))
    count = {question: len(set(map(group, known))) for question, group in QUESTIONS.items()}
    assert count == {"network": 12, "kernels": 3, "threads": 3, "board": 2, "family": 4, "core": 1}


def test_widths_and_resolutions_are_told_by_full_size_alone() -> None:
    known = (figure(PI, "v1-1.0-224", 2.0), *figures(PI, slower=6.0))
    rows = without_scaled(known)
    assert [row.figure.network.name for row in rows] == list(NETWORKS)
    assert all(0.25 < row.ratio < 0.4 for row in rows)


def test_the_small_and_the_large_v3_are_one_family() -> None:
    group = QUESTIONS["family"]
    large, small = (figure(PI, name) for name in ("v3-large-0.35-32", "v3-small-0.35-32"))
    assert group(large) == group(small)
    assert group(small) != group(figure(PI, "v3-small-0.35-32", precision="int8"))


@pytest.mark.parametrize(
    ("ratios", "factor"),
    [
        ((2.0, 0.5, 1.0, 1.0), 2.0),
        ((0.2, 1.0, 1.0, 1.0), 5.0),
        ((9.0, 1.5, *[1.1] * 8), 1.5),
        ((9.0, 5.0, 1.5, *[1.1] * 8), 5.0),
    ],
)
def test_nine_in_ten_are_within_and_over_counts_as_much_as_under(
    ratios: tuple[float, ...], factor: float
) -> None:
    one = figure(PI, NETWORKS[0])
    assert within([LeftOut(one, "network", one.ms * ratio) for ratio in ratios]) == pytest.approx(factor)
