"""Whether it can be told is decided by figures that were held back."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from edgenet.estimates.correction import Case
from edgenet.estimates.figure import Figure
from edgenet.estimates.judged import FARTHEST, judge
from edgenet.estimates.left_out import left_out, within, without_scaled
from edgenet.estimates.work import work_of_named
from edgenet.published import Machine
from tests.estimates.made import NETWORKS, figure, figures, machine, network

PI, TWIN, ALONE = machine("pi"), machine("twin", clock=1000), machine("alone", "Cortex-A53")
KNOWN = (*figures(PI), *figures(PI, kernels="ncnn"), *figures(TWIN), *figures(ALONE))


def case(board: Machine, kernels: str = "tflite", precision: str = "fp32", name: str = NETWORKS[0]) -> Case:
    return Case(work_of_named(network(name)), board, precision, kernels, 4)


def test_figures_that_agree_are_told() -> None:
    judged = judge(case(PI), KNOWN, scaled=False)
    assert judged.tells
    assert judged.factor is not None
    assert 1.0 <= judged.factor < 1.1
    assert judged.figures == 8
    assert "the times of the network on that board were held back" in judged.why


def test_a_board_that_was_timed_with_other_kernels_is_asked_as_such() -> None:
    known = (*figures(PI, kernels="ncnn"), *figures(TWIN), *figures(ALONE))
    judged = judge(case(PI), known, scaled=False)
    rows = [row for row in left_out(known, "kernels") if row.figure.kernels == "tflite"]
    here = [row for row in rows if row.figure.core == "Cortex-A72"]
    assert judged.factor == pytest.approx(within(here))
    assert "with these kernels on that board were held back" in judged.why


def test_a_board_that_nobody_timed_is_asked_as_such() -> None:
    judged = judge(case(machine("new", clock=1200)), KNOWN, scaled=False)
    assert judged.tells
    assert "all times on that board were held back" in judged.why
    assert "kernels" not in judged.why


@pytest.mark.parametrize(("threads", "asked"), [(0, False), (4, False), (400, False), (1, True), (2, True)])
def test_a_number_of_threads_that_nobody_timed_there_is_asked_as_such(threads: int, asked: bool) -> None:
    """The figures are of four threads on four cores."""
    judged = judge(replace(case(PI), threads=threads), KNOWN, scaled=False)
    assert ("with as many threads on that board were held back" in judged.why) is asked


def test_a_family_that_nobody_timed_in_such_numbers_is_asked_as_such() -> None:
    int8 = tuple(figure(board, name, 2.0, precision="int8") for board in (PI, TWIN) for name in NETWORKS[:2])
    known = (*KNOWN, *int8)
    judged = judge(case(PI, precision="int8", name="v2-0.35-32"), known, scaled=False)
    assert "family" in judged.why
    assert "family" not in judge(case(PI, precision="int8"), known, scaled=False).why


def test_another_width_or_resolution_adds_its_own_error() -> None:
    known = (*KNOWN, figure(PI, "v1-1.0-224", 1.0))
    plain, scaled = (judge(case(PI), known, scaled=item).factor for item in (False, True))
    assert plain is not None
    assert scaled is not None
    both = math.hypot(math.log(plain), math.log(within(without_scaled(known))))
    assert scaled == pytest.approx(math.exp(both))


def test_beyond_one_and_a_half_it_cannot_be_told() -> None:
    wild = tuple(figure(PI, name, slower) for name, slower in zip(NETWORKS, (1, 4, 1, 4), strict=True))
    judged = judge(case(PI), wild, scaled=False)
    assert judged.factor is not None
    assert judged.factor > FARTHEST
    assert not judged.tells


@pytest.mark.parametrize(
    ("board", "kernels", "precision", "why"),
    [
        (PI, "onnxruntime", "fp32", "no time of onnxruntime at fp32"),
        (PI, "tflite", "int8-dynamic", "no time of tflite at int8-dynamic"),
        (machine("b", "Unknown-X1"), "tflite", "fp32", "Unknown-X1 cores"),
        (machine("b", ""), "tflite", "fp32", "processors of its design"),
    ],
)
def test_what_no_figure_is_like_cannot_be_told(
    board: Machine, kernels: str, precision: str, why: str
) -> None:
    judged = judge(case(board, kernels, precision), KNOWN, scaled=False)
    assert not judged.tells
    assert (judged.factor, judged.figures) == (None, 0)
    assert why in judged.why


def test_a_few_figures_tell_nothing() -> None:
    known = (*KNOWN, figure(PI, NETWORKS[0], 2.0, kernels="onnxruntime"))
    judged = judge(case(PI, "onnxruntime"), known, scaled=False)
    assert (judged.tells, judged.factor) == (False, None)
    assert "too few" in judged.why


def test_few_figures_of_a_core_are_held_to_the_worse_of_the_kernels_and_the_core() -> None:
    """Two figures there: the other core's scatter and the other kernels' on this core both count."""
    few = tuple(figure(ALONE, name, 2.0) for name in NETWORKS[:2])
    quiet = (*figures(PI), *figures(ALONE, kernels="ncnn"), *few)
    kernels = (*scattered(PI, "tflite"), *figures(ALONE, kernels="ncnn"), *few)
    core = (*figures(PI), *scattered(ALONE, "ncnn"), *few)
    calm, by_kernels, by_core = (
        judge(case(ALONE), known, scaled=False).factor for known in (quiet, kernels, core)
    )
    assert calm is not None
    assert by_kernels is not None
    assert by_core is not None
    assert calm < 1.1
    assert by_kernels > 1.3
    assert by_core > 1.3


def scattered(board: Machine, kernels: str) -> tuple[Figure, ...]:
    return tuple(
        figure(board, name, slower, kernels)
        for name, slower in zip(NETWORKS, (1.0, 3.0, 3.0, 1.0), strict=True)
    )


def test_a_core_with_enough_figures_is_judged_by_them_alone() -> None:
    known = (*figures(PI), *scattered(ALONE, "tflite"))
    calm, wild = (judge(case(board), known, scaled=False) for board in (PI, ALONE))
    assert calm.factor is not None
    assert wild.factor is not None
    assert calm.factor < wild.factor
    assert calm.figures == wild.figures == 4


def test_a_new_board_of_a_core_that_was_timed_with_other_kernels_is_asked_both() -> None:
    known = (*figures(PI), *figures(ALONE, kernels="ncnn"))
    why = judge(case(machine("new", "Cortex-A53")), known, scaled=False).why
    assert "with these kernels on that board were held back" in why
    assert "all times on that board were held back" in why


def test_the_limit_is_the_one_that_the_page_names() -> None:
    assert FARTHEST == 1.5
