"""Reports made by hand, for what reads, compares and shows them."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgenet.report import SCHEMA, Report, latency

DRIFT: dict[str, Any] = {
    "agreement": 0.99,
    "cosine": 0.999,
    "max_abs": 0.5,
    "labelled": True,
    "top1": 0.7,
    "top5": 0.9,
    "top1_reference": 0.705,
    "top5_reference": 0.91,
    "top1_delta_pp": -0.5,
    "interval_pp": [-1.25, 0.25],
    "mcnemar_p": 0.3,
    "images": 200,
    "source": "val",
    "stages": {
        "preprocess": {"images": 200, "identical": 200},
        "conversion": {"images": 16, "agreement": 1.0, "max_abs": 1e-5},
        "quantization": {"images": 200, "agreement": 0.99, "max_abs": 0.5, "cosine": 0.999},
        "kernel": {
            "images": 200,
            "agreement": 1.0,
            "identical": True,
            "different_outputs": 0,
            "outputs": 1000,
            "max_difference": 0.0,
            "unit": "steps of int8",
        },
    },
    "worst": [{"file": "a.jpg", "max_abs": 0.5, "answer": 3, "reference": 4}],
}
CALM = {"time_s": 1.0, "temperature_c": 50.0, "cpu_mhz": [1500, 1800], "load_1m": 0.1, "absent": {}}

# A pipeline that was measured on a camera's frames.
CAMERA: dict[str, Any] = {
    **latency(np.full(30, 10.0)).to_table(),
    "parts": {"decode": 2.5, "fit": 2.0, "invoke": 5.0, "post": 0.25},
    "frame": "jpeg 640x480",
    "frame_bytes": 62_500,
    "steps": {
        "p50": 10.0,
        "rounds": 300,
        "tried": [
            {"change": "capture at 352x288", "frame": "jpeg 352x288", "p50": 6.5, "saves_ms": 3.5,
             "saves_interval": [3.25, 3.75], "parts": {"decode": 1.0, "fit": 0.5, "invoke": 5.0}},
            {"change": "yuyv instead of jpeg", "frame": "yuyv 640x480", "p50": 10.5, "saves_ms": -0.5,
             "saves_interval": [-0.75, -0.25], "parts": {"fit": 5.0, "invoke": 5.0}},
        ],
    },
}  # fmt: skip


def report(p50: float = 2.0, seed: int = 0, runs: int = 300, **changes: Any) -> Report:
    """A report whose samples lie around ``p50`` ms; whole parts of its JSON can be replaced."""
    samples = np.random.default_rng(seed).normal(p50, 0.02, runs)
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "bundle": {
            "digest": "d" * 64,
            "model": "m",
            "model_digest": "x" * 64,
            "backend": "tflite",
            "precision": "int8",
            "recipe": "int8-fast",
            "size_bytes": 500_000,
            "tool": "edgenet",
        },
        "device": {"name": "local", "target": "local", "facts": {"board": None, "clock_s": 1.7e9}},
        "protocol": {"name": "quick", "summary": "s", "threads": 0},
        "latency_ms": latency(samples).to_table(),
        "fps": {"model": 1e3 / p50, "pipeline": 250.0 / p50},
        "pipeline_ms": {**latency(4 * samples).to_table(), "parts": {"decode": p50, "invoke": 3 * p50}},
        "memory_mb": {"import": 20.0, "load": 1.0, "first_run": 1.0, "peak": 60.0},
        "layers": [],
        "drift": DRIFT,
        "sensors": {"before": CALM, "during": [{**CALM, "time_s": 2.0}], "after": {**CALM, "time_s": 3.0}},
        "verdict": {"state": "VALID", "reasons": [], "limits": []},
    }
    return Report.from_table({**values, **changes}, "made")
