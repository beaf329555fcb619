"""What only its owner should see reaches no terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")
@pytest.mark.parametrize("scheme", ["rtsp", "http", "rtmp"])
def test_the_password_of_a_camera(scheme: str, tmp_path: Path) -> None:
    """Also where the address comes from the environment, which other users of this machine do not see."""
    source = f"{scheme}://user:s3cret@127.0.0.1:1/x?pwd=s3cret"
    done = subprocess.run(
        [sys.executable, "-m", "edgenet", "demo", "--no-page", "--duration", "1"],
        env={**os.environ, "EDGENET_SOURCE": source, "EDGENET_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    said, log = done.stderr.splitlines()[-2:]
    assert "Connection refused" in said or "no address of a source: rtmp://user:***@127.0.0.1:1/x?***" in said
    kept = Path(log.removeprefix("edgenet: log: ")).read_text()
    assert "Traceback" in kept
    assert "s3cret" not in done.stdout + done.stderr + kept
