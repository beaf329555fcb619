"""Presets of detectors: anchors as their authors' code makes them, and cards that name one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from edgenet.agent.detection.anchors import anchors_of
from edgenet.card import read_card
from edgenet.cards.preset import Preset, presets
from edgenet.errors import ModelError

CARD = """
task = "detection"
labels = ["cat"]
[preprocessing]
size = [300, 300]
color = "rgb"
resize = "stretch"
interpolation = "bilinear"
mean = [127.5, 127.5, 127.5]
std = [127.5, 127.5, 127.5]
[detection]
"""


def anchors(name: str) -> np.ndarray:
    return anchors_of(Preset.load(name).detection["anchors"])


def test_the_ssd_of_tensorflow_has_its_box_specifications() -> None:
    """create_ssd_anchors of the Object Detection API, of 6 layers from 0.2 to 0.95."""
    found = anchors("ssd-mobilenet")
    assert len(found) == 19 * 19 * 3 + 6 * (10 * 10 + 5 * 5 + 3 * 3 + 2 * 2 + 1) == 1917
    np.testing.assert_allclose(found[0], [0.5 / 19, 0.5 / 19, 0.1, 0.1])
    np.testing.assert_allclose(found[1, 2:], [0.2 * math.sqrt(2), 0.2 / math.sqrt(2)], rtol=1e-7)
    np.testing.assert_allclose(found[3, :2], [1.5 / 19, 0.5 / 19])  # along the row first
    last = found[-6:]
    np.testing.assert_allclose(last[0], [0.5, 0.5, 0.95, 0.95])
    np.testing.assert_allclose(last[4, 2:], [0.95 * math.sqrt(0.3333), 0.95 / math.sqrt(0.3333)], rtol=1e-7)
    np.testing.assert_allclose(last[5, 2:], [math.sqrt(0.95)] * 2, rtol=1e-7)


def test_the_last_level_of_fpn_lite_begins_in_the_corner() -> None:
    """MultiscaleGridAnchorGenerator: 320 is no multiple of 128, so that level has no offset."""
    found = anchors("ssd-mobilenet-fpnlite-320")
    assert len(found) == 6 * (1600 + 400 + 100 + 25 + 9) == 12_804
    np.testing.assert_allclose(found[0], [4 / 320, 4 / 320, 32 / 320, 32 / 320])
    np.testing.assert_allclose(found[1, 2:], [32 / 320 * math.sqrt(2)] * 2, rtol=1e-7)
    np.testing.assert_allclose(found[-54], [0, 0, 1.6, 1.6])
    np.testing.assert_allclose(found[-6, :2], [256 / 320, 256 / 320])


def test_ssdlite320_is_torchvisions() -> None:
    """DefaultBoxGenerator([[2, 3]] * 6, min_ratio=0.2, max_ratio=0.95), in fractions of the picture."""
    found = anchors("ssdlite320")
    assert len(found) == 3234
    side = math.sqrt(0.2 * 0.35)
    wide, flat = 0.2 * math.sqrt(3), 0.2 / math.sqrt(3)
    want = [[0.2, 0.2], [side, side], [0.2 * math.sqrt(2), 0.2 / math.sqrt(2)]]
    np.testing.assert_allclose(found[:3, 2:], want, rtol=1e-7)
    np.testing.assert_allclose(found[4:6, 2:], [[wide, flat], [flat, wide]], rtol=1e-7)
    assert found[-2, 2] == 1.0  # clipped


@pytest.mark.parametrize("name", [item.name for item in presets() if item.detection])
def test_a_card_names_a_preset_and_says_what_is_its_own(tmp_path: Path, name: str) -> None:
    path = tmp_path / "card.toml"
    path.write_text(f'{CARD}like = "{name}"\nscores = 1\nboxes = 0\nnms_threshold = 0.25\n')
    own = read_card(path).task.settings["detection"]
    assert (own["scores"], own["boxes"], own["nms_threshold"]) == (1, 0, 0.25)
    assert own["anchors"]["maps"] == Preset.load(name).detection["anchors"]["maps"]
    assert "like" not in own


@pytest.mark.parametrize(
    ("name", "said"), [("keras", "is a preset of no detector: write one of blazeface"), ("ssd", "no preset")]
)
def test_no_such_detector(tmp_path: Path, name: str, said: str) -> None:
    path = tmp_path / "card.toml"
    path.write_text(f'{CARD}like = "{name}"\n')
    with pytest.raises(ModelError, match=rf"\[detection\] like.*{said}"):
        read_card(path)
