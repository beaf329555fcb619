"""Networks of a sweep: which surely are not slower than others, and how accurate they are said to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from edgenet.errors import PlanError
from edgenet.facts import Facts
from edgenet.published import published_accuracies
from edgenet.sweeps.board import Reached
from edgenet.sweeps.candidates import Candidate, candidates
from edgenet.sweeps.plan import SweepPlan
from edgenet.sweeps.slots import slots_of
from edgenet.target import Target
from edgenet.zoo import mobilenet_v1, mobilenet_v2
from edgenet.zoo.named import FAMILIES
from tests.conftest import CARD, CLASSES, SIZE, lively


@pytest.fixture(scope="module")
def few() -> dict[str, Candidate]:
    plan = SweepPlan(families=("v1", "v3-small"), alphas=(0.25, 0.5, 0.75, 1.0), resolutions=(128, 224))
    return {item.name: item for item in candidates(plan)}


def test_smaller_in_both_multipliers_lies_within(few: dict[str, Candidate]) -> None:
    assert few["v1-0.25-128"].within(few["v1-0.5-128"])
    assert few["v1-0.5-128"].within(few["v1-0.5-224"])
    assert few["v1-0.5-128"].within(few["v1-1.0-224"])
    assert not few["v1-1.0-224"].within(few["v1-0.5-128"])


def test_narrower_and_larger_is_told_from_none(few: dict[str, Candidate]) -> None:
    assert not few["v1-0.5-224"].within(few["v1-1.0-128"])
    assert not few["v1-1.0-128"].within(few["v1-0.5-224"])


def test_another_architecture_is_never_within(few: dict[str, Candidate]) -> None:
    assert not few["v3-small-0.75-224"].within(few["v1-1.0-224"])
    assert few["v3-small-0.75-224"].within(few["v3-small-1.0-224"])


def test_published_accuracy_travels_with_its_source(few: dict[str, Candidate]) -> None:
    found = few["v1-1.0-224"]
    assert (found.family, found.alpha, found.resolution) == ("v1", 1.0, 224)
    assert found.published is not None
    assert (found.published.kind, found.published.value) == ("published", pytest.approx(0.709))
    assert found.published.source
    assert found.macs == pytest.approx(568.7e6, rel=0.01)


def test_every_published_family_can_be_swept() -> None:
    assert {row.family for row in published_accuracies()} <= set(FAMILIES)


def saved(folder: Path, name: str, proto: onnx.ModelProto, card: str = CARD) -> str:
    path = folder / f"{name}.onnx"
    onnx.save(lively(proto), path)
    path.with_suffix(".toml").write_text(card)
    return str(path)


def test_files_of_one_architecture_are_ordered_and_a_card_is_part_of_a_model(tmp_path: Path) -> None:
    narrow = saved(tmp_path, "narrow", mobilenet_v1(0.25, SIZE, CLASSES))
    wide = saved(tmp_path, "wide", mobilenet_v1(0.5, SIZE, CLASSES))
    other = saved(tmp_path, "other", mobilenet_v2(0.35, SIZE, CLASSES))
    recarded = saved(
        tmp_path, "b", mobilenet_v1(0.25, SIZE, CLASSES), CARD.replace("127.5, 127.5]", "127.5, 128.5]")
    )
    found = candidates(SweepPlan(files=(narrow, wide, other, recarded)))
    assert [item.name for item in found] == ["narrow", "wide", "other", "b"]
    assert found[0].within(found[1])
    assert not found[1].within(found[0])
    assert not any(found[2].within(item) or item.within(found[2]) for item in found[:2])
    assert found[0].digest != found[3].digest
    assert [item.family for item in found] == ["narrow", "narrow", "other", "narrow"]
    assert all(item.published is None and item.answers == CLASSES for item in found)


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    first = saved(tmp_path, "first", mobilenet_v1(0.25, SIZE, CLASSES))
    detector = saved(
        tmp_path,
        "faces",
        mobilenet_v1(0.25, SIZE, 32),
        CARD.replace("classification", "embedding").replace('"logits"', '"embedding"'),
    )
    wider = saved(tmp_path, "wider", mobilenet_v1(0.25, SIZE, CLASSES + 1))
    offset = saved(tmp_path, "offset", mobilenet_v1(0.25, SIZE, CLASSES + 1), f"label_offset = 1\n{CARD}")
    assert len(candidates(SweepPlan(files=(first, offset)))) == 2
    for files, told in (
        ((first, detector), "of the task"),
        ((first, first), "two models are called"),
        ((first, wider), "first tells 5 classes apart, wider 6"),
    ):
        with pytest.raises(PlanError, match=told):
            candidates(SweepPlan(files=files))
    with pytest.raises(PlanError, match="no published accuracy is known"):
        candidates(SweepPlan(families=("v1",), alphas=(0.3,)))


def test_a_layer_that_is_wider_anywhere_is_not_within(few: dict[str, Candidate]) -> None:
    small = few["v1-0.25-128"]
    bulged = replace(small, work=(*small.work[:-1], (small.work[-1][0], 10**12)))
    assert not bulged.within(few["v1-1.0-224"])


@pytest.mark.parametrize(
    ("alphas", "sizes", "told"), [((0.25, 0.33), (), "alpha 0.33"), ((), (128, 100), "100")]
)
def test_what_nobody_published_is_not_left_out_unsaid(
    alphas: tuple[float, ...], sizes: tuple[int, ...], told: str
) -> None:
    with pytest.raises(PlanError, match=told):
        candidates(SweepPlan(families=("v1",), alphas=alphas, resolutions=sizes))


def test_another_activation_is_told_from_none(tmp_path: Path) -> None:
    """It has no multiply-adds, and takes its time."""
    proto = mobilenet_v1(0.25, SIZE, CLASSES)
    slower = mobilenet_v1(0.25, SIZE, CLASSES)
    for node in slower.graph.node:
        if node.op_type in ("Clip", "Relu"):
            node.op_type = "Sigmoid"
            del node.input[1:], node.attribute[:]
    plain, curved = candidates(
        SweepPlan(files=(saved(tmp_path, "plain", proto), saved(tmp_path, "curved", slower)))
    )
    assert not curved.within(plain)
    assert plain.macs == curved.macs


def test_the_usual_precisions_are_those_that_a_board_can_run() -> None:
    """A Jetson Nano's GPU has no int8, and fp16 is TensorRT's kind of float."""
    plan = SweepPlan(families=("v1",), alphas=(0.25,), resolutions=(128,))
    facts = Facts.of(cores=4, machine="aarch64")
    found = {
        name: {
            (slot.backend, slot.precision)
            for slot in slots_of(plan, candidates(plan), [Reached("x", facts, Target.load(name))], None, None)
        }
        for name in ("raspberry-pi-4", "jetson-nano", "jetson-orin-nano")
    }
    arm = {(backend, precision) for backend in ("tflite", "onnxruntime") for precision in ("int8", "fp32")}
    assert found["raspberry-pi-4"] == arm
    assert ("tensorrt", "fp16") in found["jetson-nano"]
    assert ("tensorrt", "int8") not in found["jetson-nano"]
    assert {("tensorrt", "fp16"), ("tensorrt", "int8")} <= found["jetson-orin-nano"]
