"""Drift figures held to counts made by hand, and verdicts to injected trouble."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgenet.classifier_drift import ClassificationDrift
from edgenet.drift import Stages
from edgenet.manifest import TensorSpec
from edgenet.measure.drift import conversion, drift, kernel, quantization
from edgenet.measure.verdict import judge
from edgenet.measured import Sensors
from edgenet.report import Verdict, WarmUp
from edgenet.tasks.classification import Classification
from tests.reports import DRIFT

# Six images, four classes: what the float model and the board say.
REFERENCE = np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0, 1]] * 4
BOARD = np.eye(4, dtype=np.float32)[[0, 1, 2, 0, 1, 1]] * 4
LABELS = [0, 1, 2, 3, 1, 0]


TASK = Classification("logits")
STAGES = Stages.from_table(DRIFT["stages"])


def measured(
    board: Any = BOARD, reference: Any = REFERENCE, labels: Any = LABELS, label_offset: int = 0
) -> ClassificationDrift:
    task = Classification("logits", (), label_offset)
    found = drift(task, board, reference, labels, [f"{index}.jpg" for index in range(len(board))], STAGES)
    assert isinstance(found, ClassificationDrift)
    return found


def test_counts_by_hand() -> None:
    """Float is right on 0, 1, 2, 3; the board on 0, 1, 2 and 4: one lost, one won."""
    got = measured()
    assert got.top1 == pytest.approx(4 / 6)
    assert got.top1_reference == pytest.approx(4 / 6)
    assert got.top1_delta_pp == 0
    assert got.mcnemar_p == 1.0
    assert got.agreement == pytest.approx(4 / 6)
    assert got.interval_pp[0] < 0 < got.interval_pp[1]
    assert got.max_abs == 4
    assert [item.file for item in got.worst[:2]] == ["3.jpg", "4.jpg"]


def test_a_background_class_shifts_the_labels() -> None:
    wide = np.pad(BOARD, ((0, 0), (1, 0)))
    got = measured(board=wide, reference=np.pad(REFERENCE, ((0, 0), (1, 0))), label_offset=1)
    assert got.top1 == pytest.approx(4 / 6)


def test_without_labels_there_is_no_top1() -> None:
    got = measured(labels=None)
    assert got.top1 is None
    assert got.interval_pp is None
    assert not got.labelled
    assert got.agreement == pytest.approx(4 / 6)


def test_int8_is_read_with_its_scale() -> None:
    raw = np.round(REFERENCE / 0.5 - 10).astype(np.int8)
    got = measured(board=TensorSpec.int8(4, 0.5, -10).values(raw))
    assert got.max_abs == pytest.approx(0)
    assert got.cosine == pytest.approx(1)


def test_stages() -> None:
    assert conversion(TASK, REFERENCE + 0.25, REFERENCE).max_abs == 0.25
    assert quantization(TASK, REFERENCE * 2, REFERENCE).cosine == pytest.approx(1)
    host, spec = BOARD.astype(np.int8), TensorSpec.int8(4, 0.5, 0)
    exact = kernel(TASK, host.copy(), host, spec)
    assert (exact.identical, exact.different_outputs, exact.unit) == (True, 0, "steps of int8")
    off = host.copy()
    off[0, 0] -= 3
    assert kernel(TASK, off, host, spec).max_difference == 3
    assert kernel(TASK, off, host, spec).different_outputs == 1


def test_one_number_of_many_is_the_difference() -> None:
    moved = REFERENCE.copy()
    moved[2, 1] -= 0.75
    assert conversion(TASK, moved, REFERENCE).max_abs == 0.75
    found = quantization(TASK, moved, REFERENCE)
    assert (found.max_abs, found.agreement, found.images) == (0.75, 1.0, 6)
    host, spec = BOARD.astype(np.int8), TensorSpec.int8(4, 0.5, 0)
    off = host.copy()
    off[0, 0] -= 3
    got = kernel(TASK, off, host, spec)
    assert (got.identical, got.outputs, got.agreement) == (False, 24, 1.0)
    assert kernel(TASK, BOARD, BOARD, TensorSpec.float32(4)).unit == "logits"


def test_another_task_has_its_changes_under_their_common_name() -> None:
    class Other(Classification):
        name = "other"

    better = REFERENCE.copy()
    better[4] = np.eye(4)[1]
    stage = quantization(Other("logits"), better, REFERENCE, LABELS)
    assert (stage.top1_delta_pp, stage.delta_pp) == (None, pytest.approx(100 / 6))


def test_what_so_few_images_can_tell() -> None:
    """Two of six answers changed: 1.96 times sqrt(2) images; with labels half the interval's width."""
    blind = measured(labels=None)
    assert blind.smallest_claim_pp == pytest.approx(100 * 1.959964 * 2**0.5 / 6, abs=1e-4)
    assert blind.claim == "6 images cannot support a claim of less than 46.20 pp lost or won"
    # Wilson's interval of 4 of 6, from any calculator.
    assert blind.agreement_interval == pytest.approx((0.3000, 0.9032), abs=5e-5)
    low, high = measured().interval_pp
    assert measured().smallest_claim_pp == pytest.approx((high - low) / 2)
    # Square and add of 0.6667 - 0.3000 and 0.9032 - 0.6667.
    assert (low, high) == pytest.approx((-43.64, 43.64), abs=0.01)


