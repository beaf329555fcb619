"""What every worker shares: read a job, measure one call, write the result."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["calibration", "measured", "network_inputs", "read_job"]


def read_job() -> dict[str, Any]:
    """The job: model, pixels (.npy), images, mean, std, output, variant."""
    return json.loads(Path(sys.argv[1]).read_text())


def calibration(job: dict[str, Any]) -> Iterator[np.ndarray]:
    """uint8 [H, W, 3] each, spread over the set; read one by one, so that the file counts as no memory."""
    with open(job["pixels"], "rb") as file:
        np.lib.format.read_magic(file)
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
        begin, size = file.tell(), int(np.prod(shape[1:]))
        count = min(job["images"] or shape[0], shape[0])
        for index in range(count):
            file.seek(begin + index * shape[0] // count * size)
            yield np.frombuffer(file.read(size), kind).reshape(shape[1:])


def network_inputs(job: dict[str, Any]) -> Iterator[np.ndarray]:
    """The same as the float network wants them: float32 [1, 3, H, W]."""
    for pixels in calibration(job):
        value = (pixels.astype(np.float32) - np.float32(job["mean"])) / np.float32(job["std"])
        yield np.ascontiguousarray(value.transpose(2, 0, 1)[None])


def measured(job: dict[str, Any], work: Callable[[], None]) -> None:
    """Run the work; write wall seconds and the peak memory above the interpreter with its imports."""
    before = peak_kib()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    result = {"seconds": seconds, "peak_mb": (peak_kib() - before) * 1024 / 1e6}
    Path(job["result"]).write_text(json.dumps(result))


def peak_kib() -> int:
    """Peak resident memory of this program (Linux)."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
