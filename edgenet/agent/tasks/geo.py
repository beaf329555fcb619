"""Geo-localization on the board: the cell of the earth where a picture was most probably taken."""

import re
from typing import Optional, Tuple

from . import ClassReader

# Latitude, longitude, and what the place is called: "48.8566, 2.3522 Paris".
_NUMBER = r"([+-]?\d{1,3}(?:\.\d{1,12})?)"
_PLACE = re.compile(r"\s*" + _NUMBER + r"\s*[,; ]\s*" + _NUMBER + r"(?:\s*[,;: ]\s*(\S.*?))?\s*", re.ASCII)


def place(label: str) -> Optional[Tuple[float, float, str]]:
    """Latitude and longitude in degrees and the name of a label, "" where it has none.

    ``None`` where it is no place: latitude is -90 to 90, longitude -180 to 180.
    """
    found = _PLACE.fullmatch(label)
    if found is None:
        return None
    latitude, longitude = float(found.group(1)), float(found.group(2))
    if abs(latitude) > 90.0 or abs(longitude) > 180.0:
        return None
    return latitude, longitude, found.group(3) or ""


def place_name(latitude: float, longitude: float, name: str = "") -> str:
    """A place for people: "Paris (48.86 N, 2.35 E)"."""
    where = "{:.2f} {}, {:.2f} {}".format(
        abs(latitude), "S" if latitude < 0 else "N", abs(longitude), "W" if longitude < 0 else "E"
    )
    return "{} ({})".format(name, where) if name else where


class Reader(ClassReader):
    """Reads logits or probabilities of cells, [cells]."""

    def name(self, index: int) -> str:
        """The cell's place."""
        label = ClassReader.name(self, index)
        found = place(label)
        return label if found is None else place_name(*found)