def test_the_five_images_that_moved_most_with_both_answers() -> None:
    board = REFERENCE.copy()
    for index, moved in enumerate((0.5, 3.0, 5.0, 1.0, 2.0, 4.5)):
        board[index, (index + 1) % 4] += moved
    worst = measured(board=board).worst
    assert [(item.file, item.index, item.max_abs) for item in worst] == [
        ("2.jpg", 2, 5.0), ("5.jpg", 5, 4.5), ("1.jpg", 1, 3.0), ("4.jpg", 4, 2.0), ("3.jpg", 3, 1.0),
    ]  # fmt: skip
    assert [(item.answer, item.reference) for item in worst[:3]] == [(3, 2), (2, 1), (1, 1)]


def test_a_changed_answer_comes_before_all_that_only_moved() -> None:
    """Five images moved far and kept their answer, one hardly and lost it."""
    board = REFERENCE * 3
    board[3] = REFERENCE[3]
    board[3, 0] = 4.5
    assert measured(board=board).worst[0].file == "3.jpg"


def test_each_stage_says_what_it_won_or_lost() -> None:
    """Of six labels the float model has four right, the board four, and the float model without one five."""
    assert quantization(TASK, BOARD, REFERENCE, LABELS).top1_delta_pp == 0
    better = REFERENCE.copy()
    better[4] = np.eye(4)[1]
    stage = quantization(TASK, better, REFERENCE, LABELS)
    assert stage.top1_delta_pp == pytest.approx(100 / 6)
    assert stage.change_pp == stage.top1_delta_pp
    assert "delta_pp" not in stage.to_table()
    assert quantization(TASK, better, REFERENCE).change_pp is None


def bench(**changes: Any) -> Any:
    calm = {"throttled_now": [], "temperature_c": 50.0}
    values = {
        "model_ms": np.full(100, 10.0),
        "pipeline_ms": np.full(100, 20.0),
        "warmup": {"model": {"steady": True}, "pipeline": {"steady": True}},
        "sensors": {"before": calm, "during": [calm], "after": calm},
    }
    made = SimpleNamespace(**{**values, **changes})
    made.sensors = Sensors.from_table(made.sensors)
    made.warmup = {name: WarmUp.from_table(item) for name, item in made.warmup.items()}
    return made


def test_a_calm_run_is_valid() -> None:
    assert judge(bench(), measured(), None, None) == Verdict(state="VALID")


def test_a_slowdown_inside_the_run_is_noise() -> None:
    slower = np.concatenate([np.full(50, 10.0), np.full(50, 11.0)])
    got = judge(bench(model_ms=slower), measured(), None, None)
    assert got.state == "NOISY"
    assert "+10.0 %" in got.reasons[0]


def test_an_unsteady_warmup_is_noise() -> None:
    got = judge(bench(warmup={"model": {"steady": False}}), measured(), None, None)
    assert got.state == "NOISY"


@pytest.mark.parametrize(
    ("name", "state"),
    [("under-voltage", "UNDERVOLT"), ("throttled", "THROTTLED"), ("soft temperature limit", "THROTTLED")],
)
def test_throttling_at_any_moment_counts(name: str, state: str) -> None:
    calm, hot = {"throttled_now": []}, {"throttled_now": [name]}
    got = judge(bench(sensors={"before": calm, "during": [calm, hot], "after": calm}), measured(), None, None)
    assert got.state == state
    assert name in got.reasons[0]


def test_limits() -> None:
    limits = judge(bench(), measured(), 60.0, 0.5).limits
    assert [(item.name, item.passed) for item in limits] == [
        ("pipeline FPS", False),
        ("top-1 lost (pp)", True),
    ]
    assert limits[0].value == pytest.approx(50)
    assert "6 images cannot settle this" in limits[1].note
    assert judge(bench(pipeline_ms=np.empty(0)), measured(), 60.0, None).limits[0].passed
    unlabelled = judge(bench(), measured(labels=None), None, 30.0).limits[0]
    assert unlabelled.name == "answers changed (pp)"
    assert not unlabelled.passed


def test_an_emulated_board_has_no_speed() -> None:
    got = judge(bench(), measured(), None, None, emulated=True)
    assert got.state == "EMULATED"
    assert "says nothing about a real one" in got.reasons[0]
