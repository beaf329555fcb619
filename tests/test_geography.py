"""Places read from labels, and distances held to published ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.geography import Place, kilometers

DEGREES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("first", "second", "km"),
    [
        # Sinnott's example in R. Chamberlain's "What is the best way to calculate the distance", on 6367 km,
        # and the airports of https://rosettacode.org/wiki/Haversine_formula: 2887.26 km on 6372.8 km.
        ((36.12, -86.67), (33.94, -118.40), 2887.26 * 6371.0088 / 6372.8),
        ((0.0, 0.0), (0.0, 1.0), 6371.0088 * math.pi / 180),
        ((90.0, 0.0), (-90.0, 123.0), 6371.0088 * math.pi),
        (
            (10.0, 179.5),
            (10.0, -179.5),
            6371.0088 * 2 * math.asin(math.cos(math.radians(10)) * math.sin(math.radians(0.5))),
        ),
    ],
    ids=["BNA to LAX", "a degree", "pole to pole", "over the date line"],
)
def test_distances(first: tuple[float, float], second: tuple[float, float], km: float) -> None:
    assert float(kilometers(first, second)) == pytest.approx(km, rel=1e-5)


@given(DEGREES, DEGREES)
def test_a_distance_is_the_angle_between_two_vectors(
    first: tuple[float, float], second: tuple[float, float]
) -> None:
    def vector(place: tuple[float, float]) -> np.ndarray:
        lat, lon = np.radians(place)
        return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])

    a, b = vector(first), vector(second)
    angle = math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b))
    found = float(kilometers(first, second))
    assert found == pytest.approx(6371.0088 * angle, abs=0.5)
    assert found == pytest.approx(float(kilometers(second, first)))


def test_shapes_broadcast() -> None:
    assert kilometers(np.zeros((3, 2)), np.zeros(2)).shape == (3,)
    assert kilometers(np.zeros((0, 2)), np.zeros(2)).shape == (0,)


@pytest.mark.parametrize(
    ("label", "place"),
    [
        ("48.8566,2.3522", Place(48.8566, 2.3522)),
        ("48.8566, 2.3522 Paris", Place(48.8566, 2.3522, "Paris")),
        ("-34.60 -58.38, Buenos Aires", Place(-34.6, -58.38, "Buenos Aires")),
        ("+90;-180", Place(90.0, -180.0)),
        ("  0 , 0  ", Place(0.0, 0.0)),
        ("52, 13 2nd cell", Place(52.0, 13.0, "2nd cell")),
    ],
)
def test_labels_are_places(label: str, place: Place) -> None:
    assert Place.parsed(label) == place


@pytest.mark.parametrize(
    "label",
    [
        "Paris",
        "",
        "91, 0",
        "0, 180.1",
        "48.8",
        "nan, nan",
        "1e1, 2",
        "48.85N, 2.35E",
        "48.85, 2.35Paris",
        "٤٨, ٢",
    ],
)
def test_other_labels_are_none(label: str) -> None:
    assert Place.parsed(label) is None


@given(st.text(max_size=80))
def test_any_text_is_a_place_within_bounds_or_none(text: str) -> None:
    found = Place.parsed(text)
    assert found is None or (abs(found.latitude) <= 90 and abs(found.longitude) <= 180)


def test_places_in_words() -> None:
    assert str(Place(48.8566, 2.3522, "Paris")) == "Paris (48.86 N, 2.35 E)"
    assert str(Place(-54.8, -68.3)) == "54.80 S, 68.30 W"
