"""Boards for the tests: this machine, and this machine behind a real ssh server on loopback."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgenet.agent.preprocess import encode_ppm
from edgenet.devices.agent import Agent
from edgenet.devices.blobs import Blob
from tests import sshd


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's is read or written."""
    monkeypatch.setenv("EDGENET_HOME", str(tmp_path / "local-home"))
    monkeypatch.setenv("EDGENET_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EDGENET_PYTHON", raising=False)


@pytest.fixture
def start_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., sshd.Board]]:
    """Starts servers; the alias ``board`` is the last one."""
    if reason := sshd.missing():
        pytest.skip(reason)
    import contextlib

    with contextlib.ExitStack() as stack:

        def start(environment: dict[str, str] | None = None, command: str | None = None) -> sshd.Board:
            board = stack.enter_context(sshd.start(tmp_path / "board", environment, command))
            monkeypatch.setenv("EDGENET_SSH", board.ssh)
            return board

        yield start


@pytest.fixture
def board(start_board: Callable[..., sshd.Board]) -> sshd.Board:
    """A board whose Python has numpy: this test's own."""
    return start_board({"EDGENET_PYTHON": sys.executable})


class Net:
    """A model for the do-nothing runtime, as a bundle would deploy it."""

    def __init__(self, name: str = "a", **spec: Any) -> None:
        self.data = json.dumps({"shape": [1, 4, 4, 3], "outputs": 5, **spec}).encode()
        self.name = name
        self.digest = hashlib.sha256(name.encode()).hexdigest()

    @property
    def blob(self) -> Blob:
        return blob(self.data)

    def manifest(self, **changes: Any) -> dict[str, Any]:
        return {
            "digest": self.digest,
            "name": self.name,
            "backend": "null",
            "artifact": self.blob.digest,
            "artifact_size": len(self.data),
            "input": {"shape": [1, 4, 4, 3], "dtype": "uint8"},
            "output": {"dtype": "int8", "scale": None, "zero_point": None, "meaning": "logits"},
            "preprocessing": {"size": [4, 4], "resize": "stretch", "interpolation": "bilinear-antialias"},
            "labels": ["a", "b", "c", "d", "e"],
            "runtime": None,
            **changes,
        }

    def deploy(self, agent: Agent) -> bool:
        agent.begin()
        agent.send_blobs([self.blob])
        return agent.deploy(self.manifest())


def blob(data: bytes) -> Blob:
    return Blob(hashlib.sha256(data).hexdigest(), len(data), lambda: io.BytesIO(data))


@pytest.fixture
def net() -> type[Net]:
    return Net


@pytest.fixture
def make_blob() -> Callable[[bytes], Blob]:
    return blob


@pytest.fixture
def picture() -> Callable[[int], bytes]:
    """An encoded 4x4 image of one value."""
    return lambda value: encode_ppm(np.full((4, 4, 3), value, np.uint8))
