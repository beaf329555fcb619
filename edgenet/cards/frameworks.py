"""What frameworks say of their own models, in memory, as a card: timm and torchvision."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from edgenet.card import ModelCard
from edgenet.drift import CLASSIFICATION
from edgenet.errors import ModelError
from edgenet.preprocessing import Preprocessing
from edgenet.task import load_task

__all__ = ["card_like"]

PIXEL = 255.0
# Their filters on Pillow's images, which Pillow antialiases whatever they say.
FILTERS = {"bilinear": "bilinear-antialias", "bicubic": "bicubic-antialias"}
TIMM = ("input_size", "mean", "std", "interpolation", "crop_pct")


def card_like(source: Any) -> ModelCard:
    """The card that a model's own framework gives it: all of it, for a classifier that gives logits.

    ``card_like(model.pretrained_cfg)`` of timm, or what ``timm.data.resolve_model_data_config(model)`` gives;
    ``card_like(weights.transforms())`` of torchvision. Sources: ``transforms_imagenet_eval`` of timm 1.0.31
    (``data/transforms_factory.py``); ``ImageClassification`` of torchvision 0.29
    (``transforms/_presets.py``).

    Args:
        source: The dict, or the object with ``resize_size`` and ``crop_size``.

    Returns:
        The card; :meth:`edgenet.card.ModelCard.write` makes the file.

    Raises:
        ModelError: It is neither, or says what a card cannot say exactly.

    Examples:
        >>> edgenet.card_like(
        ...     {"input_size": (3, 224, 224), "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5),
        ...      "interpolation": "bicubic", "crop_pct": 0.875}
        ... )
        <ModelCard classification, logits, 224x224>
    """
    if isinstance(source, Mapping) and "input_size" in source:
        return _of_timm(source)
    if hasattr(source, "resize_size") and hasattr(source, "crop_size"):
        return _of_torchvision(source)
    raise ModelError(
        f"a {type(source).__name__} does not say how a model is fed",
        "give timm's model.pretrained_cfg, or torchvision's weights.transforms()",
    )


def _of_timm(given: Mapping[str, Any]) -> ModelCard:
    if missing := [key for key in TIMM if given.get(key) is None]:
        raise ModelError(
            f"pretrained_cfg has no {missing[0]!r}", "give timm.data.resolve_model_data_config(model)"
        )
    channels, height, width = given["input_size"]
    if channels != len("rgb"):
        raise ModelError(
            f"the model takes {channels} channels, and edgenet feeds three", "train it on colors"
        )
    mode, share = given.get("crop_mode") or "center", float(given["crop_pct"])
    if not 0 < share <= 1:
        raise ModelError(f"crop_pct = {share:g} is not a share", "give the model's own pretrained_cfg")
    if (how := _framing(mode, share, height, width, given["mean"])) is None:
        raise ModelError(
            f'a card cannot express crop_mode = "{mode}" with crop_pct = {share:g} for {height}x{width}',
            'train or evaluate with crop_mode="center" and a square input_size',
        )
    return _card(
        {"size": [height, width], **how, "interpolation": _filter(given["interpolation"])},
        *(given["mean"], given["std"], given.get("label_offset") or 0),
    )


def _framing(
    mode: str, share: float, height: int, width: int, mean: Sequence[float]
) -> dict[str, Any] | None:
    """What a card says of timm's crop mode; ``None`` where it has no word for it."""
    side = math.floor(height / share)
    if mode == "squash" and share == 1.0:
        return {"resize": "stretch"}
    if mode == "border" and share == 1.0:
        return {"resize": "letterbox", "fill": [round(PIXEL * level) for level in mean]}
    if height == width and mode in ("center", "squash"):
        return {"resize": "short-side" if mode == "center" else mode, "resize_to": side}
    return None


def _of_torchvision(given: Any) -> ModelCard:
    resized, cropped = _sides(given.resize_size), _sides(given.crop_size)
    height, width = (cropped * 2)[:2]
    if len(resized) == 1:
        how: dict[str, Any] = {"resize": "short-side", "resize_to": resized[0]}
    elif resized == [height, width]:
        how = {"resize": "stretch"}
    elif resized[0] == resized[1]:
        how = {"resize": "squash", "resize_to": resized[0]}
    else:
        raise ModelError(
            f"a card cannot express Resize({tuple(resized)}) with CenterCrop({(height, width)})",
            "give Resize one number, the short side",
        )
    name = str(getattr(given.interpolation, "value", given.interpolation))
    found = _filter(name)
    if getattr(given, "antialias", True) is False:
        if name != "bilinear":
            raise ModelError(f"no card says {name} without antialias", "evaluate with antialias=True")
        found = "bilinear"
    return _card({"size": [height, width], **how, "interpolation": found}, given.mean, given.std, 0)


def _filter(name: str) -> str:
    if name not in FILTERS:
        raise ModelError(
            f"a card cannot express interpolation {name!r}",
            f"evaluate with {' or '.join(map(repr, FILTERS))}",
        )
    return FILTERS[name]


def _sides(value: int | Sequence[int]) -> list[int]:
    return [value] if isinstance(value, int) else [int(side) for side in value]


def _card(table: dict[str, Any], mean: Sequence[float], std: Sequence[float], offset: int) -> ModelCard:
    """With mean and std of pixels from 0 to 1, to twelve digits: 0.485 * 255 is 123.675."""
    scaled = {
        key: [round(float(value) * PIXEL, 12) for value in values]
        for key, values in (("mean", mean), ("std", std))
    }
    how = Preprocessing.from_table({"color": "rgb", **table, **scaled}, "the framework's card")
    kind = load_task(CLASSIFICATION)
    return ModelCard(kind(kind.outputs[0], label_offset=offset), how)
