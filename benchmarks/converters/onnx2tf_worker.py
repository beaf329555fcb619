"""onnx2tf to a float TFLite file, AI Edge Quantizer from there to int8; each timed alone.

python onnx2tf_worker.py MODEL.onnx PIXELS.npy MEAN STD OUT.tflite RESULT.json
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx2tf
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe

model, pixels, mean, std, out, result = sys.argv[1:]
images = (np.load(pixels).astype(np.float32) - np.float32(mean)) / np.float32(std)
with tempfile.TemporaryDirectory() as folder:
    own = shutil.copyfile(model, Path(folder) / "model.onnx")  # onnx2tf writes into the file that it reads
    begin = time.perf_counter()
    onnx2tf.convert(input_onnx_file_path=str(own), output_folder_path=folder, non_verbose=True)
    converted = time.perf_counter() - begin
    floats = next(Path(folder).glob("*float32.tflite"))
    begin = time.perf_counter()
    runner = Interpreter(str(floats)).get_signature_runner()
    name = next(iter(runner.get_input_details()))
    tool = quantizer.Quantizer(str(floats), recipe.static_wi8_ai8())
    samples = {"serving_default": [{name: image[None]} for image in images]}
    tool.quantize(tool.calibrate(samples)).export_model(out)
    quantized = time.perf_counter() - begin
    shutil.copy(floats, f"{out}.float")
Path(result).write_text(json.dumps({"convert_s": converted, "quantize_s": quantized}))
