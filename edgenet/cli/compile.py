"""``edgenet compile``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgenet.cli.shared.options import cache_option, json_option, python_option
from edgenet.cli.shared.output import print_json, print_notes, say
from edgenet.cli.shared.progress import progress

__all__ = ["compile"]


@click.command()
@click.argument("model", metavar="MODEL")
@click.option(
    "--target", required=True, metavar="T", help="The board: a name (see edgenet targets) or a TOML file."
)
@click.option(
    "--backend", metavar="B", help="onnxruntime, tflite or tensorrt; default: the target's first choice."
)
@click.option("--precision", metavar="P", help="fp32, fp16, int8 or int8-dynamic; default: the target's.")
@click.option(
    "--recipe", metavar="R", help="How to quantize: name or file; default: int8-fast, or the precision's own."
)
@click.option(
    "--max-drift",
    type=click.FloatRange(min=0, min_open=True),
    metavar="PP",
    help="Top-1 that int8 may lose, in percentage points; layers stay in float until it is kept.",
)
@click.option(
    "--head",
    type=click.Choice(["logits", "softmax", "sigmoid", "argmax"]),
    default="logits",
    help="What comes out: logits (default); softmax, which gives float32 probabilities; argmax, which gives "
    "the best class as a second output.",
)
@click.option("--calibration", metavar="DIR", help="Folder of typical images; int8 needs one.")
@click.option("--preprocessing", metavar="F", help="How to feed the model; default: MODEL.toml beside it.")
@click.option("--labels", metavar="F", help="Class names: text, CSV, JSON or a label map.")
@click.option("-o", "--output", metavar="OUT", help="Default: MODEL.TARGET.BACKEND.PRECISION.edgenet here.")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@python_option
@cache_option
@json_option
def compile(  # noqa: PLR0913, PLR0917
    model: str,
    target: str,
    backend: str | None,
    precision: str | None,
    recipe: str | None,
    max_drift: float | None,
    head: str,
    calibration: str | None,
    preprocessing: str | None,
    labels: str | None,
    output: str | None,
    dry_run: bool,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Quantize and compile MODEL (ONNX) for a board, into one .edgenet file.

    MODEL is an ONNX file, float32 or quantized already, with MODEL.toml beside it (docs/preprocessing.md),
    what edgenet quantize wrote (.int8.onnx), or an embedded model: "signs", "scenes". The file holds the
    artifact, its preprocessing and labels, the model as it was, and a few images with the answers that they
    must get.

    \b
    Example:
      edgenet compile mobilenet.onnx --target raspberry-pi-4 --calibration photos/
      edgenet compile mobilenet.int8.onnx --target raspberry-pi-5 --backend onnxruntime
      edgenet compile signs --target local --backend tflite --precision int8 --calibration signs
    """
    from edgenet.steps.compile import compile as run
    from edgenet.steps.decide import decide

    if dry_run:
        decided = decide(model, target, backend, precision, recipe, max_drift).plan
        print_json(decided.to_table()) if as_json else say(*_plan_text(decided))
        return
    with progress() as on_progress:
        compiled = run(
            *(model, target, backend, precision, recipe, calibration, on_progress, head),
            max_drift=max_drift,
            preprocessing=preprocessing,
            labels=labels,
            cache=not no_cache,
        )
    written = compiled.write(Path(output or compiled.file))
    for line in compiled.skipped:
        say(f"edgenet: skipped {line}", err=True)
    print_notes(compiled.notes)
    if as_json:
        print_json({**_document(compiled), "path": str(written)})
        return
    say(*_summary(written, compiled))


def _plan_text(plan) -> list[str]:  # type: ignore[no-untyped-def]
    lines = [f"{plan.backend} {plan.precision} for {plan.target}, finished on the {plan.built}"]
    if plan.recipe:
        lines.append(f"recipe {plan.recipe}")
    return lines + [f"because {reason}" for reason in plan.why]


def _document(compiled) -> dict[str, Any]:  # type: ignore[no-untyped-def]
    made = compiled.quantized
    return {
        **compiled.bundle.manifest.to_table(),
        "quantization": {**made.account.to_table(), "cached": made.cached} if made else None,
        "notes": list(compiled.notes),
        "digest": compiled.bundle.digest,
    }


def _summary(path: Path, compiled) -> list[str]:  # type: ignore[no-untyped-def]
    from edgenet.cli.shared.tables import quantization_lines
    from edgenet.figures import size

    lines = [f"{path}  {compiled.bundle.name}  artifact {size(len(compiled.bundle.artifact))}"]
    return lines + (quantization_lines(compiled.quantized) if compiled.quantized else [])
