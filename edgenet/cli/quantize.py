"""``edgenet quantize``."""

from __future__ import annotations

from pathlib import Path

import click

from edgenet.cli.shared.options import (
    cache_option,
    json_option,
    labels_option,
    max_drift_option,
    model_argument,
    preprocessing_option,
    python_option,
    recipe_option,
)
from edgenet.cli.shared.output import print_json, print_notes, print_rows, remark, say, say_next
from edgenet.cli.shared.outputs import OUTPUT_FILE
from edgenet.cli.shared.progress import progress

__all__ = ["quantize"]


@click.command()
@model_argument
@recipe_option
@max_drift_option
@click.option("--calibration", metavar="DIR", help="A folder of typical images; int8 needs one.")
@preprocessing_option
@labels_option
@click.option("-o", "--output", type=OUTPUT_FILE, metavar="OUT", help="[default: MODEL.int8.onnx]")
@python_option
@cache_option
@json_option
def quantize(
    model: str,
    recipe: str | None,
    max_drift: float | None,
    calibration: str | None,
    preprocessing: str | None,
    labels: str | None,
    output: str | None,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Quantize a model once, for every board.

    Writes an ONNX file with QuantizeLinear and DequantizeLinear operators. It also carries what edgenet
    compile needs: preprocessing, labels, the recipe, the float model, and a few images with their answers.

    \b
    Example:
      edgenet quantize mobilenet.onnx --calibration photos/ -o mobilenet.int8.onnx
      edgenet quantize signs --calibration signs --json
    """
    from edgenet.cli.shared.quantization import quantization_rows
    from edgenet.quantize.quantized import SUFFIX
    from edgenet.steps.quantize import quantize_model

    if output and Path(output).exists() and Path(model).exists() and Path(output).samefile(model):
        raise click.UsageError(f"{output} is the model itself: give -o another name")
    with progress() as on_progress:
        made = quantize_model(
            *(model, recipe, calibration, on_progress),
            max_drift=max_drift,
            preprocessing=preprocessing,
            labels=labels,
            cache=not no_cache,
        )
    written = made.write(output or f"{made.original.name}{SUFFIX}")
    remark(*(f"skipped {line}" for line in (made.calibration.skipped if made.calibration else ())))
    print_notes((*made.input_notes, *made.account.notes))
    if as_json:
        print_json({**made.to_table(), "notes": list(made.input_notes), "path": str(written)})
        return
    say(f"{written}: {made.original.name} {made.model.precision}")
    print_rows(quantization_rows(made))
    say_next("compile", str(written), "--target", "T")
