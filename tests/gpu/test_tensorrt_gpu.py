"""The chain on a real GPU of this machine, with the TensorRT that its Python has; skipped without one.

Run on an NVIDIA H200 with TensorRT 8.6.0; on no Jetson, and with no TensorRT 10 yet (docs/tensorrt.md).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenet.agent.tensorrt import cuda
from edgenet.devices.connect import connect
from edgenet.model import Model
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.profile import profile
from edgenet.target import Target

pytestmark = pytest.mark.gpu

AGREEMENT = {"fp32": 1.0, "fp16": 0.9, "int8": 0.7}


@pytest.fixture
def board(home: Path) -> str:
    """The name of a target that this machine is."""
    try:
        cuda.load()
    except ImportError as error:
        pytest.skip(str(error))
    with connect("local") as agent:
        facts = agent.facts(["tensorrt"])
    version = facts.runtimes.get("tensorrt")
    if version is None:
        pytest.skip(f"no TensorRT here: {facts.runtimes_broken.get('tensorrt', 'not installed')}")
    return "rtx-laptop" if version.startswith("tensorrt-rtx") else "jetson-orin-nano"


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_the_chain(model: Model, photos: Path, board: str, precision: str) -> None:
    made = compile(model, Target.load(board), "tensorrt", precision, calibration=photos)
    done = deploy(made.bundle, "local")
    assert done.finished is not None
    report = profile(made.bundle, "local", "quick")
    print(f"{done.finished.tensorrt} on {done.finished.gpu}, {precision}: {report.fps.model:.0f} FPS")
    assert report.layers
    assert report.drift.stages.kernel.agreement >= AGREEMENT[precision]
