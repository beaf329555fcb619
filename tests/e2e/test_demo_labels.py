"""What the demo names on a known video is what ``profile`` answers on the same frames, all of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgenet.bundle import Bundle
from edgenet.devices.connect import connect
from edgenet.library import image_folder
from edgenet.model import Model
from edgenet.steps.compile import compile
from edgenet.steps.demo import DemoOptions, demo
from edgenet.steps.deploy import deploy
from edgenet.zoo import embedded

PICTURES = sorted(image_folder("signs", "val").glob("*.jpg"))[:40]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return compile(Model.load(embedded()), "local", "tflite", "fp32").bundle


def agree(bundle: Bundle, video: Path, frames: list[bytes], fps: float | None) -> None:
    """Every answered frame of the video has the label that the deployed bundle gives that frame."""
    log = video.with_suffix(".jsonl")
    summary = demo(bundle, "local", DemoOptions(source=str(video), fps=fps, page=False, answers=log))
    answers = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(answers) == summary["frames"]["answered"] >= 5
    deploy(bundle)
    with connect("local") as agent:
        replayed = [int(np.argmax(answer.output)) for answer in agent.open(bundle.digest, 1).replay(frames)]
    assert [answer["tops"][0][0][2] for answer in answers] == [
        replayed[answer["frame"]] for answer in answers
    ]


def test_motion_jpeg(bundle: Bundle, home: Path, tmp_path: Path) -> None:
    frames = [path.read_bytes() for path in PICTURES]
    video = tmp_path / "video.mjpg"
    video.write_bytes(b"".join(frames))
    agree(bundle, video, frames, 60)


def test_h264(bundle: Bundle, home: Path, tmp_path: Path) -> None:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        pytest.skip("no ffmpeg")
    video, pattern = tmp_path / "video.mp4", str(PICTURES[0].parent / "%04d.jpg")
    command = [ffmpeg, "-loglevel", "error", "-framerate", "20", "-i", pattern, "-frames:v", "30"]
    subprocess.run([*command, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(video)], check=True)
    decode = [ffmpeg, "-loglevel", "error", "-i", str(video), "-f", "image2pipe", "-c:v", "ppm", "-"]
    raw = subprocess.run(decode, check=True, capture_output=True).stdout
    frames = [b"P6\n" + rest for rest in raw.split(b"P6\n")[1:]]
    assert len(frames) == 30
    agree(bundle, video, frames, None)
