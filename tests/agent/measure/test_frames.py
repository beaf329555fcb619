"""Pictures of one form on their way to the network, and several forms in turn."""

import array
import gc
import itertools
import struct

import numpy as np
import pytest
from edgenet_agent import preprocess, tasks
from edgenet_agent.measure import bench, turns
from edgenet_agent.measure.frames import Frames

READER = tasks.reader({"output": {"dtype": "int8"}, "labels": ["cat", "dog", "owl"]})
SPEC = {"size": [2, 2], "resize": "stretch", "interpolation": "bilinear-antialias"}


def raw(value):
    """A 4x4 frame of one RGB value."""
    return bytes([value]) * 48


def ppm(value):
    return preprocess.encode_ppm(np.full((4, 4, 3), value, np.uint8))


class Model:
    """Answers the class that the first pixel says."""

    def __init__(self):
        self.seen = []

    def set_input(self, pixels):
        self.seen.append(int(pixels[0, 0, 0, 0]))
        assert (pixels.shape, pixels.dtype) == ((1, 2, 2, 3), np.uint8)

    def invoke(self):
        assert not gc.isenabled()

    def output(self):
        return np.eye(3, dtype=np.int8)[self.seen[-1]]


def test_raw_frames_are_not_decoded_and_the_reason_is_said():
    frames = Frames([raw(0), raw(2)], SPEC, {"kind": "rgb24", "size": [4, 4]})
    assert frames.parts == ("fit",)
    assert frames.absent == {
        "decode": "a rgb24 frame is not encoded: its colors are converted where it is fitted"
    }
    assert [int(frames.pixels(index).max()) for index in range(3)] == [0, 2, 0]


def test_encoded_frames_are_read_as_files_are():
    for frame in (None, {"kind": "jpeg", "size": [4, 4]}):
        frames = Frames([ppm(2)], SPEC, frame)
        assert frames.parts == ("decode", "fit")
        assert not frames.absent
        assert (frames.pixels(0) == 2).all()


def test_gray_yuyv_is_gray():
    """Y 16 is black, 235 white (BT.601)."""
    frames = Frames([struct.pack("4B", 235, 128, 235, 128) * 8], SPEC, {"kind": "yuyv", "size": [4, 4]})
    assert (frames.pixels(0) == 255).all()


def test_a_frame_of_another_size_is_refused():
    frames = Frames([raw(0)[:-1]], SPEC, {"kind": "rgb24", "size": [4, 4]})
    with pytest.raises(ValueError, match="47 bytes"):
        frames.pixels(0)


def test_the_parts_of_raw_frames():
    frames = Frames([raw(1)], SPEC, {"kind": "rgb24", "size": [4, 4]})
    facts, _ = bench.run(Model(), frames, READER, {"min_runs": 5}, lambda *_: None)
    assert set(facts["parts_ms"]) == {"fit", "invoke", "post"}
    assert set(facts["parts_absent"]) == {"decode"}
    assert facts["label"] == "dog"


def test_every_form_runs_once_a_round_and_follows_any_other():
    order = []

    class Way:
        def __init__(self, name):
            self.name = name

        def __call__(self):
            order.append(self.name)

        def reset(self):
            order.append("reset")

    clock = itertools.count().__next__
    rounds = turns.Turns([Way("a"), Way("b"), Way("c")], clock)
    assert order == ["reset"] * 3
    for _ in range(60):
        rounds()
    seen = ["".join(order[begin : begin + 3]) for begin in range(3, len(order), 3)]
    assert {"".join(sorted(one)) for one in seen} == {"abc"}
    assert len(set(seen)) == 6
    assert rounds.samples == array.array("d", [1.0] * 180)
    assert rounds.rounds == 60


def test_the_seconds_stand_under_their_form():
    """The clock is moved by the form's own number of seconds: 1, 2 or 3."""
    now = [0.0]

    def way(seconds):
        def call():
            now[0] += seconds

        call.reset = lambda: None
        return call

    rounds = turns.Turns([way(1.0), way(2.0), way(3.0)], lambda: now[0])
    for _ in range(5):
        rounds()
    assert list(rounds.samples) == [1.0, 2.0, 3.0] * 5


def test_no_more_rounds_than_a_reply_holds(monkeypatch):
    monkeypatch.setattr(turns.wire, "MAX_BODY", 8 * 7)
    rounds = turns.Turns([Still(), Still()])
    for _ in range(9):
        rounds()
    assert (len(rounds.samples), rounds.rounds) == (6, 9)


class Still:
    def __call__(self):
        return None

    def reset(self):
        return None


def test_forms_in_turn():
    model = Model()
    forms = [Frames([ppm(1)], SPEC), Frames([raw(0), raw(2)], SPEC, {"kind": "rgb24", "size": [4, 4]})]
    protocol = {"min_runs": 6, "min_seconds": 0, "warmup_s": 0}
    facts, samples = turns.run(model, forms, READER, protocol, lambda *_: None)
    assert facts["rounds"] == 6
    assert [set(parts) for parts in facts["parts_ms"]] == [
        {"decode", "fit", "invoke", "post"}, {"fit", "invoke", "post"},
    ]  # fmt: skip
    assert len(samples) == 12
    assert model.seen.count(1) == 1 + 6, "a warm-up of one round"
    assert {1, 0, 2} == set(model.seen)
    assert gc.isenabled()


def test_ms_are_little_endian():
    assert bench.ms_bytes(array.array("d", [0.001, 2.0])) == struct.pack("<2d", 1.0, 2000.0)
