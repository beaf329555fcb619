"""How an image becomes a network's input: the part of a model that is not in its ONNX file."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from edgenet.agent.preprocess import (
    DECODES,
    FULL,
    IGNORE,
    INTERPOLATIONS,
    NEEDS,
    ORIENTATIONS,
    PADDED,
    RESIZES,
)
from edgenet.errors import ModelError
from edgenet.pages import page

__all__ = ["GRAY", "Preprocessing"]

LARGEST = 1e9
WIDEST = 16_384
SYNONYMS = {"grey": "gray", "grayscale": "gray", "greyscale": "gray"}
GRAY = "gray"
COLORS = ("rgb", "bgr", GRAY)


@dataclass(frozen=True)
class Preprocessing:
    """From a decoded RGB image to the network's float input, ``x = (pixel - mean) / std``.

    Attributes:
        size: Height and width the network sees, in pixels.
        color: Channel order of the network's input, "rgb" or "bgr"; "gray" where it has one channel.
        resize: How an image of any size becomes ``size``: a name of ``RESIZES``, see docs/preprocessing.md.
        resize_to: Side in pixels before the crop; ``None`` unless ``resize`` is "short-side" or "squash".
        interpolation: A name of ``INTERPOLATIONS``: the library and the filter that resize.
        mean: Per channel of the network's input, in pixel units (0..255); thrice the same where there is one.
        std: Per channel, in pixel units, positive.
        orientation: Of photos with an Exif tag: "ignore" it, or "apply" it before all else.
        decode: "full", or "scaled": of a JPEG no more frequencies than the network's size needs.
        crop_fraction: Share of each side that is kept; ``None`` unless ``resize`` is "center-crop".
        fill: Red, green and blue beside the image, 0 to 255; ``None`` unless ``resize`` pads.
    """

    size: tuple[int, int]
    color: str
    resize: str
    resize_to: int | None
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    orientation: str = IGNORE
    decode: str = FULL
    crop_fraction: float | None = None
    fill: tuple[int, int, int] | None = None

    @classmethod
    def from_table(cls, table: Mapping[str, Any], where: object) -> Preprocessing:
        """Read a ``[preprocessing]`` table.

        Args:
            table: Its keys.
            where: What it stands in, for messages.

        Raises:
            ModelError: A key is missing, unknown or out of its range; the message names it.
        """
        try:
            result = _read_table(table)
        except KeyError as error:
            raise ModelError(
                f"{where}: [preprocessing] has no {error.args[0]!r}", "add the key; nothing is guessed"
            ) from None
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"{where}: [preprocessing] {error}",
                f"see {page('preprocessing')} for the keys and their values",
            ) from None
        return result

    def to_table(self) -> dict[str, Any]:
        """The same as a plain table: what :meth:`from_table` reads, JSON-ready."""
        table = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}
        # What was made before there was a choice stays the same.
        usual = {"orientation": IGNORE, "decode": FULL}
        return {key: value for key, value in table.items() if value is not None and value != usual.get(key)}

    def of_colors(self) -> Preprocessing:
        """How the same network is fed once it makes the gray from colors itself."""
        return replace(self, color="rgb") if self.color == GRAY else self

    def fit_spec(self) -> dict[str, Any]:
        """What :func:`edgenet.agent.preprocess.pixels_of` needs: no colors, no normalization."""
        keys = ("size", "resize", "resize_to", "interpolation")
        further = ("decode", "crop_fraction", "fill")
        table = self.to_table()
        found = {**{key: table.get(key) for key in keys}, "orientation": self.orientation}
        return {**found, **{key: table[key] for key in further if key in table}}


def _read_table(table: Mapping[str, Any]) -> Preprocessing:
    known = {field.name for field in fields(Preprocessing)}
    if unknown := sorted(set(table) - known):
        near = difflib.get_close_matches(unknown[0], known, 1)
        raise ValueError(f"does not know {unknown[0]!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    height, width = _numbers(table, "size", 2)
    if not all(float(side).is_integer() and 8 <= side <= 4096 for side in (height, width)):
        raise ValueError("size must be two integers in pixels, 8 to 4096")
    resize = _choice(table, "resize", RESIZES)
    color = _choice({**table, "color": SYNONYMS.get(str(table["color"]), table["color"])}, "color", COLORS)
    mean, std = (_by_channel(table, key, color) for key in ("mean", "std"))
    if min(std) <= 0:
        raise ValueError("std must be positive (in pixel units, 0..255)")
    return Preprocessing(
        size=(int(height), int(width)),
        color=color,
        resize=resize,
        resize_to=_resize_to(table, max(height, width)) if NEEDS.get(resize) == "resize_to" else None,
        interpolation=_choice(table, "interpolation", INTERPOLATIONS),
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        orientation=_choice({"orientation": IGNORE, **table}, "orientation", ORIENTATIONS),
        decode=_choice({"decode": FULL, **table}, "decode", DECODES),
        crop_fraction=_crop_fraction(table) if NEEDS.get(resize) == "crop_fraction" else None,
        fill=_fill(table) if resize in PADDED else None,
    )


def _resize_to(table: Mapping[str, Any], least: float) -> int:
    value = table["resize_to"]
    if type(value) is not int or not least <= value <= WIDEST:
        raise ValueError(f"resize_to = {value!r} is not an integer from the size to {WIDEST}")
    return value


def _crop_fraction(table: Mapping[str, Any]) -> float:
    value = table["crop_fraction"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.1 <= value <= 1:
        raise ValueError(
            f"crop_fraction = {value!r} is not from 0.1 to 1, the share of each side that is kept"
        )
    return float(value)


def _fill(table: Mapping[str, Any]) -> tuple[int, int, int]:
    """Black where the card says nothing."""
    value = table.get("fill", 0)
    levels = value if isinstance(value, list) else [value] * 3
    if len(levels) != 3 or not all(type(level) is int and 0 <= level <= 255 for level in levels):
        raise ValueError(f"fill = {value!r} is neither a level from 0 to 255 nor three of them")
    return levels[0], levels[1], levels[2]


def _choice(table: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> str:
    value = table[key]
    if value not in choices:
        raise ValueError(f"{key} = {value!r} is not one of {', '.join(choices)}")
    return str(value)


def _by_channel(table: Mapping[str, Any], key: str, color: str) -> list[float]:
    """Three numbers; of a gray network one, or three that are the same."""
    if color != GRAY:
        return _numbers(table, key, 3)
    given = table[key]
    numbers = _numbers(table, key, 3 if isinstance(given, list) and len(given) > 1 else 1)
    if len(set(numbers)) > 1:
        raise ValueError(f"{key} has three numbers, and a gray network one channel: write one number")
    return numbers[:1] * 3


def _numbers(table: Mapping[str, Any], key: str, count: int) -> list[float]:
    values = table[key]
    good = isinstance(values, list) and len(values) == count
    if not good or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise ValueError(
            f"{key} must be {count} numbers" if count > 1 else f"{key} must be one number: [127.5]"
        )
    if not all(-LARGEST <= v <= LARGEST for v in values):
        raise ValueError(f"{key} must be finite")
    return [float(v) for v in values]
