"""A board that answers otherwise than this machine did keeps what it had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgenet.bundle import Bundle, pack
from edgenet.devices.connect import connect
from edgenet.devices.session import Answer
from edgenet.errors import DeviceError
from edgenet.files import sha256
from edgenet.model import Model
from edgenet.progress import REMARK
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.fastest import deploy_fastest
from edgenet.verify.health import check_health, other_pixels
from edgenet.zoo import mobilenet_v1
from tests.conftest import CHEAP, CLASSES, SIZE, lively


def spoilt(bundle: Bundle, artifact: bytes) -> Bundle:
    """The bundle around another artifact, with right digests: what a bit-flip in a compiler would give."""
    table = bundle.manifest.to_table()
    table["artifact"] = {**table["artifact"], "sha256": sha256(artifact), "size": len(artifact)}
    files = {**bundle.files, bundle.manifest.artifact.file: artifact}
    del table["files"], table["schema"]
    return Bundle.parse(pack(table, files))


@pytest.fixture(scope="module")
def bundles(model: Model) -> tuple[Bundle, Bundle]:
    """A good bundle, and one whose artifact is another network's of the same form."""
    good = compile(model, "local", "tflite", "fp32").bundle
    other = replace(model, proto=lively(mobilenet_v1(0.25, SIZE, CLASSES, seed=99), seed=5))
    return good, spoilt(good, compile(other, "local", "tflite", "fp32").bundle.artifact)


def current() -> str | None:
    with connect("local") as agent:
        return agent.deployments().current


def test_a_sick_bundle_never_becomes_current(home: Path, bundles: tuple[Bundle, Bundle]) -> None:
    good, sick = bundles
    deploy(good)
    with pytest.raises(DeviceError, match=r"local answers the golden images of tiny.tflite.fp32 otherwise"):
        deploy(sick)
    assert current() == good.digest
    with pytest.raises(DeviceError, match="what was deployed before stays"):
        deploy_fastest([sick, good])
    assert current() == good.digest


def test_candidates_are_measured_before_any_of_them_serves(
    home: Path, model: Model, bundles: tuple[Bundle, Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cable that is cut while they are measured leaves the old one."""
    old = compile(model, "local", "onnxruntime", "fp32").bundle
    deploy(old)
    other = compile(model, "local", "onnxruntime", "fp16").bundle

    def cut(*_: object) -> float:
        raise DeviceError("the cable is cut", "plug it in")

    monkeypatch.setattr("edgenet.steps.fastest._median_ms", cut)
    with pytest.raises(DeviceError, match="cut"):
        deploy_fastest([bundles[0], other])
    assert current() == old.digest


@pytest.fixture(scope="module")
def int8(model: Model, photos: Path) -> Bundle:
    return compile(model, "local", "tflite", "int8", CHEAP, photos).bundle


def answers(raw: np.ndarray) -> list[Answer]:
    return [Answer(row, "") for row in raw]


def test_other_kernels_may_differ_by_steps(int8: Bundle) -> None:
    host = int8.array("golden/artifact.npy")[:4]
    check_health(int8, answers(host), "pi")
    steps = np.random.default_rng(0).integers(-1, 2, host.shape)
    check_health(int8, answers(np.clip(host.astype(int) + steps, -128, 127).astype(np.int8)), "pi")


@pytest.mark.parametrize("kind", ["constant", "shuffled", "dtype", "size"])
def test_what_no_kernel_explains_is_refused(int8: Bundle, kind: str) -> None:
    """Constant: all that an output scale of 1e38 leaves of any answer."""
    host = int8.array("golden/artifact.npy")[:4]
    raw = {
        "constant": np.full_like(host, -3),
        "shuffled": np.roll(host, 2, axis=1),
        "dtype": host.astype(np.float32),
        "size": host[:, :-1],
    }[kind]
    with pytest.raises(DeviceError, match="pi answers the golden images of tiny.tflite.int8 otherwise"):
        check_health(int8, answers(raw), "pi")


def test_nan_is_refused(bundles: tuple[Bundle, Bundle]) -> None:
    raw = bundles[0].array("golden/artifact.npy")[:2].copy()
    raw[1, 0] = np.nan
    with pytest.raises(DeviceError, match="NaN or infinity"):
        check_health(bundles[0], answers(raw), "pi")


def test_other_pixels_are_named_when_a_model_is_deployed(
    home: Path, int8: Bundle, bundles: tuple[Bundle, Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by an OpenCV or a JPEG decoder of another kind."""
    golden = [item.pixels_sha256 for item in int8.manifest.golden.images[:3]]
    raw = int8.array("golden/artifact.npy")[:3]
    same = [Answer(row, pixels) for row, pixels in zip(raw, golden, strict=True)]
    assert other_pixels(int8, same) == ""
    assert "other pixels of 2 of 3 golden" in other_pixels(int8, [same[0], *answers(raw[1:])])
    monkeypatch.setattr("edgenet.steps.stage.other_pixels", lambda *_: "other pixels")
    said: list[tuple[str, int, int | None]] = []
    deploy(bundles[0], progress=lambda *what: said.append(what))
    assert ("other pixels", 0, REMARK) in said
