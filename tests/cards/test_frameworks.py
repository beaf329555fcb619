"""timm's and torchvision's own words in memory become whole cards; what no card can say is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edgenet.card import read_card
from edgenet.cards.frameworks import card_like
from edgenet.errors import ModelError

# As timm 1.0.31 has it in mobilenetv2_100.pretrained_cfg.
TIMM: dict[str, Any] = {
    "input_size": (3, 224, 224), "interpolation": "bicubic", "crop_pct": 0.875, "crop_mode": "center",
    "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225), "label_offset": 0,
}  # fmt: skip


def torchvision(**changes: Any) -> SimpleNamespace:
    """As torchvision 0.29's ImageClassification of MobileNet_V2_Weights.IMAGENET1K_V2 has it."""
    told = {
        "crop_size": [224], "resize_size": [232], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
        "interpolation": SimpleNamespace(value="bilinear"), "antialias": True,
    }  # fmt: skip
    return SimpleNamespace(**(told | changes))


def test_timm(tmp_path: Path) -> None:
    card = card_like(TIMM)
    how = card.preprocessing
    assert (how.size, how.color, how.resize, how.resize_to) == ((224, 224), "rgb", "short-side", 256)
    assert how.interpolation == "bicubic-antialias"
    assert how.mean == (123.675, 116.28, 103.53)
    assert how.std == (58.395, 57.12, 57.375)
    assert read_card(card.write(tmp_path / "m.toml")) == card


def test_timm_squashes_and_borders() -> None:
    squash = card_like({**TIMM, "crop_mode": "squash"}).preprocessing
    assert (squash.resize, squash.resize_to) == ("squash", 256)
    assert card_like({**TIMM, "crop_mode": "squash", "crop_pct": 1}).preprocessing.resize == "stretch"
    border = card_like({**TIMM, "crop_mode": "border", "crop_pct": 1}).preprocessing
    assert (border.resize, border.fill) == ("letterbox", (124, 116, 104))


def test_torchvision() -> None:
    how = card_like(torchvision()).preprocessing
    assert (how.size, how.resize, how.resize_to) == ((224, 224), "short-side", 232)
    assert how.interpolation == "bilinear-antialias"
    assert card_like(torchvision(resize_size=[224, 224])).preprocessing.resize == "stretch"
    squash = card_like(torchvision(resize_size=[256, 256])).preprocessing
    assert (squash.resize, squash.resize_to) == ("squash", 256)
    assert card_like(torchvision(antialias=False)).preprocessing.interpolation == "bilinear"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({**TIMM, "crop_pct": None}, "has no 'crop_pct'"),
        ({**TIMM, "input_size": (1, 224, 224)}, "takes 1 channels"),
        ({**TIMM, "crop_mode": "border"}, 'crop_mode = "border"'),
        ({**TIMM, "crop_mode": "squash", "input_size": (3, 224, 256)}, 'crop_mode = "squash"'),
        ({**TIMM, "interpolation": "lanczos"}, "interpolation 'lanczos'"),
        ({**TIMM, "crop_pct": 1.5}, "not a share"),
        (torchvision(resize_size=[256, 300]), r"Resize\(\(256, 300\)\)"),
        ({"mean": 1}, "does not say"),
        (3, "a int does not say"),
    ],
)
def test_what_no_card_says_is_refused(source: Any, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        card_like(source)
