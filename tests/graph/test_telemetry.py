"""Nothing that edgenet runs writes a device identifier or sends anything: no cloud, not even by a library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgenet.agent import child, wire
from edgenet.zoo import embedded

OURS = "from edgenet.graph.evaluate import Evaluator; import onnx; Evaluator(onnx.load(sys.argv[1]))"
PLAIN = "import onnxruntime; onnxruntime.InferenceSession(sys.argv[1])"


def left_behind(tmp_path: Path, code: str) -> list[str]:
    """The files that a program leaves in an empty home."""
    variables = {name: value for name, value in os.environ.items() if name not in wire.NO_TELEMETRY}
    variables = {**variables, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", f"import sys; {code}", str(embedded())], env=variables, check=True)
    return [path.name for path in tmp_path.rglob("*") if path.is_file()]


def test_the_host_leaves_no_identifier_behind(tmp_path: Path) -> None:
    assert left_behind(tmp_path, OURS) == []


def test_the_test_would_see_one(tmp_path: Path) -> None:
    """ONNX Runtime 1.32 for Linux does leave one; a version that does not has nothing to be kept from."""
    if "deviceid" not in left_behind(tmp_path, PLAIN):
        pytest.skip("this ONNX Runtime tells nobody by itself")


def test_what_runs_on_a_board_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in wire.NO_TELEMETRY:
        monkeypatch.delenv(name, raising=False)
    assert {child.environment(None)[name] for name in wire.NO_TELEMETRY} == {"1"}
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    assert child.environment(None)["ORT_DISABLE_TELEMETRY"] == "0", "a user may decide otherwise"
