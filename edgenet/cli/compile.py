"""``edgenet compile``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgenet.cli.shared.boards import named
from edgenet.cli.shared.made_for import made_for_options
from edgenet.cli.shared.names import Choice
from edgenet.cli.shared.options import (
    backend_option,
    cache_option,
    json_option,
    labels_option,
    max_drift_option,
    model_argument,
    precision_option,
    preprocessing_option,
    python_option,
    recipe_option,
)
from edgenet.cli.shared.output import print_json, print_notes, print_rows, remark, say, say_hint, say_next
from edgenet.cli.shared.outputs import OUTPUT_FILE
from edgenet.cli.shared.progress import progress

if TYPE_CHECKING:
    from edgenet.steps.compiled import Compiled
    from edgenet.steps.preview import Preview

__all__ = ["compile"]


@click.command()
@model_argument
@made_for_options
@backend_option
@precision_option
@recipe_option
@max_drift_option
@click.option(
    "--head",
    type=Choice(["logits", "softmax", "sigmoid", "argmax"]),
    default="logits",
    show_default=True,
    help="What the artifact returns: raw logits, float32 probabilities (softmax, sigmoid), or argmax, which "
    "adds the best class as a second output.",
)
@click.option("--calibration", metavar="DIR", help="A folder of typical images; int8 needs one.")
@preprocessing_option
@labels_option
@click.option(
    "-o",
    "--output",
    type=OUTPUT_FILE,
    metavar="OUT",
    help="[default: MODEL.TARGET.BACKEND.PRECISION.edgenet]",
)
@click.option("--dry-run", is_flag=True, help="Check everything, print what would be done, and stop.")
@python_option
@cache_option
@json_option
def compile(model: str, output: str | None, dry_run: bool, as_json: bool, **asked: Any) -> None:
    """Compile a model into a bundle for a board.

    MODEL is a float or quantized model in any form edgenet reads (ONNX, Keras, TFLite, SavedModel, .pt2) with
    its card MODEL.toml beside it; the output of edgenet quantize (.int8.onnx); or an embedded model, "signs"
    or "scenes".

    The bundle is one .edgenet file. It holds the artifact that the board runs, preprocessing and labels, the
    original model, and a few images with the answers that the board must give.

    \b
    Example:
      edgenet compile m.onnx --target raspberry-pi-4 --calibration imgs/
      edgenet compile m.onnx --target raspberry-pi-4 --calibration imgs/ --dry-run
      edgenet compile m.int8.onnx --target raspberry-pi-5 --backend onnxruntime
      edgenet compile signs --target local --precision int8 --calibration signs
      edgenet compile signs --device user@board --calibration signs
    """
    board = asked.pop("board")
    how = {"cache": not asked.pop("no_cache"), **asked}
    if dry_run:
        _preview(model, output, as_json, how)
        return
    from edgenet.steps.compile import compile as run

    with progress() as on_progress:
        compiled = run(model, progress=on_progress, **how)
    written = compiled.write(Path(output or compiled.file))
    remark(*(f"skipped {line}" for line in compiled.skipped))
    print_notes((*compiled.notes, *(compiled.quantization.notes if compiled.quantization else ())))
    if as_json:
        print_json({**_document(compiled), "path": str(written)})
        return
    say(str(written))
    print_rows(_summary(compiled))
    where = named(board) if board else ["--device", _device(compiled.plan.target)]
    say_next("deploy", str(written), *where)


def _preview(model: str, output: str | None, as_json: bool, how: dict[str, Any]) -> None:
    from edgenet.steps.preview import preview

    with progress() as on_progress:
        found = preview(model, progress=on_progress, **how)
    file = output or found.file
    if as_json:
        print_json({**found.to_table(), "path": file})
        return
    print_rows(_preview_rows(found, file))
    say_hint("the same command without --dry-run")


def _preview_rows(found: Preview, file: str) -> list[tuple[str, str]]:
    plan = found.plan
    rows = [("build", f"{plan.backend} {plan.precision} for {plan.target}{_built(plan.built)}")]
    if plan.recipe:
        rows.append(("recipe", plan.recipe))
    rows += [("because", reason) for reason in plan.why]
    if found.images is not None:
        rows.append(("images", f"{found.images} for calibration"))
    if found.cached is not None:
        rows.append(
            ("cached", "yes, nothing is quantized again" if found.cached else "no, it will be quantized")
        )
    there = "; is there, and would be written over" if Path(file).exists() else ""
    rows.append(("output", f"{file}{there}"))
    if found.expected_s is not None:
        rows.append(("time", f"about {_duration(found.expected_s)}, as the last time with this model"))
    return rows


def _built(where: str) -> str:
    return "; the board builds its engine when it is deployed" if where == "device" else ""


def _duration(seconds: float) -> str:
    from edgenet.figures import duration

    return f"{seconds:.1f} s" if seconds < 10 else duration(seconds)


def _document(compiled: Compiled) -> dict[str, Any]:
    made = compiled.quantized
    return {
        **compiled.bundle.manifest.to_table(),
        "quantization": {**made.account.to_table(), "cached": made.cached} if made else None,
        "notes": list(compiled.notes),
        "digest": compiled.bundle.digest,
    }


def _summary(compiled: Compiled) -> list[tuple[str, str]]:
    from edgenet.cli.shared.quantization import quantization_rows
    from edgenet.figures import size

    bundle = compiled.bundle
    rows = [
        ("build", f"{bundle.name} for {bundle.manifest.target}{_built(bundle.manifest.built)}"),
        ("size", f"{size(bundle.size)}, {size(len(bundle.artifact))} of it what the board runs"),
    ]
    if compiled.quantized:
        return rows + quantization_rows(compiled.quantized)
    return [*rows, ("quantized", "no, weights and activations stay in float")] if _float(compiled) else rows


def _float(compiled: Compiled) -> bool:
    return not compiled.plan.precision.startswith("int8")


def _device(target: str) -> str:
    return "local" if target == "local" else "D"
