"""ONNX Runtime's own quantize_static: Q/DQ, uint8 activations, int8 weights by channel.

python ort_worker.py MODEL.onnx PIXELS.npy MEAN STD OUT.onnx RESULT.json
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

model, pixels, mean, std, out, result = sys.argv[1:]
images = (np.load(pixels).astype(np.float32) - np.float32(mean)) / np.float32(std)
entry = onnx.load(model).graph.input[0].name


class Reader(CalibrationDataReader):
    """The images, one at a time."""

    def __init__(self) -> None:
        self._left = iter(images)

    def get_next(self) -> dict | None:
        """The next feed, or None at the end."""
        image = next(self._left, None)
        return None if image is None else {entry: np.ascontiguousarray(image.transpose(2, 0, 1)[None])}


begin = time.perf_counter()
quant_pre_process(model, f"{out}.folded", skip_symbolic_shape=True)
quantize_static(
    f"{out}.folded",
    out,
    Reader(),
    quant_format=QuantFormat.QDQ,
    per_channel=True,
    activation_type=QuantType.QUInt8,
    weight_type=QuantType.QInt8,
)
Path(result).write_text(json.dumps({"convert_s": 0.0, "quantize_s": time.perf_counter() - begin}))
