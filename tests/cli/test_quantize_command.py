"""``edgenet quantize``: one file for every backend; the same options for the library and the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgenet.bundle import Bundle
from edgenet.steps.compile import compile
from tests.cli.test_cli import fails, run
from tests.conftest import CHEAP


@pytest.fixture
def quantized(
    capsys: pytest.CaptureFixture[str], model_file: Path, photos: Path, tmp_path: Path
) -> tuple[Path, dict[str, Any]]:
    """The file, and the one JSON document of the command that wrote it."""
    out = tmp_path / "tiny.int8.onnx"
    how = ("--recipe", CHEAP, "--calibration", photos, "-o", out, "--json")
    code, text, _ = run(capsys, "quantize", model_file, *how)
    assert code == 0
    return out, json.loads(text)


def test_the_file_compiles_for_each_backend_without_images(
    capsys: pytest.CaptureFixture[str],
    quantized: tuple[Path, dict[str, Any]],
    model_file: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    file, told = quantized
    assert told["path"] == str(file)
    assert {"seconds", "images", "peak_mb", "layers"} <= set(told["quantization"])
    assert (told["precision"], told["recipe"]["name"], told["model"]["name"]) == ("int8", CHEAP, "tiny")
    for backend in ("tflite", "onnxruntime"):
        code, text, _ = run(capsys, "compile", file, "--target", "local", "--backend", backend, "--json")
        manifest = json.loads(text)
        assert code == 0
        assert manifest["path"] == f"tiny.local.{backend}.int8.edgenet"
        assert manifest["quantization"]["seconds"] == told["quantization"]["seconds"]
        direct = compile(model_file, "local", backend, "int8", CHEAP, photos)
        assert Bundle.load(manifest["path"]).digest == manifest["digest"] == direct.bundle.digest


def test_it_is_shown_and_planned(
    capsys: pytest.CaptureFixture[str], quantized: tuple[Path, dict[str, Any]]
) -> None:
    file, told = quantized
    code, text, _ = run(capsys, "inspect", file, "--json")
    assert (code, json.loads(text)["model"]) == (0, told["model"])
    code, text, _ = run(capsys, "inspect", file)
    assert code == 0
    assert f"by recipe {CHEAP} with 12 images" in text
    code, text, _ = run(
        capsys, "compile", file, "--target", "local", "--backend", "tflite", "--dry-run", "--json"
    )
    assert (code, json.loads(text)["recipe"]) == (0, CHEAP)


def test_without_json_it_says_what_it_did_and_when_it_was_done_before(
    capsys: pytest.CaptureFixture[str], quantized: tuple[Path, dict[str, Any]], model_file: Path, photos: Path
) -> None:
    file, told = quantized
    assert told["quantization"]["cached"] is False
    how = ("--recipe", CHEAP, "--calibration", photos, "-o", file)
    code, text, _ = run(capsys, "quantize", model_file, *how)
    assert code == 0
    assert "with 12 images in" in text
    assert "taken from the cache" in text
    code, text, _ = run(capsys, "quantize", model_file, *how, "--no-cache")
    assert code == 0
    assert "taken from the cache" not in text


def test_failures_are_one_line_with_the_right_code(
    capsys: pytest.CaptureFixture[str],
    quantized: tuple[Path, dict[str, Any]],
    model_file: Path,
    photos: Path,
    tmp_path: Path,
) -> None:
    file, _ = quantized
    images = ("--calibration", photos)
    assert "needs calibration images" in fails(capsys, 1, "quantize", model_file)
    assert "cannot be read" in fails(capsys, 1, "quantize", tmp_path / "none.onnx", *images)
    assert "quantized already" in fails(capsys, 1, "quantize", file, *images)
    assert "makes fp16" in fails(capsys, 1, "quantize", model_file, "--recipe", "fp16", *images)
    assert "a drift limit is for int8" in fails(
        capsys, 1, "quantize", model_file, "--recipe", CHEAP, "--max-drift", 1, *images
    )
    (tmp_path / "file").write_text("not a folder")
    below = tmp_path / "file" / "x.int8.onnx"
    assert "cannot be written" in fails(
        capsys, 1, "quantize", model_file, "--recipe", CHEAP, *images, "-o", below
    )
    assert "cannot be written" in fails(
        capsys, 1, "compile", file, "--target", "local", "--backend", "tflite", "-o", below
    )
    file.write_bytes(file.read_bytes()[:-9])
    assert "truncated" in fails(capsys, 1, "compile", file, "--target", "local")


def test_the_model_itself_is_never_overwritten(
    capsys: pytest.CaptureFixture[str], model_file: Path, photos: Path
) -> None:
    before = model_file.read_bytes()
    code, out, err = run(capsys, "quantize", model_file, "--calibration", photos, "-o", model_file)
    assert (code, out) == (2, "")
    assert "is the model itself" in err
    assert model_file.read_bytes() == before


def test_a_float_model_may_be_called_int8(
    capsys: pytest.CaptureFixture[str], model_file: Path, tmp_path: Path
) -> None:
    """What a file holds decides, not its name."""
    odd = tmp_path / "odd.int8.onnx"
    odd.write_bytes(model_file.read_bytes())
    how = ("--target", "local", "--backend", "tflite", "--precision", "fp32", "-o", tmp_path / "o.edgenet")
    card = ("--preprocessing", model_file.with_suffix(".toml"))
    assert run(capsys, "compile", odd, *how, *card)[0] == 0
