"""The command line: one line and the right exit code for each bad input, JSON alone where asked."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from edgenet.cli.main import _run, main
from edgenet.steps.compile import compile
from tests.conftest import CHEAP
from tests.reports import report as made_report


@pytest.fixture
def bundle(model_file: Path, photos: Path, tmp_path: Path) -> Path:
    return compile(model_file, "local", "onnxruntime", "int8", CHEAP, calibration=photos).write(
        tmp_path / "b.edgenet"
    )


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    code = _run([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: Any) -> str:
    """Run what must fail: nothing on stdout, one line of reason on stderr, which is returned."""
    got, out, err = run(capsys, *arguments)
    assert got == code, err
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith("edgenet: ") and ";" in line]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


def test_compile_writes_a_bundle_and_its_manifest(
    capsys: pytest.CaptureFixture[str], model_file: Path, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.edgenet"
    code, text, _ = run(
        capsys, "compile", model_file, "--target", "local", "--backend", "tflite", "--precision", "int8",
        "--calibration", photos, "-o", out, "--json",
    )  # fmt: skip
    manifest = json.loads(text)
    assert code == 0
    assert out.is_file()
    assert manifest["artifact"]["file"] == "model.tflite"
    assert manifest["files"]["model.tflite"]["sha256"]
    assert manifest["quantization"]["images"] == 12
    assert {"seconds", "images", "peak_mb", "layers"} <= set(manifest["quantization"])
    assert len(manifest["quantization"]["layers"]) >= 28


def test_the_name_of_the_output_says_what_it_is(
    capsys: pytest.CaptureFixture[str], model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text, _ = run(capsys, "compile", model_file, "--target", "raspberry-pi-4", "--precision", "fp32")
    assert code == 0
    assert (tmp_path / "tiny.raspberry-pi-4.tflite.fp32.edgenet").is_file()
    assert "tiny.raspberry-pi-4.tflite.fp32.edgenet" in text


def test_dry_run_prints_the_plan_and_does_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    build = ("compile", "signs", "--target", "raspberry-pi-5", "--dry-run")
    code, text, _ = run(capsys, *build, "--calibration", "signs")
    assert code == 0
    rows = dict(line.split(maxsplit=1) for line in text.splitlines())
    assert rows["build"] == "tflite int8 for raspberry-pi-5"
    assert rows["images"] == "256 for calibration"
    assert rows["output"] == "signs.raspberry-pi-5.tflite.int8.edgenet"
    assert "time" not in rows, "nothing like it was run"
    assert list(tmp_path.iterdir()) == []
    assert "int8 needs calibration images" in fails(capsys, 1, *build)
    assert "not a folder" in fails(capsys, 1, *build, "--calibration", "none")
    assert "cannot be read" in fails(capsys, 1, "compile", "any.onnx", *build[2:])


def test_a_dry_run_tells_what_is_cached_and_how_long_it_took(
    capsys: pytest.CaptureFixture[str],
    model_file: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    build = ("compile", model_file, "--target", "local", "--backend", "tflite", "--precision", "int8")
    build = (*build, "--recipe", CHEAP, "--calibration", photos, "-o", tmp_path / "o.edgenet")
    told = json.loads(run(capsys, *build, "--dry-run", "--json")[1])
    assert (told["cached"], told["images"], told["expected_s"]) == (False, 12, None)
    for _ in range(2):
        assert run(capsys, *build)[0] == 0
    told = json.loads(run(capsys, *build, "--dry-run", "--json")[1])
    assert told["cached"] is True
    assert told["path"] == str(tmp_path / "o.edgenet")
    assert 0 < told["expected_s"] < 60
    code, text, _ = run(capsys, *build, "--dry-run")
    assert code == 0
    assert re.search(r"^time +about [\d.]+ s, as the last time", text, re.M)
    assert re.search(r"^output .*would be written over$", text, re.M)


def test_bad_models(capsys: pytest.CaptureFixture[str], tmp_path: Path, model_file: Path) -> None:
    text = tmp_path / "t.onnx"
    text.write_text("no model")
    assert "not an ONNX" in fails(capsys, 1, "compile", text, "--target", "local")
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(model_file.read_bytes()[:5000])
    assert "truncated" in fails(capsys, 1, "compile", cut, "--target", "local")
    assert "cannot be read" in fails(capsys, 1, "compile", tmp_path / "none.onnx", "--target", "local")
    bare = tmp_path / "bare.onnx"
    bare.write_bytes(model_file.read_bytes())
    line = fails(capsys, 1, "compile", bare, "--target", "local", "--precision", "fp32")
    assert "how to feed this model is not known" in line
    assert "edgenet init" in line


def test_an_operator_no_backend_can_lower(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model_file: Path
) -> None:
    import onnx

    proto = onnx.load(model_file)
    node = next(node for node in proto.graph.node if node.op_type == "Clip")
    node.op_type, node.name = "Selu", "odd_one"
    del node.input[1:]
    path = tmp_path / "elu.onnx"
    onnx.save(proto, path)
    path.with_suffix(".toml").write_text(model_file.with_suffix(".toml").read_text())
    out = tmp_path / "o.edgenet"
    line = fails(
        capsys,
        1,
        "compile",
        path,
        "--target",
        "local",
        "--backend",
        "tflite",
        "--precision",
        "fp32",
        "-o",
        out,
    )
    assert "Selu" in line
    assert "odd_one" in line
    assert not out.exists()


def test_bad_calibration(capsys: pytest.CaptureFixture[str], tmp_path: Path, model_file: Path) -> None:
    build = ("compile", model_file, "--target", "local", "--precision", "int8")
    assert "needs calibration images" in fails(capsys, 1, *build)
    assert "not a folder" in fails(capsys, 1, *build, "--calibration", tmp_path / "none")
    assert "no image in it" in fails(capsys, 1, *build, "--calibration", tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff no")
    assert "a.jpg" in fails(capsys, 1, *build, "--calibration", tmp_path)


def test_labels_of_another_length(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model_file: Path
) -> None:
    (tmp_path / "l.txt").write_text("one\ntwo\n")
    line = fails(capsys, 1, "compile", model_file, "--target", "local", "--labels", tmp_path / "l.txt")
    assert "2 labels for 5 classes" in line


def test_unknown_names(capsys: pytest.CaptureFixture[str], model_file: Path) -> None:
    assert "did you mean raspberry-pi-4" in fails(
        capsys, 1, "compile", model_file, "--target", "raspbery-pi-4"
    )
    assert "no recipe" in fails(capsys, 1, "compile", model_file, "--target", "local", "--recipe", "magic")
    assert "has no tensorrt" in fails(
        capsys, 1, "compile", model_file, "--target", "local", "--backend", "tensorrt"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["compile"],
        ["compile", "x.onnx"],
        ["nonsense"],
        ["profile", "none.edgenet"],
        ["demo", "--answers", "-", "--json"],
    ],
)
def test_usage_errors_are_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert "Usage" in err


def test_a_damaged_bundle(capsys: pytest.CaptureFixture[str], home: Path, bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-3000])
    assert "damaged" in fails(capsys, 1, "deploy", bundle)
    assert "damaged" in fails(capsys, 1, "profile", bundle)
    assert "damaged" in fails(capsys, 1, "inspect", bundle)


def test_a_bundle_that_is_not_deployed(capsys: pytest.CaptureFixture[str], home: Path, bundle: Path) -> None:
    line = fails(capsys, 1, "profile", bundle)
    assert "not deployed on local" in line
    assert f"run edgenet deploy {bundle} --device local" in line


def test_deploy_profile_and_limits(
    capsys: pytest.CaptureFixture[str], home: Path, bundle: Path, photos: Path, tmp_path: Path
) -> None:
    code, text, _ = run(capsys, "deploy", bundle, "--json")
    assert code == 0
    assert json.loads(text)["changed"]
    code, text, _ = run(capsys, "deploy", bundle)
    assert "already on local" in text
    saved = tmp_path / "r.json"
    code, text, err = run(
        capsys, "profile", bundle, "--protocol", "quick", "--val", photos, "-o", saved, "--json"
    )
    assert code == 0, err
    report = json.loads(text)
    assert report == json.loads(saved.read_text())
    contract(report)
    code, text, _ = run(capsys, "profile", bundle, "--protocol", "quick", "--min-fps", 1, "--max-drift", 100)
    assert code == 0
    assert "kept" in text
    code, text, _ = run(capsys, "profile", bundle, "--protocol", "quick", "--min-fps", 1e7)
    assert code == 4
    assert "MISSED" in text
    code, text, _ = run(capsys, "compare", saved, saved)
    assert code == 0
    assert "cannot tell" in text


def test_the_cameras_case(
    capsys: pytest.CaptureFixture[str], home: Path, bundle: Path, tmp_path: Path
) -> None:
    run(capsys, "deploy", bundle)
    saved = tmp_path / "r.json"
    code, text, err = run(capsys, "profile", bundle, "--protocol", "quick", "--frame", "160x120", "-o", saved)
    assert code == 0, err
    assert re.search(r"^pipeline +jpeg 160x120, \d+ kB a frame: decode .* of a frame at 24 FPS", text, re.M)
    assert re.search(r"^next step +\S.*yuyv instead of jpeg", text, re.M)
    pipeline = json.loads(saved.read_text())["pipeline_ms"]
    assert set(pipeline["parts"]) == {"decode", "fit", "invoke", "post"}
    assert pipeline["frame"] == "jpeg 160x120"
    assert pipeline["frame_bytes"] > 500
    assert [item["frame"] for item in pipeline["steps"]["tried"]] == ["yuyv 160x120"]
    assert pipeline["steps"]["rounds"] >= 60
    code, text, _ = run(capsys, "report", saved)
    assert code == 0
    assert "jpeg 160x120" in text


def test_frames_that_are_none(capsys: pytest.CaptureFixture[str], home: Path, bundle: Path) -> None:
    code, out, err = run(capsys, "profile", bundle, "--frame", "641x480:yuyv")
    assert (code, out) == (2, "")
    assert "its width is even: give 640x480" in " ".join(err.split())
    protocol = bundle.with_name("bare.toml")
    text = "name = 'bare'\nsummary = ''\nwarmup_s = 0.1\nmin_seconds = 0.1\nmin_runs = 1\nmax_seconds = 1.0\n"
    protocol.write_text(text + "pipeline = false\n")
    line = fails(capsys, 1, "profile", bundle, "--frame", "640x480", "--protocol", protocol)
    assert "the protocol bare measures no pipeline" in line


def contract(report: dict[str, Any]) -> None:
    """The names of DESIGN §6 that other programs rely on."""
    assert report["schema"] == 1
    assert {"digest", "model", "backend", "precision", "size_bytes"} <= set(report["bundle"])
    assert {"name", "target", "facts"} <= set(report["device"])
    assert {"min", "p50", "p90", "p99", "mean", "stdev", "samples"} <= set(report["latency_ms"])
    assert {"model", "pipeline"} <= set(report["fps"])
    assert {"load", "first_run", "peak"} <= set(report["memory_mb"])
    assert isinstance(report["layers"], list)
    assert {
        "images", "labelled", "top1", "top1_reference", "top1_delta_pp", "interval_pp", "mcnemar_p",
        "agreement", "cosine", "max_abs", "stages",
    } <= set(report["drift"])  # fmt: skip
    assert set(report["drift"]["stages"]) == {"preprocess", "conversion", "quantization", "kernel"}
    assert report["drift"]["labelled"]
    assert report["drift"]["images"] == 12
    assert report["drift"]["stages"]["preprocess"] == {"images": 12, "identical": 12}
    assert report["drift"]["stages"]["kernel"]["identical"]
    assert len(report["latency_ms"]["samples"]) >= 50
    assert report["fps"]["model"] > report["fps"]["pipeline"] > 0
    assert report["memory_mb"]["peak"] > report["memory_mb"]["load"] > 0
    assert {"state", "reasons"} <= set(report["verdict"])


def test_bad_validation_sets(
    capsys: pytest.CaptureFixture[str], home: Path, bundle: Path, tmp_path: Path
) -> None:
    assert "not a folder" in fails(capsys, 1, "profile", bundle, "--val", tmp_path / "none")
    folder = tmp_path / "val"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"x")
    (folder / "labels.csv").write_text("file,class_index\na.jpg,7\n")
    assert "class_index 7 in labels.csv, the model has 5 classes" in fails(
        capsys, 1, "profile", bundle, "--val", folder
    )


def test_an_unknown_board_is_3(
    capsys: pytest.CaptureFixture[str], home: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = fails(capsys, 3, "deploy", bundle, "--device", "no-such-host.invalid")
    assert "no-such-host.invalid" in line


def test_inspect_everything(capsys: pytest.CaptureFixture[str], model_file: Path, bundle: Path) -> None:
    code, text, _ = run(capsys, "inspect", model_file, "--json")
    assert code == 0
    assert json.loads(text)["multiply_adds"] > 1e6
    code, text, _ = run(capsys, "inspect", bundle)
    assert code == 0
    assert "uint8 [1, 64, 64, 3]" in text
    assert "logit = " in text
    code, text, _ = run(capsys, "inspect", bundle, "--json")
    assert json.loads(text)["backend"] == "onnxruntime"


def test_targets(capsys: pytest.CaptureFixture[str]) -> None:
    code, text, _ = run(capsys, "targets")
    assert code == 0
    assert "raspberry-pi-4" in text
    code, text, _ = run(capsys, "targets", "raspberry-pi-5", "--json")
    assert json.loads(text)["cpu"]["core"] == "Cortex-A76"
    code, text, _ = run(capsys, "targets", "raspberry-pi-5")
    assert "not yet verified on a real board" in text


def test_probe_local(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    code, text, _ = run(capsys, "probe", "--json")
    assert code == 0
    facts = json.loads(text)
    assert facts["cores"] > 0
    assert "onnxruntime" in facts["runtimes"]


def test_interrupted_is_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import edgenet.steps.probe

    def stop(device: str, progress: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(edgenet.steps.probe, "probe", stop)
    code, _, err = run(capsys, "probe")
    assert code == 130
    assert "interrupted" in err


def test_an_interrupted_library_is_no_broken_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A module written in C that is being loaded ends with ImportError where Ctrl-C was pressed."""
    import edgenet.steps.probe

    def load(device: str, progress: object) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise ImportError("initialization failed")

    monkeypatch.setattr(edgenet.steps.probe, "probe", load)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    before = signal.getsignal(signal.SIGINT)
    try:
        with pytest.raises(SystemExit) as ended:
            main(["probe"])
    finally:
        signal.signal(signal.SIGINT, before)
        logging.captureWarnings(False)
    assert ended.value.code == 130
    assert capsys.readouterr().err.splitlines()[-1] == "edgenet: interrupted"


