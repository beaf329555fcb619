"""The camera's case: whose pictures become frames, and which boards take them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgenet.agent.preprocess import encode_ppm
from edgenet.errors import DataError, DeviceError
from edgenet.facts import Facts
from edgenet.frame import Frame
from edgenet.imageset import ImageSet
from edgenet.measure.camera_case import FEW, CameraCase
from edgenet.progress import silent
from tests.measure.test_frame_steps import SHORT

RAW = Frame(16, 16, "rgb")


def picture(value: int) -> bytes:
    return encode_ppm(np.full((16, 16, 3), value, np.uint8))


def bundle(source: str = "calibration", values: tuple[int, ...] = (7, 8)) -> Any:
    names = [f"golden/{value}.ppm" for value in values]
    golden = SimpleNamespace(source=source, images=[SimpleNamespace(file=name) for name in names])
    files = dict(zip(names, map(picture, values), strict=True))
    return SimpleNamespace(manifest=SimpleNamespace(golden=golden, preprocessing=SHORT), files=files)


def test_frames_are_made_of_the_bundles_images() -> None:
    case = CameraCase.of(RAW, bundle(), None, ["ppm"])
    assert case.pictures == [bytes([7]) * 768, bytes([8]) * 768]
    assert case.about() == {"frame": "rgb 16x16", "frame_bytes": 768, "steps": None}
    assert case.notes == ()


def test_frames_are_made_of_the_users_photographs_where_there_are_some(tmp_path: Path) -> None:
    for value in range(40):
        (tmp_path / f"{value:02}.ppm").write_bytes(picture(value))
    case = CameraCase.of(RAW, bundle("synthetic"), ImageSet.load(tmp_path), ["ppm"])
    assert [data[0] for data in case.pictures] == [index * 40 // FEW for index in range(FEW)]
    assert case.notes == (), "photographs are not synthetic"
    (tmp_path / "00.ppm").write_bytes(b"P6 16 16 255\nshort")
    with pytest.raises(DataError, match="no frame can be made of an image: a damaged PPM"):
        CameraCase.of(RAW, bundle(), ImageSet.load(tmp_path), ["ppm"])


def test_a_board_that_decodes_no_jpeg_is_told_what_it_can_take() -> None:
    with pytest.raises(DeviceError, match=r"decodes no JPEG.* measure frame=.640x480:yuyv"):
        CameraCase.of(Frame(640, 480), bundle(), None, ["ppm"])
    assert CameraCase.of(Frame(640, 480, "yuyv"), bundle(), None, ["ppm"]).pictures


def test_synthetic_images_are_no_photographs() -> None:
    (note,) = CameraCase.of(RAW, bundle("synthetic"), None, ["ppm"]).notes
    assert "synthetic" in note


def test_an_emulated_board_has_no_speed() -> None:
    case = CameraCase.of(RAW, bundle(), None, ["ppm"])
    session: Any = None  # nothing is asked of it
    got = case.with_steps(session, Facts(cores=1, emulated=True), silent, lambda _: None)
    assert got.steps is not None
    assert got.steps.absent == "an emulated board has no speed"
