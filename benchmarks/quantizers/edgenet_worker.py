"""edgenet: one recipe, lowered for one backend on this machine."""

from __future__ import annotations

from pathlib import Path

from common import calibration, measured, read_job

import edgenet.backends.onnxruntime
import edgenet.backends.tflite  # noqa: F401 - loaded by name below; imports are not what is measured
from edgenet.backend import load_backend
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.target import Target

job = read_job()


def work() -> None:
    """Quantize, then write the artifact of both backends."""
    images = (item[None] for item in calibration(job))
    model, _ = quantize(prepare(Model.load(job["model"])), Recipe.load(job["variant"]), images)
    for backend in ("onnxruntime", "tflite"):
        artifact = load_backend(backend).lower(model, Target.load("local"))
        Path(f"{job['output']}.{backend}").write_bytes(artifact.data)


measured(job, work)
