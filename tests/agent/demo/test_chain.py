"""A chain of two models: points are brought where they are wanted, and each object is looked up by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.agent.demo.align import cut, similarity
from edgenet.agent.demo.chain import Chain, named
from edgenet.agent.failure import Failure

POINTS = np.array([[10.0, 12.0], [30.0, 10.0], [21.0, 25.0], [20.0, 34.0]])
FLOATS = st.floats(-50, 50)


@given(st.floats(0.05, 8), st.floats(-3, 3), FLOATS, FLOATS)
def test_a_similarity_is_found_again(size: float, turn: float, right: float, down: float) -> None:
    a, b = size * np.exp(1j * turn), right + 1j * down
    moved = a * (POINTS[:, 0] + 1j * POINTS[:, 1]) + b
    found = similarity(POINTS, np.stack([moved.real, moved.imag], axis=1))
    assert found is not None
    assert found[0] == pytest.approx(a)
    assert found[1] == pytest.approx(b, abs=1e-6)


def test_what_no_similarity_does_is_done_as_near_as_can_be() -> None:
    """Against numpy's least squares over the four numbers of the transform."""
    wanted = POINTS * (2.0, 1.0) + np.array([[0, 1], [2, 0], [0, 0], [1, 1]])
    rows = [row for x, y in POINTS for row in ([x, -y, 1, 0], [y, x, 0, 1])]
    best = np.linalg.lstsq(np.array(rows), wanted.reshape(-1), rcond=None)[0]
    a, b = similarity(POINTS, wanted)
    np.testing.assert_allclose([a.real, a.imag, b.real, b.imag], best, atol=1e-9)


def test_points_on_one_spot_or_none_tell_nothing() -> None:
    assert similarity(np.full((3, 2), 7.0), POINTS[:3]) is None
    assert similarity(np.full((3, 2), np.nan), POINTS[:3]) is None
    assert similarity(POINTS, np.full((4, 2), 5.0)) is None


def smooth(rows: int, columns: int) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    waves = [120 + 80 * np.sin(x / 17.0 + k) * np.cos(y / 13.0 - k) for k in range(3)]
    return np.stack(waves, axis=2).astype(np.uint8)


def test_a_window_that_only_moves_is_the_picture_itself() -> None:
    image = smooth(60, 80)
    np.testing.assert_array_equal(cut(image, (1.0 + 0j, -(5 + 7j)), (20, 30)), image[7:27, 5:35])


def test_outside_of_the_picture_it_is_black() -> None:
    image = np.full((20, 20, 3), 200, np.uint8)
    made = cut(image, (1.0 + 0j, 10 + 10j), (20, 20))
    assert (made[:9, :9] == 0).all()
    assert (made[10:, 10:] == 200).all()
    assert (cut(image, (1.0 + 0j, 1000 + 0j), (20, 20)) == 0).all()


@pytest.mark.parametrize("size", [0.2, 0.5, 1.7])
@pytest.mark.parametrize("turn", [0.0, 0.6, -2.0])
def test_a_cut_shows_what_is_there(size: float, turn: float) -> None:
    """Each pixel of the window against the smooth function that the picture was drawn from."""
    image = smooth(200, 240)
    a = size * np.exp(1j * turn)
    b = 15 + 12j - a * (120 + 100j)
    made = cut(image, (a, b), (24, 30)).astype(float)
    x, y = np.meshgrid(np.arange(30), np.arange(24))
    z = (x + 1j * y - b) / a
    for k in range(3):
        wanted = 120 + 80 * np.sin(z.real / 17.0 + k) * np.cos(z.imag / 13.0 - k)
        assert np.abs(made[..., k] - wanted).mean() < 3.0


class Model:
    """Finds two objects whose points are known, or says what it is shown."""

    def __init__(self, points: Any = (), alignment: Any = None) -> None:
        self.spec = {"size": [8, 8], "resize": "stretch", "interpolation": "bilinear"}
        self.points, self.alignment = list(points), alignment or {}
        self.place = np.zeros((8, 8, 3), np.uint8)
        self.gallery: list[Any] = []
        self.found: list[Any] = []

    def room(self) -> np.ndarray:
        return self.place

    def start(self) -> None:
        pass

    def finish(self) -> tuple[np.ndarray, float]:
        return np.array([self.place.mean()], np.float32), 0.25

    def answer(self, pixels: np.ndarray) -> np.ndarray:
        return np.array([pixels.mean()], np.float32)

    def boxes(self, _raw: np.ndarray, _size: Any) -> list[Any]:
        return self.found

    def top(self, raw: np.ndarray) -> list[Any]:
        return [["bright" if raw[0] > 128 else "dark", float(raw[0]) / 256, 0]]

    def enroll(self, name: str, raw: np.ndarray) -> None:
        self.gallery.append((name, float(raw[0])))


def box(left: float) -> list[Any]:
    return ["face", 0.9, left, 0.0, left + 0.4, 1.0, [[left, 0.2], [left + 0.3, 0.2], [left + 0.1, 0.6]]]


WANTED = {"Right_Eye": (1.0, 1.0), "left-eye": (6.0, 1.0)}


def chain() -> tuple[Chain, Model, Model]:
    first, second = Model(("right eye", "left eye", "nose")), Model(alignment=WANTED)
    return Chain(first, second), first, second


def halves() -> np.ndarray:
    image = np.zeros((40, 80, 3), np.uint8)
    image[:, 40:] = 250
    return image


def test_each_object_is_looked_at_by_itself_and_timed() -> None:
    two, _, _ = chain()
    parts: list[tuple[str, float]] = []
    spot = box(0.1)
    spot[6] = [[0.1, 0.1]] * 3  # points that are one place
    boxes = [box(0.6), box(0.1), spot]
    answers = two.look(halves(), boxes, lambda name, seconds: parts.append((name, seconds)))
    assert [top and top[0][0] for top in answers] == ["bright", "dark", None]
    assert [name for name, _ in parts] == ["align", "then"] * 2
    assert dict(parts)["then"] == 0.25
    told = named(boxes, answers)
    assert [item[0] for item in told] == ["bright 0.98", "dark 0.00", "face"]
    assert told[0][1:] == boxes[0][1:]


def test_a_gallery_picture_is_enrolled_by_its_most_certain_object() -> None:
    two, first, second = chain()
    first.found = [box(0.6), box(0.1)]
    two.enroll("ann", halves())
    assert second.gallery[0][0] == "ann"
    assert second.gallery[0][1] > 128
    first.found = []
    with pytest.raises(Failure, match="gallery picture bob: the first model finds nothing in it"):
        two.enroll("bob", halves())


def test_models_without_two_points_in_common_are_refused() -> None:
    for points, alignment in (((), WANTED), (("nose", "left eye"), WANTED), (("right eye", "left eye"), {})):
        with pytest.raises(Failure, match="fewer than two"):
            Chain(Model(points), Model(alignment=alignment))
