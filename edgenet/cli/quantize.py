"""``edgenet quantize``."""

from __future__ import annotations

from pathlib import Path

import click

from edgenet.cli.shared.options import cache_option, json_option, python_option
from edgenet.cli.shared.output import print_json, print_notes, say
from edgenet.cli.shared.progress import progress

__all__ = ["quantize"]


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--recipe", metavar="R", help="How to quantize: name or file; default: int8-fast.")
@click.option(
    "--max-drift",
    type=click.FloatRange(min=0, min_open=True),
    metavar="PP",
    help="Top-1 that int8 may lose, in percentage points; layers stay in float until it is kept.",
)
@click.option("--calibration", metavar="DIR", help="Folder of typical images; int8 needs one.")
@click.option("--preprocessing", metavar="F", help="How to feed the model; default: MODEL.toml beside it.")
@click.option("--labels", metavar="F", help="Class names: text, CSV, JSON or a label map.")
@click.option("-o", "--output", metavar="OUT", help="Default: MODEL.int8.onnx here.")
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
    """Quantize MODEL (ONNX) once, for every backend and board.

    The file is ONNX with QuantizeLinear and DequantizeLinear inside, and it carries what edgenet compile
    needs of the model: preprocessing, labels, recipe, the float model and a few images with their answers.

    \b
    Example:
      edgenet quantize mobilenet.onnx --calibration photos/ -o mobilenet.int8.onnx
      edgenet quantize signs --calibration signs --json
    """
    from edgenet.cli.shared.tables import quantization_lines
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
    for line in made.calibration.skipped if made.calibration else ():
        say(f"edgenet: skipped {line}", err=True)
    print_notes(made.input_notes)
    if as_json:
        print_json({**made.to_table(), "notes": list(made.input_notes), "path": str(written)})
        return
    say(f"{written}  {made.original.name} {made.model.precision}, recipe {made.recipe.name}")
    say(*quantization_lines(made))