def test_reports_are_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, p50 in (("a", 2.0), ("b", 4.0)):
        made_report(p50).write(tmp_path / f"{name}.json")
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    code, text, _ = run(capsys, "report", a)
    assert code == 0
    assert "histogram" in text
    assert "\x1b" not in text
    code, text, err = run(capsys, "report", a, b, "-o", tmp_path / "r.html")
    assert (code, text) == (0, "")
    assert "kB" in err
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert run(capsys, "report", a, b, "--format", "md")[1].startswith("### m\n")
    figures = json.loads(run(capsys, "report", a, b, "--json")[1])["reports"]
    assert [round(item["p50_ms"]) for item in figures] == [2, 4]


def test_what_cannot_be_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made_report().write(tmp_path / "a.json")
    cut = tmp_path / "cut.json"
    cut.write_text((tmp_path / "a.json").read_text()[:500])
    assert "truncated" in fails(capsys, 1, "report", cut)
    newer = tmp_path / "newer.json"
    newer.write_text('{"schema": 2}')
    assert "schema 2, this edgenet reads 1" in fails(capsys, 1, "report", tmp_path / "a.json", newer)
    code, _, err = run(capsys, "report", tmp_path / "a.json", "-o", tmp_path / "x.pdf")
    assert (code, "unknown report format" in err) == (2, True)
