"""The sentence of a sweep: each case is told as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgenet.swept import Cell, CellAccuracy, CellDrift, CellFps
from edgenet.views.sweep_sentence import sentence

PI = "Raspberry Pi 4"
PUBLISHED = CellAccuracy(value=0.69, kind="published", source="the README")
MEASURED = CellAccuracy(value=0.6912, kind="measured", images=1000, interval=(0.662, 0.719))
DRIFT = CellDrift(kind="measured", delta_pp=-0.2, interval_pp=(-0.6, 0.2), images=1000)
EXPECTED = CellDrift(
    kind="expected", delta_pp=-0.2, interval_pp=(-0.6, 0.2), images=1000, source="edgenet, 1,000 of ImageNet"
)


def cell(model: str = "v1-1.0-192", sustained: float | None = 31.2, **changes: Any) -> Cell:
    values: dict[str, Any] = {
        "key": model, "model": model, "family": "v1", "resolution": int(model.rsplit("-", 1)[-1]),
        "precision": "int8", "backend": "tflite", "threads": 4, "device": "pi4", "state": "sustained",
        "fps": CellFps(pipeline=sustained, sustained=sustained), "p99_ms": 35.2, "top1": PUBLISHED,
        "drift": DRIFT, "verdict": "VALID",
    }  # fmt: skip
    return Cell(**{**values, **changes})


MORE = cell("v1-1.0-224", 22.4, top1=replace(PUBLISHED, value=0.706))
CHOSEN = cell()
HEAD = f"{PI}: V1 1.0 at 192, int8 by TFLite, 4 threads: "
TAIL = "the next more accurate one (V1 1.0 at 224) reaches 22 FPS"


def told(*others: Cell, chosen: Cell | None = CHOSEN, line: float = 24.0, measure: str = "top1") -> str:
    return sentence([*([chosen] if chosen else []), *others], chosen, PI, line, measure)


def test_the_answer() -> None:
    assert told(MORE) == (
        "Raspberry Pi 4: V1 1.0 at 192, int8 by TFLite, 4 threads: 31 FPS sustained, p99 35 ms, "
        "top-1 69.0 % (published), int8 −0.2 ± 0.4 pp measured on 1,000 images; "
        "the next more accurate one (V1 1.0 at 224) reaches 22 FPS"
    )


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"threads": 1}, "int8 by TFLite, 1 thread: 31 FPS"),
        ({"threads": 0}, "int8 by TFLite, all cores: 31 FPS"),
        ({"backend": "onnxruntime", "precision": "int8-dynamic"}, "int8-dynamic by ONNX Runtime, 4 threads"),
        ({"backend": "hailo"}, "int8 by hailo, 4 threads"),
        ({"fps": CellFps(pipeline=31.0, interval=(30.5, 31.5)), "state": "screened"},
         "31 FPS in the short screening, not run long, p99 35 ms"),
        ({"fps": CellFps(sustained=23.97, interval=(23.6, 24.3))},
         "23.97 FPS sustained (95 % interval 23.6 to 24.3, so that it cannot be told from 24), p99"),
        ({"fps": CellFps(sustained=24.4, interval=(23.9, 24.9))},
         "24 FPS sustained (95 % interval 23.9 to 24.9, so that it cannot be told from 24), p99"),
        ({"verdict": "THROTTLED"}, "images; the board throttled in the long run; the next"),
        ({"verdict": "THROTTLED", "fps": CellFps(pipeline=31.0)}, "; the board throttled in the screening;"),
        ({"verdict": "UNDERVOLT"}, "; the board was short of voltage in the long run; the next"),
        ({"verdict": "NOISY"}, "; something disturbed the long run; the next"),
        ({"p99_ms": 52.3}, "sustained, p99 52 ms, over the 41.7 ms that a frame has at 24 FPS, top-1"),
        ({"p99_ms": 41.7}, "p99 42 ms, over the 41.7 ms that"),
        ({"p99_ms": 4.23}, "p99 4.2 ms, top-1"),
        ({"p99_ms": None}, "31 FPS sustained, top-1"),
        ({"top1": None, "drift": None}, "top-1 not known"),
        ({"drift": None}, "top-1 69.0 % (published); the next"),
        ({"drift": replace(DRIFT, delta_pp=None, interval_pp=None)}, "top-1 69.0 % (published); the next"),
        ({"drift": EXPECTED}, "int8 −0.2 ± 0.4 pp expected of this family, measured on 1,000 images; the"),
        ({"drift": replace(EXPECTED, images=None)}, "int8 −0.2 ± 0.4 pp expected of this family; the"),
        (
            {"drift": replace(EXPECTED, images=None, interval_pp=None)},
            "int8 −0.2 pp expected (of its publisher's own 8-bit network); the",
        ),
        ({"top1": MEASURED},
         "top-1 69.1 % (measured on 1,000 images, 95 % interval 66.2 to 71.9), "
         "int8 −0.2 ± 0.4 pp against float"),
        ({"top1": MEASURED, "drift": replace(DRIFT, images=1)}, "int8 −0.2 ± 0.4 pp measured on 1 image;"),
        ({"drift": replace(DRIFT, interval_pp=(-1.2, 0.1))}, "int8 −0.2 pp (−1.2 to +0.1) measured on"),
        ({"drift": replace(DRIFT, interval_pp=None)}, "int8 −0.2 pp measured on 1,000 images"),
        ({"drift": replace(DRIFT, delta_pp=0.04, interval_pp=(-0.36, 0.44))}, "int8 0.0 ± 0.4 pp measured"),
        ({"drift": replace(DRIFT, delta_pp=0.3, interval_pp=(-0.1, 0.7))}, "int8 +0.3 ± 0.4 pp measured"),
    ],
)  # fmt: skip
def test_what_is_known_is_said(changes: dict[str, Any], wanted: str) -> None:
    assert wanted in told(MORE, chosen=cell(**changes))


@pytest.mark.parametrize(
    ("model", "resolution", "wanted"),
    [
        ("v3-large-0.75-224", 224, "V3-Large 0.75 at 224,"),
        ("v2-0.35-96", 96, "V2 0.35 at 96,"),
        ("flowers_v1_025_96", 96, "flowers_v1_025_96, int8"),
        ("flowers", 96, "flowers at 96, int8"),
        ("flowers1960", 96, "flowers1960 at 96, int8"),
        ("flowers", None, "flowers, int8"),
    ],
)
def test_networks_have_names(model: str, resolution: int | None, wanted: str) -> None:
    one = replace(CHOSEN, model=model, resolution=resolution)
    assert f"{PI}: {wanted}" in told(chosen=one)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"state": "screened", "fps": CellFps(pipeline=22.4)}, "reaches 22 FPS in the screening"),
        ({"state": "screened", "fps": CellFps(pipeline=25.4)},
         "reaches 25 FPS in the screening and was not run long"),
        ({"state": "failed", "fps": CellFps(pipeline=25.4), "reason": "board lost"},
         "reaches 25 FPS in the screening and then failed (board lost)"),
        ({"state": "emulated", "fps": CellFps(pipeline=25.4)}, "was emulated alone"),
        ({"state": "failed", "fps": CellFps(), "reason": "no kernel for X"}, "failed (no kernel for X)"),
        ({"state": "skipped", "fps": CellFps(), "reason": "slower than Y"}, "was skipped (slower than Y)"),
        ({"state": "pending", "fps": CellFps()}, "was not reached before the sweep ended"),
        ({"state": "failed", "fps": CellFps(), "reason": "x" * 900}, f"failed ({'x' * 159}…)"),
        ({"fps": CellFps(sustained=23.96)}, "reaches 23.96 FPS"),
        ({"fps": CellFps(sustained=0.532)}, "reaches 0.53 FPS"),
    ],
)  # fmt: skip
def test_the_next_more_accurate_one_is_told_with_its_fate(changes: dict[str, Any], wanted: str) -> None:
    assert told(replace(MORE, **changes)).endswith(f"the next more accurate one (V1 1.0 at 224) {wanted}")


def test_where_the_next_was_not_timed_the_next_that_was_is_told_too() -> None:
    failed = replace(MORE, model="v2-1.0-192", state="failed", fps=CellFps(), reason="r",
                     top1=replace(PUBLISHED, value=0.7))  # fmt: skip
    assert told(failed, MORE).endswith(
        "the next more accurate one (V2 1.0 at 192) failed (r), "
        "and the next that was timed (V1 1.0 at 224) reaches 22 FPS"
    )


def test_the_next_may_be_the_same_network_built_otherwise() -> None:
    float32 = cell(sustained=15.0, precision="fp32", drift=None)
    assert told(float32, MORE).endswith("the next more accurate one (fp32 by TFLite) reaches 15 FPS")


def test_of_equals_the_fastest_is_next() -> None:
    slower = replace(MORE, threads=1, fps=CellFps(sustained=9.0))
    assert told(slower, MORE).endswith(TAIL)


def test_nothing_is_more_accurate() -> None:
    assert told(cell("v1-0.5-192", 60.0, top1=replace(PUBLISHED, value=0.6))).endswith(
        "none is more accurate"
    )


def test_an_equal_is_an_equal() -> None:
    """A hair more is no more: both are written as 69.0."""
    alike = cell("v2-1.0-160", 28.0, top1=replace(PUBLISHED, value=0.6903))
    assert told(alike, MORE).endswith(
        f"; V2 1.0 at 160, int8 by TFLite, 4 threads is as accurate at 28 FPS; {TAIL}"
    )


def test_no_cell_reaches_the_line() -> None:
    slow = cell("v1-0.25-128", 18.0, top1=replace(PUBLISHED, value=0.415), verdict="THROTTLED")
    assert told(slow, cell("v1-0.5-128", 12.0), chosen=None) == (
        f"{PI}: no cell reaches 24 FPS; the fastest is V1 0.25 at 128, int8 by TFLite, 4 threads with "
        "18 FPS sustained, 25 % below the line, top-1 41.5 % (published); the board throttled in the long run"
    )


def test_without_accuracy_nothing_is_the_most_accurate() -> None:
    assert told(cell(top1=None), chosen=None).startswith(
        f"{PI}: which cell that keeps 24 FPS has the best top-1 is not known; the fastest is V1 1.0"
    )


def test_an_emulated_board_has_no_speed() -> None:
    ran = [
        cell(f"v1-{alpha}-128", None, state="emulated", identical=same)
        for alpha, same in (("0.25", True), ("0.5", True), ("0.75", False), ("1.0", None))
    ]
    failed = cell(sustained=None, state="failed", reason="r")
    assert told(*ran, failed, chosen=None) == (
        f"{PI}: EMULATED, so nothing can be said of FPS; 2 cells answered bit for bit as on this host, "
        "1 did not, 1 was not compared, 1 failed"
    )
    assert "FPS; 1 cell answered bit for bit as on this host" in told(ran[0], chosen=None)


def test_nothing_was_timed() -> None:
    failed = cell(sustained=None, state="failed", reason="the board was lost")
    pending = cell(sustained=None, state="pending")
    skipped = cell(sustained=None, state="skipped")
    assert told(failed, pending, pending, skipped, chosen=None) == (
        f"{PI}: no cell was timed: 1 failed, 1 skipped, 2 not reached before the sweep ended "
        "(the board was lost)"
    )
    twice = [failed, failed, replace(failed, reason="another")]
    assert told(*twice, chosen=None).endswith("3 failed (most often: the board was lost)")
    assert told(chosen=None) == f"{PI}: no cell was tried"


@pytest.mark.parametrize(
    ("measure", "name"),
    [("top1", "top-1"), ("map50", "mAP@0.5"), ("rank1", "rank-1"), ("f1", "F1"),
     ("within_750", "within 750 km"), ("accuracy", "accuracy"), ("of_ours", "of_ours")],
)  # fmt: skip
def test_the_measure_has_the_name_that_its_task_gives_it(measure: str, name: str) -> None:
    assert f"{name} 69.0 % (published)" in told(measure=measure)


def test_foreign_text_is_made_fit_to_be_shown() -> None:
    assert told(
        replace(MORE, model="a\u202eb\n", state="failed", reason="x\x1b[2J", fps=CellFps())
    ).isprintable()
