"""AI Edge Quantizer: static int8 weights and activations, from the float TFLite file that edgenet wrote."""

from __future__ import annotations

from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe
from common import calibration, measured, read_job

job = read_job()


def work() -> None:
    """Calibrate and quantize every operator."""
    runner = Interpreter(job["tflite"]).get_signature_runner()
    name = next(iter(runner.get_input_details()))
    tool = quantizer.Quantizer(job["tflite"], recipe.static_wi8_ai8())
    data = {"serving_default": [{name: item[None]} for item in calibration(job)]}
    tool.quantize(tool.calibrate(data)).export_model(f"{job['output']}.tflite")


measured(job, work)
