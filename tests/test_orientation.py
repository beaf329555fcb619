"""Photos that a phone turned by a tag: ignored and told, or upright everywhere alike."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from edgenet.agent.demo.figures import Figures
from edgenet.agent.demo.frame import Frame
from edgenet.agent.demo.pixels import oriented, rgb
from edgenet.agent.demo.sources.folder import picture
from edgenet.agent.demo.view import View
from edgenet.agent.preprocess import decode, is_turned, pixels_of
from edgenet.errors import ModelError
from edgenet.imageset import ImageSet
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.input_notes import image_notes
from edgenet.steps.profile import profile
from edgenet.verify.expected import encoder_for
from edgenet.verify.golden import choose
from tests.conftest import CHEAP, smooth_images

# By what an upright picture is turned when a camera stores it so (inverse of what the tag asks for).
STORED = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


def stored(upright: np.ndarray, turned: int, form: str = "PNG", **how: object) -> bytes:
    """An upright picture as a camera that was held so stores it."""
    image, tags, stream = Image.fromarray(upright), Image.Exif(), io.BytesIO()
    image = image.transpose(STORED[turned]) if STORED[turned] is not None else image
    tags[0x0112] = turned
    image.save(stream, form, exif=tags, **how)  # type: ignore[arg-type]
    return stream.getvalue()


def folder_of(path: Path, rows: int = 80, columns: int = 96, form: str = "PNG") -> tuple[Path, Path]:
    """The same twelve pictures, upright, and turned by tags (nine of them)."""
    upright, turned = path / "upright", path / "turned"
    for folder in (upright, turned):
        folder.mkdir()
    for index, image in enumerate(smooth_images(12, rows=rows, columns=columns)):
        suffix = form.lower()
        (upright / f"{index:02d}.{suffix}").write_bytes(stored(image, 1, form))
        (turned / f"{index:02d}.{suffix}").write_bytes(stored(image, (1, 3, 6, 8)[index % 4], form))
    return upright, turned


@pytest.fixture
def applying(model: Model) -> Model:
    return replace(model, preprocessing=replace(model.preprocessing, orientation="apply"))


def test_the_card_says_it_and_old_cards_stay_as_they_are(model: Model) -> None:
    table = model.preprocessing.to_table()
    assert "orientation" not in table
    assert Preprocessing.from_table(table, "card").orientation == "ignore"
    assert Preprocessing.from_table({**table, "orientation": "ignore"}, "card") == model.preprocessing
    made = Preprocessing.from_table({**table, "orientation": "apply"}, "card")
    assert Preprocessing.from_table(made.to_table(), "card") == made
    with pytest.raises(ModelError, match="orientation = 'auto' is not one of ignore, apply"):
        Preprocessing.from_table({**table, "orientation": "auto"}, "card")


def test_applied_it_gives_the_upright_pictures_pixels(tmp_path: Path, model: Model, applying: Model) -> None:
    upright, turned = (ImageSet.load(folder) for folder in folder_of(tmp_path))
    for index in range(12):
        wanted = upright.pixels(index, model.preprocessing)
        assert np.array_equal(turned.pixels(index, applying.preprocessing), wanted)
        assert np.array_equal(turned.pixels(index, model.preprocessing), wanted) == (index % 4 == 0)


def test_a_board_without_pillow_gets_upright_pixels(model: Model, applying: Model) -> None:
    data, wanted = stored(smooth_images(1)[0], 6), smooth_images(1)[0]
    ppm = encoder_for(["ppm"], applying.preprocessing)(data)
    spec = applying.preprocessing.to_table()
    seen = pixels_of(data, spec)
    with mock.patch.dict(sys.modules, {"PIL": None}):
        assert np.array_equal(decode(ppm), wanted)
        assert np.array_equal(pixels_of(ppm, spec), seen)
    assert encoder_for(["jpeg"], applying.preprocessing)(data) is data
    assert np.array_equal(decode(encoder_for(["ppm"], model.preprocessing)(data)), decode(data))


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_golden_pictures_stand_upright_whatever_their_size(
    tmp_path: Path, model: Model, applying: Model, form: str
) -> None:
    upright, turned = (ImageSet.load(folder) for folder in folder_of(tmp_path, 480, 640, form))
    wanted, found = choose(upright, model, False), choose(turned, applying, False)
    assert form == "JPEG" or all(name.endswith(".ppm") for name in found.images), "they are not that large"
    assert np.abs(found.pixels.astype(int) - wanted.pixels).max() <= (0 if form == "PNG" else 12)


def test_what_is_ignored_is_told(tmp_path: Path, model: Model, applying: Model) -> None:
    upright, turned = (ImageSet.load(folder) for folder in folder_of(tmp_path))
    (line,) = image_notes(turned, model.preprocessing)
    assert line.startswith("9 of 12 images carry a rotation that is ignored")
    assert image_notes(turned, model.preprocessing, 4)[0].startswith("3 of 4 images carry a rotation")
    assert image_notes(turned, applying.preprocessing) == image_notes(upright, model.preprocessing) == ()
    assert image_notes(None, model.preprocessing) == ()


def test_host_and_board_see_the_same(home: Path, tmp_path: Path, model: Model, applying: Model) -> None:
    _, turned = folder_of(tmp_path)
    for which, notes in ((model, 1), (applying, 0)):
        made = compile(which, "local", "onnxruntime", "int8", CHEAP, calibration=turned)
        assert sum("carry a rotation" in note for note in made.notes) == notes
        assert made.bundle.manifest.preprocessing == which.preprocessing
        deploy(made.bundle)
        report = profile(made.bundle, "local", "quick", val=turned)
        assert report.drift.stages.preprocess.identical == 12
        assert sum("carry a rotation" in note for note in report.verdict.notes) == notes


def test_the_demo_shows_what_the_model_takes() -> None:
    image = smooth_images(1)[0]
    apply, ignore = {"orientation": "apply"}, {}
    for form in ("PNG", "JPEG"):
        data = stored(image, 6, form)
        frame = picture(data)
        image_of = rgb(frame)
        assert np.array_equal(oriented(image_of, frame, ignore), decode(data))
        assert np.array_equal(oriented(image_of, frame, apply), decode(data, "apply"))
        assert oriented(image_of, frame, apply).shape == image.shape
        for spec in (ignore, apply):
            view = View(None, [SimpleNamespace(spec=spec)], Figures())
            view.publish(SimpleNamespace(frame=frame, boxes=[]))
            _, sent, kind, _ = view.picture(None, 0)
            assert kind == "jpeg"
            assert not is_turned(sent), "a browser would turn it once more"
            assert decode(sent).shape == oriented(image_of, frame, spec).shape
    upright = picture(stored(image, 1, "JPEG"))
    view = View(None, [SimpleNamespace(spec=apply)], Figures())
    view.publish(SimpleNamespace(frame=upright, boxes=[]))
    assert view.picture(None, 0)[1] is upright.data, "what stands upright goes on as it came"
    camera = Frame("rgb", image, (96, 80))
    assert oriented(image, camera, apply) is image
