"""How an image becomes a network's input: the part of a model that is not in its ONNX file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgenet.agent.preprocess import INTERPOLATIONS, RESIZES
from edgenet.errors import ModelError
from edgenet.text import cause

__all__ = ["ModelCard", "Preprocessing", "read_card"]

LARGEST = 1e9
WIDEST = 16_384
COLORS = ("rgb", "bgr")
OUTPUTS = ("logits", "probabilities")
CARD_KEYS = {"task", "output", "label_offset", "labels", "preprocessing"}


@dataclass(frozen=True)
class Preprocessing:
    """From a decoded RGB image to the network's float input, ``x = (pixel - mean) / std``.

    Attributes:
        size: Height and width the network sees, in pixels.
        color: Channel order of the network's input, "rgb" or "bgr".
        resize: "stretch" (whole image to ``size``), "short-side" (short side to ``resize_to``, then
            center crop) or "none" (images must have the size).
        resize_to: Short side in pixels before the crop; ``None`` unless ``resize`` is "short-side".
        interpolation: "bilinear-antialias", "bicubic-antialias" or "bilinear".
        mean: Per channel of the network's input, in pixel units (0..255).
        std: Per channel, in pixel units, positive.
    """

    size: tuple[int, int]
    color: str
    resize: str
    resize_to: int | None
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

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
                f"{where}: [preprocessing] {error}", "see docs/preprocessing.md for the keys and their values"
            ) from None
        return result

    def to_table(self) -> dict[str, Any]:
        """The same as a plain table: what :meth:`from_table` reads, JSON-ready."""
        table = {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}
        if self.resize_to is None:
            del table["resize_to"]
        return table

    def fit_spec(self) -> dict[str, Any]:
        """The part that :func:`edgenet.agent.preprocess.fit` needs: no colors, no normalization."""
        return {key: self.to_table().get(key) for key in ("size", "resize", "resize_to", "interpolation")}


@dataclass(frozen=True)
class ModelCard:
    """What ``MODEL.toml`` says beside ``MODEL.onnx``.

    Attributes:
        task: "classification".
        output: "logits" or "probabilities" (a final Softmax is in the graph).
        label_offset: Output index of class 0 (1 where the network has a background class).
        labels: Class names, or ``()``.
        preprocessing: How the network is fed.
    """

    task: str
    output: str
    label_offset: int
    labels: tuple[str, ...]
    preprocessing: Preprocessing


def read_card(path: Path) -> ModelCard:
    """Read a model card.

    Raises:
        ModelError: The file is missing, not TOML, or a value is not valid.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})", "give --preprocessing FILE") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not valid TOML ({cause(error)})", "correct the file") from None
    if not isinstance(table.get("preprocessing"), dict):
        raise ModelError(
            f"{path}: no [preprocessing] table", "say how the network is fed (docs/preprocessing.md)"
        )
    if unknown := sorted(set(table) - CARD_KEYS):
        raise ModelError(
            f"{path}: does not know {unknown[0]!r}", f"the keys are {', '.join(sorted(CARD_KEYS))}"
        )
    output = table.get("output", "logits")
    offset = table.get("label_offset", 0)
    task = table.get("task", "classification")
    labels = table.get("labels", [])
    if task != "classification":
        raise ModelError(f"{path}: task {task!r} is not supported", 'only task = "classification" is')
    if output not in OUTPUTS:
        raise ModelError(f"{path}: output = {output!r}", f"write one of {', '.join(OUTPUTS)}")
    if not isinstance(offset, int) or isinstance(offset, bool) or not 0 <= offset <= 1:
        raise ModelError(f"{path}: label_offset = {offset!r}", "write 0, or 1 for a background class")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise ModelError(f"{path}: labels is not a list of names", "write one string a class")
    return ModelCard(
        task, output, offset, tuple(labels), Preprocessing.from_table(table["preprocessing"], str(path))
    )


def _read_table(table: Mapping[str, Any]) -> Preprocessing:
    known = {"size", "color", "resize", "resize_to", "interpolation", "mean", "std"}
    if unknown := sorted(set(table) - known):
        raise ValueError(f"does not know {unknown[0]!r}")
    height, width = _numbers(table, "size", 2)
    if not all(float(side).is_integer() and 8 <= side <= 4096 for side in (height, width)):
        raise ValueError("size must be two whole numbers of pixels, 8 to 4096")
    resize = _choice(table, "resize", RESIZES)
    resize_to = table["resize_to"] if resize == "short-side" else None
    if resize_to is not None and (
        type(resize_to) is not int or not max(height, width) <= resize_to <= WIDEST
    ):
        raise ValueError(f"resize_to = {resize_to!r} is no whole number of pixels from the size to {WIDEST}")
    mean, std = _numbers(table, "mean", 3), _numbers(table, "std", 3)
    if min(std) <= 0:
        raise ValueError("std must be positive (in pixel units, 0..255)")
    return Preprocessing(
        size=(int(height), int(width)),
        color=_choice(table, "color", COLORS),
        resize=resize,
        resize_to=resize_to,
        interpolation=_choice(table, "interpolation", tuple(INTERPOLATIONS)),
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
    )


def _choice(table: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> str:
    value = table[key]
    if value not in choices:
        raise ValueError(f"{key} = {value!r} is none of {', '.join(choices)}")
    return str(value)


def _numbers(table: Mapping[str, Any], key: str, count: int) -> list[float]:
    values = table[key]
    good = isinstance(values, list) and len(values) == count
    if not good or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        raise ValueError(f"{key} must be {count} numbers")
    if not all(-LARGEST <= v <= LARGEST for v in values):
        raise ValueError(f"{key} must be finite")
    return [float(v) for v in values]
