"""`edgenet init` of a detector: what its file says is read, the rest is asked, and presets answer it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import onnx
import pytest

from edgenet.card import read_card
from edgenet.errors import ModelError
from edgenet.model import Model
from edgenet.steps.init import Card, init
from tests.original.detector.nets import Net
from tests.original.detector.test_told import decoded_as_torchvision, model, picking


def drafted(folder: Path, proto: onnx.ModelProto, **options: Any) -> tuple[Card, dict[str, Any]]:
    path = folder / "net.onnx"
    onnx.save(proto, path)
    card = init(path, **options)
    return card, tomllib.loads(card.path.read_text())


def test_what_picks_boxes_tells_all_but_the_background(tmp_path: Path) -> None:
    card, table = drafted(tmp_path, model(picking(decoded_as_torchvision, "Softmax")), like="keras")
    assert (table["task"], card.open) == ("detection", ("background",))
    own = table["detection"]
    assert (own["scores"], own["boxes"], own["score_activation"]) == ("scores", "boxes", "none")
    assert (own["coding"], own["variances"]) == ("center-size", [0.1, 0.1, 0.2, 0.2])
    with pytest.raises(ModelError, match=r"line \d+: background is an open question.*no class"):
        read_card(card.path)
    text = card.path.read_text()
    card.path.write_text(text.replace('background = "?"', "background = 0"))
    assert Model.load(tmp_path / "net.onnx").settings["detection"]["columns"] == 3


def test_outputs_go_by_their_number_and_what_nobody_says_is_asked(tmp_path: Path) -> None:
    net = Net().joined()
    net.outputs = ["boxes", "scores"]
    card, table = drafted(tmp_path, net.model())
    assert (table["detection"]["scores"], table["detection"]["boxes"]) == (1, 0)
    assert {"score_activation", "background", "coding", "anchors"} < set(card.open)


def test_a_preset_of_detectors_answers_what_is_open(tmp_path: Path) -> None:
    card, table = drafted(tmp_path, Net().joined("Sigmoid").model(), like="ssd-mobilenet")
    assert not card.open
    assert list(table["detection"]) == ["like", "scores", "boxes", "score_activation"]
    with pytest.raises(ModelError, match=r"1,917 anchors in the card, 60 in the file"):
        Model.load(tmp_path / "net.onnx")


def test_a_classifier_of_two_outputs_stays_one(tmp_path: Path) -> None:
    net = Net()
    net.outputs = [net.add("GlobalAveragePool", [name], f"{name}/mean") for name in net.scores]
    _, table = drafted(tmp_path, net.model())
    assert "detection" not in table
