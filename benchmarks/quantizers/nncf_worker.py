"""NNCF on ONNX: mixed preset, fast or accurate bias correction."""

from __future__ import annotations

import nncf
import onnx
from common import measured, network_inputs, read_job

job = read_job()


def work() -> None:
    """Quantize the ONNX model as NNCF's own example does."""
    inputs = list(network_inputs(job))
    quantized = nncf.quantize(
        onnx.load(job["model"]),
        nncf.Dataset(inputs, lambda value: {"input": value}),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(inputs),
        fast_bias_correction=job["variant"] == "fast",
    )
    onnx.save(quantized, f"{job['output']}.onnx")


measured(job, work)
