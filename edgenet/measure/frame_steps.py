"""What would make the camera's case faster: other forms of frames, each run on the board in turn with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.preprocess import FULL, SCALED, covers
from edgenet.devices.channel import OnEvent
from edgenet.devices.session import Session, TurnForm
from edgenet.frame import JPEG, Frame
from edgenet.measure.frame_pictures import frame_pictures
from edgenet.pipeline import FrameSteps, FrameTry
from edgenet.preprocessing import Preprocessing
from edgenet.progress import Progress
from edgenet.statistics import median_interval

__all__ = ["frame_steps"]

# Enough to tell a tenth of a millisecond on a Raspberry Pi; a run is one round of all forms.
TRY = {"warmup_s": 0.5, "min_seconds": 3.0, "min_runs": 60, "max_seconds": 60.0}
# Sizes that cameras offer: those of USB's video class (V4L2) and of the Raspberry Pi's sensors.
SIZES = (
    (1920, 1080), (1600, 1200), (1280, 960), (1280, 720), (1024, 768), (960, 540), (800, 600), (640, 480),
    (640, 360), (424, 240), (352, 288), (320, 240), (320, 180), (176, 144), (160, 120),
)  # fmt: skip
# How far the shapes of two sizes may be apart and still show nearly the same: 4:3 and CIF's 11:9.
ALIKE = 0.1


# What else a camera that gives one form most likely gives: USB's class and the Raspberry Pi's camera stack.
OTHER = {JPEG: "yuyv", "rgb": "yuv420"}


class Candidate(NamedTuple):
    """What to do for another form of frames; the form, and what decodes it in place of the card's way."""

    change: str
    frame: Frame
    decode: str | None = None


def frame_steps(
    session: Session,
    images: Sequence[bytes],
    frame: Frame,
    preprocessing: Preprocessing,
    tell: Progress,
    board: OnEvent,
) -> FrameSteps:
    """Measure what else the camera could give.

    All forms, the one that was asked for among them, run once in every round, so that a clock
    that moves and programs that come and go meet them all; what a form saves is the median of the rounds'
    differences.

    Args:
        session: The open model.
        images: Encoded images that this machine can decode.
        frame: What was asked for.
        preprocessing: The model's.
        tell: Called for every form that is made here.
        board: Called with the board's events.
    """
    others = list(candidates(frame, preprocessing))
    if not others:
        return FrameSteps(absent="no smaller size of cameras covers what the model sees")
    forms = []
    for done, (_, form, decode) in enumerate([Candidate("", frame), *others], 1):
        pictures = list(frame_pictures(images, form, preprocessing.orientation))
        forms.append(TurnForm(form, pictures, decode))
        tell("frames", done, len(others) + 1)
    found = session.turns(TRY, forms, board)
    base = found.ms[:, 0]
    tried = tuple(
        _judged(item, base, found.ms[:, index], found.parts_ms[index]) for index, item in enumerate(others, 1)
    )
    return FrameSteps(p50=float(np.median(base)), rounds=len(base), tried=tried)


def candidates(frame: Frame, preprocessing: Preprocessing) -> Iterator[Candidate]:
    """Smaller sizes that still cover what the model sees, less decoding, another form of the same size."""
    spec = preprocessing.fit_spec()
    for width, height in _smaller(frame, spec):
        yield Candidate(f"capture at {width}x{height}", Frame(width, height, frame.form))
    half = (-(-frame.height // 2), -(-frame.width // 2))
    if frame.form == JPEG and preprocessing.decode == FULL and covers(*half, spec):
        yield Candidate(f'decode = "{SCALED}" in the card, compiled again', frame, SCALED)
    other = OTHER.get(frame.form)
    if other and Frame.problem(frame.width, frame.height, other) is None:
        yield Candidate(f"{other} instead of {frame.form}", Frame(frame.width, frame.height, other))


def _smaller(frame: Frame, spec: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The next smaller and the smallest size that cover what the network sees, of a like shape if any is."""
    there = [
        (width, height) for width, height in SIZES
        if (width, height) != (frame.width, frame.height)
        and width <= frame.width and height <= frame.height and covers(height, width, spec)
    ]  # fmt: skip
    shape = frame.width / frame.height
    alike = [(width, height) for width, height in there if abs(width / height / shape - 1) <= ALIKE] or there
    by_area = sorted(alike, key=lambda size: size[0] * size[1])
    return list(dict.fromkeys([*by_area[-1:], *by_area[:1]]))


def _judged(
    item: Candidate, base: NDArray[np.float64], other: NDArray[np.float64], parts: Mapping[str, float]
) -> FrameTry:
    """What a form saves against the base, float64 [rounds] ms each."""
    saved = base - other
    return FrameTry(
        change=item.change,
        frame=str(item.frame),
        p50=float(np.median(other)),
        saves_ms=float(np.median(saved)),
        saves_interval=median_interval(saved),
        parts=parts,
    )
