"""Pictures and windows to resample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

_SIDES = st.integers(1, 90)


class Window(NamedTuple):
    """A part of a picture resized, as ``resampled`` takes it."""

    image: np.ndarray
    full: tuple[int, int]
    first: tuple[int, int]
    size: tuple[int, int]
    name: str

    def of(self, whole: np.ndarray) -> np.ndarray:
        """The same part of the whole picture resized."""
        (top, left), (high, wide) = self.first, self.size
        return whole[top : top + high, left : left + wide]


def noise(rows: int, columns: int, channels: int = 3) -> np.ndarray:
    return np.random.RandomState(rows * columns).randint(0, 256, (rows, columns, channels)).astype(np.uint8)


@st.composite
def windows(draw: st.DrawFn, names: Iterable[str]) -> Window:
    """Any window of any size, of one channel or three."""
    rows, columns, high, wide = (draw(_SIDES) for _ in range(4))
    image, name = noise(rows, columns, draw(st.sampled_from([1, 3]))), draw(st.sampled_from(sorted(names)))
    top, left = draw(st.integers(0, high - 1)), draw(st.integers(0, wide - 1))
    size = draw(st.integers(1, high - top)), draw(st.integers(1, wide - left))
    return Window(image, (high, wide), (top, left), size, name)
