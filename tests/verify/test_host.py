"""What an artifact gives on this machine does not depend on this machine's processor."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from edgenet.backend import load_backend
from edgenet.graph.kernels import SIGNED, UNSATURATED, kernel_options
from edgenet.model import Model
from edgenet.verify.host import run_artifact
from tests.backends.test_onnxruntime_graph import CPUS, target_of
from tests.backends.test_tflite_models import prepared
from tests.backends.tflite_graphs import images, quantized
from tests.processors import on_haswell

NETWORKS = ("v1", "v2")
FILES = [(name, form) for name in NETWORKS for form in CPUS]


@pytest.fixture(scope="module")
def networks() -> dict[str, Model]:
    return {name: quantized(prepared(name)) for name in NETWORKS}


def pictures(model: Model) -> np.ndarray:
    return np.concatenate(images(model, 3))


def onnx_file(model: Model, form: str) -> bytes:
    return load_backend("onnxruntime").lower(model, target_of(form)).data


def answers(folder: Path, saturating: bool = False) -> dict[str, np.ndarray]:
    """The raw outputs of every artifact in a folder; ``saturating``: in a session without our options."""
    found = {}
    for path in sorted(folder.glob("*.*")):
        backend = "tflite" if path.suffix == ".tflite" else "onnxruntime"
        shown = np.load(folder / f"{path.name.partition('-')[0]}.npy") if path.suffix != ".npy" else None
        if shown is not None:
            found[path.name] = run_artifact(backend, path.name, path.read_bytes(), shown)
            if saturating and path.suffix == ".onnx":
                session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
                entry = session.get_inputs()[0].name
                plain = [session.run(None, {entry: item[None]})[0].reshape(-1) for item in shown]
                found[f"{path.name} plain"] = np.stack(plain)
    return found


@pytest.mark.slow
def test_a_processor_without_vnni_gives_the_same_numbers(networks: dict[str, Model], tmp_path: Path) -> None:
    """Every form, on an emulated Haswell; a session without the options does saturate there."""
    work = tmp_path / "artifacts"
    work.mkdir()
    for name, model in networks.items():
        np.save(work / f"{name}.npy", pictures(model))
        (work / f"{name}-arm.tflite").write_bytes(load_backend("tflite").lower(model, target_of("s8s8")).data)
        for form in CPUS:
            (work / f"{name}-{form}.onnx").write_bytes(onnx_file(model, form))
    here = answers(work)
    on_haswell("-m", "tests.verify.test_host", str(work), str(tmp_path / "there.npz"))
    there = np.load(tmp_path / "there.npz")
    for name, expected in here.items():
        assert (there[name] == expected).all(), name
    assert (there["v1-u8s8.onnx plain"] != here["v1-u8s8.onnx"]).mean() > 0.5
    assert (there["v1-u8x8.onnx plain"] == here["v1-u8x8.onnx"]).all()
    assert (there["v1-s8s8.onnx plain"] != here["v1-s8s8.onnx"]).mean() > 0.5
    for name in NETWORKS:
        for form in CPUS:
            assert (here[f"{name}-{form}.onnx"] == here[f"{name}-arm.tflite"]).all(), (name, form)


@pytest.mark.parametrize(("name", "form"), FILES)
def test_the_kernels_follow_the_form(networks: dict[str, Model], name: str, form: str) -> None:
    proto = onnx.load_model_from_string(onnx_file(networks[name], form))
    assert kernel_options(proto) == (SIGNED if form == "s8s8" else UNSATURATED)


def test_a_float_graph_has_no_signed_kernels() -> None:
    assert kernel_options(prepared("v1").proto) == UNSATURATED


if __name__ == "__main__":
    np.savez(sys.argv[2], **answers(Path(sys.argv[1]), saturating=True))
