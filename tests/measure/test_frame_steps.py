"""What else a camera could give, and what it saves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgenet.agent.preprocess import encode_ppm
from edgenet.devices.session import TurnsResult
from edgenet.frame import Frame
from edgenet.measure.frame_steps import candidates, frame_steps
from edgenet.pipeline import FrameSteps
from edgenet.preprocessing import Preprocessing
from edgenet.progress import silent

SCALED = 'decode = "scaled" in the card, compiled again'
STRETCH = Preprocessing((224, 224), "rgb", "stretch", None, "bilinear-antialias", (0.0,) * 3, (1.0,) * 3)
SHORT = replace(STRETCH, resize="short-side", resize_to=256)


@pytest.mark.parametrize(
    ("text", "card", "tried"),
    [
        ("640x480", SHORT, ["capture at 352x288", "yuyv instead of jpeg"]),
        ("640x480", STRETCH, ["capture at 352x288", "capture at 320x240", SCALED, "yuyv instead of jpeg"]),
        ("1280x720", SHORT, ["capture at 960x540", "capture at 640x360", SCALED, "yuyv instead of jpeg"]),
        (
            "1280x720",
            replace(SHORT, decode="scaled"),
            ["capture at 960x540", "capture at 640x360", "yuyv instead of jpeg"],
        ),
        ("1920x1080:yuyv", SHORT, ["capture at 1280x720", "capture at 640x360"]),
        ("1920x1080:rgb", STRETCH, ["capture at 1280x720", "capture at 424x240", "yuv420 instead of rgb"]),
        ("352x288:nv12", SHORT, []),
        ("320x240", SHORT, ["yuyv instead of jpeg"]),
        ("641x479", SHORT, ["capture at 352x288"]),
        ("3840x2160", SHORT, ["capture at 1920x1080", "capture at 640x360", SCALED]),
        ("480x640", SHORT, ["capture at 352x288", "yuyv instead of jpeg"]),
        ("224x224:rgb", replace(STRETCH, resize="none"), ["yuv420 instead of rgb"]),
    ],
)
def test_what_is_tried_covers_what_the_model_sees(text: str, card: Preprocessing, tried: list[str]) -> None:
    assert [item.change for item in candidates(Frame.parse(text), card)] == tried


class Board:
    """Answers with given ms a round of the form that was asked for and of the others."""

    def __init__(self, *columns: np.ndarray) -> None:
        self.ms = np.stack(columns, axis=1)
        self.sent: list[tuple[str, list[int]]] = []

    def turns(self, protocol: Any, forms: Any, board: Any) -> TurnsResult:
        self.sent = [(str(form.frame), [len(picture) for picture in form.pictures]) for form in forms]
        return TurnsResult(self.ms, [{"decode": 1.0}] * self.ms.shape[1])


def found(board: Board, text: str = "640x480", card: Preprocessing = SHORT) -> FrameSteps:
    images = [encode_ppm(np.full((8, 8, 3), value, np.uint8)) for value in (0, 255)]
    return frame_steps(board, images, Frame.parse(text), card, silent, lambda _: None)  # type: ignore[arg-type]


def test_what_a_form_saves_is_the_median_of_the_rounds_differences() -> None:
    """The board's clock falls by half in the middle of the run: the differences of each round still tell."""
    rounds = np.where(np.arange(200) < 100, 1.0, 2.0)
    noise = np.random.default_rng(0).normal(0, 0.01, (2, 200))
    board = Board(10 * rounds, 7 * rounds + noise[0], 10 * rounds + noise[1])
    got = found(board)
    small, yuyv = got.tried
    assert (small.change, small.frame) == ("capture at 352x288", "jpeg 352x288")
    assert small.saves_ms == pytest.approx(4.5, abs=1.6)
    assert small.faster
    assert not yuyv.faster, "its differences lie around 0"
    assert got.best is small
    assert (got.p50, got.rounds) == (15.0, 200)
    assert small.words.startswith("capture at 352x288: −")
    assert [name for name, _ in board.sent] == ["jpeg 640x480", "jpeg 352x288", "yuyv 640x480"]
    assert board.sent[2][1] == [2 * 640 * 480] * 2


def test_what_is_slower_or_within_the_noise_is_no_step() -> None:
    noise = np.random.default_rng(1).normal(0, 0.5, 100)
    got = found(Board(np.full(100, 10.0), 10.0 + noise, np.full(100, 12.0)))
    assert got.best is None
    assert got.tried[1].words == "yuyv instead of jpeg: +2 ms"
    near = found(Board(*(np.full(100, ms) for ms in (10.0, 9.91, 9.89)))).tried
    assert [item.faster for item in near] == [False, True], "a hundredth is the least"
    few = found(Board(*(np.full(24, ms) for ms in (10.0, 5.0, 5.0))))
    assert few.best is None, "24 rounds are too few to tell"
    assert few.tried[0].saves_interval is None


def test_where_there_is_nothing_to_try_the_reason_is_said() -> None:
    got = found(Board(np.empty(0)), "352x288:yuyv")
    assert got == FrameSteps(absent="no smaller size of cameras covers what the model sees")
