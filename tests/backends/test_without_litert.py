"""A machine without LiteRT: TFLite files are written, read and answered, and what is lost is said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import edgenet
from edgenet.backend import load_backend
from edgenet.backends.lowering.read_back import ReadBack
from edgenet.bundle import Bundle
from edgenet.imageset import ImageSet
from edgenet.library import image_folder

# None among the loaded modules: Python takes it for one that is not there.
PROGRAM = """
import sys
sys.modules["ai_edge_litert"] = sys.modules["tflite_runtime"] = None
import json
import edgenet
from edgenet.errors import PlanError
made = edgenet.compile("signs", "raspberry-pi-4", "tflite", "int8", calibration="signs", cache=False)
made.write(sys.argv[1])
try:
    edgenet.compile("signs", "local", "tflite", "fp32")
except PlanError as error:
    refused = str(error)
here = edgenet.compile("signs", "local", precision="fp32").plan.backend
read = edgenet.Model.load(sys.argv[2]).precision
print(json.dumps({"notes": made.notes, "refused": refused, "here": here, "read": read}))
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Bundle, dict[str, str]]:
    """The same build made with LiteRT and without, and what was said without."""
    folder = tmp_path_factory.mktemp("without")
    ours = edgenet.compile("signs", "raspberry-pi-4", "tflite", "int8", calibration="signs").bundle
    (folder / "given.tflite").write_bytes(ours.artifact)
    card = (Path(edgenet.__file__).parent / "zoo" / "signs" / "signs.toml").read_text(encoding="utf-8")
    (folder / "given.toml").write_text(card, encoding="utf-8")
    command = [sys.executable, "-c", PROGRAM, folder / "b.edgenet", folder / "given.tflite"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ours, Bundle.load(folder / "b.edgenet"), json.loads(done.stdout)


def test_the_file_is_the_same_to_the_byte(there: tuple[Bundle, Bundle, dict[str, str]]) -> None:
    ours, theirs, _ = there
    assert ours.artifact == theirs.artifact


def test_its_answers_are_those_of_litert(there: tuple[Bundle, Bundle, dict[str, str]]) -> None:
    ours, theirs, _ = there
    assert np.array_equal(ours.array("golden/artifact.npy"), theirs.array("golden/artifact.npy"))


def test_what_could_not_be_compared_is_said(there: tuple[Bundle, Bundle, dict[str, str]]) -> None:
    said = there[2]
    assert any("no LiteRT for this machine" in note for note in said["notes"])
    assert "tflite" in said["refused"]
    assert (said["here"], said["read"]) == ("onnxruntime", "int8")


@pytest.mark.parametrize(
    ("name", "precision", "head"),
    [("signs", "fp32", "logits"), ("signs", "int8", "argmax"), ("scenes", "int8", "logits")],
)
def test_a_file_read_back_answers_as_litert_does(
    tmp_path: Path, name: str, precision: str, head: str
) -> None:
    bundle = edgenet.compile(name, "raspberry-pi-4", "tflite", precision, None, name, head=head).bundle
    path = tmp_path / "model.tflite"
    path.write_bytes(bundle.artifact)
    images = ImageSet.load(image_folder(name, "val"))
    sessions = load_backend("tflite").open(path), ReadBack(bundle.artifact, "model.tflite", 1)
    for index in range(4):
        pixels = images.pixels(index, bundle.manifest.preprocessing)[0][None]
        litert, own = (session.run(pixels) for session in sessions)
        assert (own.shape, own.dtype) == (litert.shape, litert.dtype)
        assert np.abs(own.astype(float) - litert).max() <= (0 if precision == "int8" else 1e-4)
