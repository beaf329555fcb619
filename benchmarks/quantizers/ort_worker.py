"""ONNX Runtime's own quantize_static: Q/DQ, uint8 activations, int8 weights."""

from __future__ import annotations

from common import measured, network_inputs, read_job
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

job = read_job()
METHODS = {
    "min-max": CalibrationMethod.MinMax,
    "percentile": CalibrationMethod.Percentile,
    "entropy": CalibrationMethod.Entropy,
}


class Reader(CalibrationDataReader):
    """The calibration images, one at a time."""

    def __init__(self) -> None:
        self._items = network_inputs(job)

    def get_next(self) -> dict | None:
        """The next feed, or None at the end."""
        value = next(self._items, None)
        return None if value is None else {"input": value}


def work() -> None:
    """Fold batch normalization, then quantize."""
    folded = f"{job['output']}.folded"
    quant_pre_process(job["model"], folded, skip_symbolic_shape=True)
    quantize_static(
        folded,
        f"{job['output']}.onnx",
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=job["variant"] != "per-tensor",
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=METHODS.get(job["variant"], CalibrationMethod.MinMax),
    )


measured(job, work)
