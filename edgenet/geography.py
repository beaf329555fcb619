"""Places on the earth, and how far they are from each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.tasks.geo import place, place_name

__all__ = ["Place", "Places", "kilometers"]

# Mean radius of the earth, km (International Union of Geodesy and Geophysics, Moritz 2000).
RADIUS_KM = 6371.0088

# Latitude and longitude in degrees, float64 [n, 2].
Places = NDArray[np.float64]


class Place(NamedTuple):
    """A place.

    Attributes:
        latitude: Degrees, -90 to 90, north is positive.
        longitude: Degrees, -180 to 180, east is positive.
        name: What people call it, or "".
    """

    latitude: float
    longitude: float
    name: str = ""

    @classmethod
    def parsed(cls, label: str) -> Self | None:
        """Of a label "LATITUDE, LONGITUDE NAME"; ``None`` where it is no place."""
        found = place(label)
        return None if found is None else cls(*found)

    def __str__(self) -> str:
        """For people: "Paris (48.86 N, 2.35 E)"."""
        return place_name(*self)


def kilometers(first: Places | Sequence[float], second: Places | Sequence[float]) -> NDArray[np.float64]:
    """Great-circle distances in km, by the haversine formula on a sphere.

    R. W. Sinnott, Virtues of the Haversine, Sky and Telescope 68, 1984; within 0.6 % of the ellipsoid's.

    Args:
        first: Latitude and longitude in degrees, [..., 2].
        second: The same; shapes broadcast.
    """
    a, b = (np.radians(np.asarray(item, np.float64)) for item in (first, second))
    half = (b - a) / 2
    chord = np.sin(half[..., 0]) ** 2 + np.cos(a[..., 0]) * np.cos(b[..., 0]) * np.sin(half[..., 1]) ** 2
    return np.asarray(2 * RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0))))
