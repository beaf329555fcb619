"""How fast a stage goes and how long it still takes, by hand."""

from __future__ import annotations

import pytest

from edgenet.cli.shared.pace import Pace


def at(stage: str, first: int, done: int, total: int | None, seconds: float) -> Pace:
    pace = Pace(stage, first, 100.0)
    pace.update(done, total, 100.0 + seconds)
    return pace


@pytest.mark.parametrize(
    ("pace", "words"),
    [
        (at("calibrating (images)", 0, 120, 500, 4.0), "calibrating: 120/500 images, 30 images/s, 13 s left"),
        (at("sending (kB)", 0, 3_000, 9_000, 2.0), "sending: 3.0/9.0 MB, 1.5 MB/s, 4 s left"),
        (at("sending (kB)", 6_000, 7_000, 9_000, 2.0), "sending: 7.0/9.0 MB, 0.5 MB/s, 4 s left"),
        (at("measuring the model (s)", 0, 4, 10, 4.2), "measuring the model: 4/10 s, 6 s left"),
        (at("rounding (layers)", 0, 2, 28, 100.0), "rounding: 2/28 layers, 0.02 layers/s, 22 min left"),
        (at("asking (images)", 0, 40, None, 2.0), "asking: 40 images, 20 images/s"),
        (at("asking (images)", 0, 40, 40, 2.0), "asking: 40/40 images, 20 images/s"),
        (at("calibrating (images)", 0, 3, 500, 0.4), "calibrating: 3/500 images"),
        (at("connecting to pi", 0, 0, None, 5.0), "connecting to pi"),
        (at("odd (two words)", 0, 1, 2, 0.1), "odd (two words): 1/2"),
    ],
)  # fmt: skip
def test_words(pace: Pace, words: str) -> None:
    assert pace.words == words
