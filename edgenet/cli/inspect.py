"""``edgenet inspect``."""

from __future__ import annotations

from pathlib import Path

import click

from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_table, say

__all__ = ["inspect"]


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False), metavar="FILE")
@json_option
def inspect(file: str, as_json: bool) -> None:
    """Show what a model (.onnx, .int8.onnx), a bundle (.edgenet) or a report (.json) holds.

    \b
    Example:
      edgenet inspect mobilenet.onnx
      edgenet inspect mobilenet.edgenet
    """
    show = {".edgenet": _bundle, ".json": _report}.get(Path(file).suffix, _model)
    show(file, as_json)


def _model(file: str, as_json: bool) -> None:
    from edgenet.graph.cost import cost
    from edgenet.quantize.quantized import Quantized
    from edgenet.steps.source import read_source

    model = read_source(Path(file))
    if isinstance(model, Quantized):
        _quantized(file, model, as_json)
        return
    total = cost(model.proto)
    table = {
        "name": model.name,
        "digest": model.digest,
        "classes": model.classes,
        "parameters": total.parameters,
        "multiply_adds": total.macs,
        "preprocessing": model.preprocessing.to_table(),
    }
    if as_json:
        print_json(table)
        return
    preprocessing = model.preprocessing.to_table()
    rows = [[key, f"{value:,}" if isinstance(value, int) else str(value)] for key, value in table.items()]
    rows = rows[:-1] + [[f"preprocessing {key}", str(value)] for key, value in preprocessing.items()]
    print_table(file, ["of the model", ""], rows)


def _quantized(file: str, made, as_json: bool) -> None:  # type: ignore[no-untyped-def]
    from edgenet.cli.shared.tables import quantization_lines

    if as_json:
        print_json(made.to_table())
        return
    say(f"{file}  {made.original.name} {made.model.precision}, recipe {made.recipe.name}")
    say(*quantization_lines(made))


def _bundle(file: str, as_json: bool) -> None:
    from edgenet.bundle import Bundle
    from edgenet.figures import size

    bundle = Bundle.load(file)
    if as_json:
        print_json({**bundle.manifest.to_table(), "digest": bundle.digest})
        return
    rows = [[name, size(item.size), item.sha256[:12]] for name, item in bundle.manifest.files.items()]
    print_table(f"{bundle.name}  {bundle.digest[:12]}  {size(bundle.size)}", ["file", "size", "sha256"], rows)
    output = bundle.manifest.artifact.output
    height, width = bundle.manifest.preprocessing.size
    say(f"for {bundle.manifest.target}, made by {bundle.manifest.tool}")
    say(
        f"takes uint8 [1, {height}, {width}, 3] RGB pixels, "
        f"gives {output.classes} {output.dtype} {output.meaning}"
        f"{', and the best class' if output.label else ''}"
    )
    if output.scale is not None:
        say(f"logit = {output.scale:.6g} * (output - {output.zero_point})")


def _report(file: str, as_json: bool) -> None:
    from edgenet.cli.shared.tables import report_columns, report_row, verdict_lines
    from edgenet.report import Report

    report = Report.load(file)
    if as_json:
        print_json(report.to_table())
        return
    title = f"{report.bundle.model} on {report.device.name}"
    print_table(title, report_columns(report), [report_row(report)])
    say(*verdict_lines(report))
