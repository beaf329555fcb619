"""``edgenet inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgenet.cli.shared.options import json_option, python_option
from edgenet.cli.shared.output import print_json, print_notes, print_table, say

if TYPE_CHECKING:
    from edgenet.manifest import TensorSpec

__all__ = ["inspect"]


@click.command()
@click.argument("file", type=click.Path(exists=True), metavar="FILE")
@python_option
@json_option
def inspect(file: str, as_json: bool) -> None:
    """Show what a model in any form, a bundle (.edgenet) or a report (.json) is and holds.

    Of a model: what its file says, with its card or without, which backends take it, and what to do next.

    \b
    Example:
      edgenet inspect mobilenet.onnx
      edgenet inspect model.h5 --json
      edgenet inspect mobilenet.edgenet
    """
    show = {".edgenet": _bundle, ".json": _report}.get(Path(file).suffix, _model)
    show(file, as_json)


def _model(file: str, as_json: bool) -> None:
    from edgenet.quantize.quantized import Quantized
    from edgenet.steps.inspect import inspect_model

    found = inspect_model(file)
    if isinstance(found, Quantized):
        _quantized(file, found, as_json)
        return
    print_notes(found.network.notes)
    if as_json:
        print_json(found.to_table())
        return
    print_table(file, ["of the model", ""], _rows(found))
    builds = [[item.backend, "yes" if item.possible else "no", _told(item)] for item in found.builds]
    print_table("backends", ["backend", "compiles", ""], builds)
    say(f"next: {found.next}")


def _told(build) -> str:  # type: ignore[no-untyped-def]
    return " ".join(build.precisions) if build.possible else f"{build.why}: {build.remedy}"


def _rows(found) -> list[list[str]]:  # type: ignore[no-untyped-def]
    table = found.to_table()
    made = f", made by {table['producer']}" if table["producer"] else ""
    opset = f", opset {table['opset']}" if table["opset"] else ""
    rows = [
        ["form", f"{table['form']}, {table['precision']}{opset}{made}"],
        ["takes", _input(table)],
        *(["gives", f"{item['name']!r} {item['dtype']} {_shape(item)}"] for item in table["outputs"]),
        ["parameters", _count(table["parameters"])],
        ["multiply-adds", _count(table["multiply_adds"])],
        ["operators", ", ".join(f"{count} {name}" for name, count in table["operators"].items())],
        ["digest", table["digest"]],
    ]
    if found.model is not None:
        rows += [["task", table["task"]], ["output", table["output"]]]
        return rows + [[f"preprocessing {key}", str(value)] for key, value in table["preprocessing"].items()]
    read = {key: line for key, line in found.draft.lines.items() if line.why.startswith("read")}
    rows += [[key, f"{line.value}  ({line.why.removeprefix('read: ')})"] for key, line in read.items()]
    return [*rows, ["not in the file", ", ".join(table["open"]) or "–"], ["card", found.card]]


def _input(table) -> str:  # type: ignore[no-untyped-def]
    entry, size = table["inputs"][0], table["size"]
    sides = f"{size[0]}x{size[1]}" if size else "any size"
    layout = f", {table['layout']}" if table["form"] == "onnx" else ""
    return f"{entry['name']!r} {entry['dtype']}, {sides}, {table['channels']} channels{layout}"


def _shape(told) -> str:  # type: ignore[no-untyped-def]
    return "x".join(map(str, told["shape"]))


def _count(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"


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
        f"gives {output.classes} {output.dtype} {_meaning(output)}"
        f"{', and the best class' if output.label else ''}"
    )
    if output.scale is not None:
        say(f"logit = {output.scale:.6g} * (output - {output.zero_point})")
    for part in output.parts or ():
        told = "" if part.scale is None else f", value = {part.scale:.6g} * (output - {part.zero_point})"
        say(f"{part.name}: {part.values} values{told}")


def _meaning(output: TensorSpec) -> str:
    """What the numbers are; those of several outputs are not all logits."""
    return f"values in {len(output.parts)} outputs" if output.parts else output.meaning


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
