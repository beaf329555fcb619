"""``[detection]`` of a card: what is read, what is refused and with which words."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.agent.detection.anchors import anchors_of, count_of
from edgenet.detection.anchor_table import read_anchors, written_out
from edgenet.detection.settings import KEYS, read_detection
from edgenet.errors import ModelError

CORNERS = {"coding": "corner-offset", "background": 0}
MAPS: dict[str, Any] = {"maps": [2, [1, 3]], "sizes": [[0.2, 0.3], [0.5]], "ratios": [1.0, 4.0]}


def read(table: object) -> Mapping[str, Any]:
    return read_detection(table, lambda what, remedy: ModelError(f"m.toml: {what}", remedy))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "anchors"),
    [
        ("blazeface_short_range", 896),
        ("ssd_mobilenet_v2_fpnlite_035_192", 3845),
        ("st_ssd_mobilenet_v1_025_192", 3830),
        ("st_ssd_mobilenet_v1_025_224", 6825),
    ],
)
def test_strangers_cards_are_read(name: str, anchors: int, shared: Path) -> None:
    path = shared / "data/detection/models" / f"{name}.toml"
    found = read(tomllib.loads(path.read_text())["detection"])
    assert count_of(found["anchors"]) == anchors
    assert read(found) == found, "what a manifest says is read as it was written"
    assert found["coding"] in ("center-size", "corner-offset")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ([], "is no table"),
        ({"coding": "yolo"}, "coding = 'yolo': write one of corner-offset, center-size"),
        ({"codign": "x"}, "does not know 'codign': did you mean 'coding'?"),
        ({"scores": -1}, "scores = '-1': write the number of the output"),
        ({"scores": True}, "scores = 'True'"),
        ({"background": 1.5}, "background = '1.5'"),
        ({"order": ["ymin", "xmin", "ymax", "ymax"]}, "order = .*: write all four of"),
        ({"order": {}}, "order = '{}'"),
        ({"coding": "center-size", "order": ["xmin", "ymin", "xmax", "ymax"]}, "do not go together"),
        ({"variances": [1, 1, 1, 0]}, "variances = .*write four numbers above 0"),
        ({"variances": [1, 1, 1, float("nan")]}, "variances"),
        ({"scale": 128, "variances": [1, 1, 1, 1]}, "has a scale and variances"),
        ({"scale": 128, "coding": "corner-offset"}, "has a scale and corner offsets"),
        ({"score_threshold": 2}, "score_threshold = '2': write a number from 0 to 1"),
        ({"max_detections": 0}, "max_detections = '0': write a whole number from 1 to 10,000"),
        ({"points": ["a"] * 65}, "points"),
        ({"points": ["nose"], "codes": 4}, "two of each of 1 points are 6: name every point"),
        ({"background": 2, "columns": 2}, "background = 2, and the scores have 2 columns"),
        ({"anchors": {}}, "does not say what the anchors are"),
        ({"anchors": {**MAPS, "steps": [1]}}, "has 'steps' beside sizes"),
        ({"anchors": {**MAPS, "maps": [2]}}, "sizes = .*for each of the 1 maps"),
        ({"anchors": {**MAPS, "maps": [0, 1]}}, "maps = .*write the side of each map"),
        ({"anchors": {**MAPS, "maps": [4000, 4000]}}, "a detector has at most 200,000"),
        ({"anchors": {**MAPS, "ratios": [[1.0]]}}, "ratios = "),
        ({"anchors": {**MAPS, "offset": 2}}, "offset = '2'"),
        ({"anchors": {"values": "no base64 !"}}, "values = .*base64 of little-endian float32"),
        ({"anchors": {"values": base64.b64encode(bytes(12)).decode()}}, "values"),
        ({"anchors": {"values": base64.b64encode(bytes(16)).decode()}}, "values"),  # no width
        ({"anchors": {"tensor": ""}}, "tensor"),
    ],
)
def test_what_is_wrong_is_named(table: object, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        read(table)


@given(st.dictionaries(st.sampled_from([*KEYS, "anchors", "other"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["maps", "sizes", "ratios", "cells", "per_cell", "values", "tensor", "clip"]), inner,
        max_size=4),
    max_leaves=8,
)))  # fmt: skip
def test_any_table_is_read_or_refused(table: dict[str, Any]) -> None:
    try:
        found = read(table)
    except ModelError:
        return
    assert read(found) == found


def test_synonyms_are_read() -> None:
    found = read({"coding": "centre-size", "order": ["cy", "cx", "h", "w"]})
    assert found == {"coding": "center-size", "order": ["cy", "cx", "height", "width"]}


def test_anchors_are_laid_out_map_by_map() -> None:
    anchors = anchors_of(read({"anchors": MAPS})["anchors"])
    assert anchors.shape == (4 * 3 + 3 * 2, 4)
    assert anchors[:3] == pytest.approx(
        np.array([[0.25, 0.25, 0.2, 0.2], [0.25, 0.25, 0.4, 0.1], [0.25, 0.25, 0.3, 0.3]])
    )
    assert anchors[3, :2] == pytest.approx([0.75, 0.25]), "then the next column"
    assert anchors[12:, 0] == pytest.approx(np.repeat([1 / 6, 1 / 2, 5 / 6], 2))
    assert anchors[12:, 1] == pytest.approx(np.full(6, 0.5))


def test_other_forms_of_anchors() -> None:
    cells = anchors_of({"maps": [1], "cells": [[[0.5, 0.25], [2.0, 1.0]]], "clip": True})
    assert cells == pytest.approx(np.array([[0.5, 0.5, 0.5, 0.25], [0.5, 0.5, 1.0, 1.0]]))
    per_map = anchors_of({"maps": [1, 1], "sizes": [[0.1], [0.2]], "ratios": [[1.0], [1.0, 4.0]]})
    assert per_map[:, 2] == pytest.approx([0.1, 0.2, 0.4])
    equal = anchors_of({"maps": [2], "per_cell": [2], "offset": 0.0})
    assert equal[:, :2].tolist() == [
        [0, 0],
        [0, 0],
        [0.5, 0],
        [0.5, 0],
        [0, 0.5],
        [0, 0.5],
        [0.5, 0.5],
        [0.5, 0.5],
    ]


def test_anchors_that_are_written_out_come_back_in_texts_that_a_manifest_holds() -> None:
    anchors = np.random.default_rng(0).uniform(0.01, 1, (3830, 4)).astype(np.float32)
    texts = written_out(anchors)
    assert max(map(len, texts)) <= 16_384
    found = read({"anchors": {"values": "".join([base64.b64encode(anchors.tobytes()).decode()])}})
    assert found["anchors"]["values"] == texts
    assert np.array_equal(anchors_of(found["anchors"]), anchors.astype(np.float64))


def test_lists_within_lists_without_end_are_refused() -> None:
    maps: Any = [1]
    for _ in range(10_000):
        maps = [maps]
    with pytest.raises(ModelError, match=r"maps = .*: write the side of each map"):
        read_anchors({"maps": maps, "per_cell": [1]}, ModelError)
