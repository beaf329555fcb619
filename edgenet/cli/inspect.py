"""``edgenet inspect``."""

from __future__ import annotations

from pathlib import Path

import click

from edgenet.cli.shared.names import MODEL
from edgenet.cli.shared.options import json_option, python_option
from edgenet.cli.shared.output import (
    print_json,
    print_notes,
    print_rows,
    print_table,
    say,
    say_hint,
    say_next,
)
from edgenet.cli.shared.signing import signature_line, signers_option

__all__ = ["inspect"]


@click.command()
@click.argument("file", type=MODEL, metavar="FILE")
@python_option
@signers_option
@json_option
def inspect(file: str, signers: str | None, as_json: bool) -> None:
    """Show what a model, bundle or report holds.

    FILE is a model in any form, with or without its card; the name of an embedded model ("signs", "scenes");
    a bundle (.edgenet); or a report (.json). For a model it also shows which backends compile it.

    \b
    Example:
      edgenet inspect mobilenet.onnx
      edgenet inspect model.h5 --json
      edgenet inspect mobilenet.edgenet
      edgenet inspect mobilenet.edgenet --signers allowed_signers
    """
    if Path(file).suffix == ".edgenet":
        _bundle(file, signers, as_json)
    else:
        (_report if Path(file).suffix == ".json" else _model)(file, as_json)


def _model(file: str, as_json: bool) -> None:
    from edgenet.cli.shared.model_lines import build_row, model_lines
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
    say(file)
    print_rows(model_lines(found))
    say("", "Backends that compile it:")
    print_rows(map(build_row, found.builds))
    say_hint(found.next)


def _quantized(file: str, made, as_json: bool) -> None:  # type: ignore[no-untyped-def]
    from edgenet.cli.shared.quantization import pass_lines, quantization_rows

    if as_json:
        print_json(made.to_table())
        return
    say(f"{file}: {made.original.name} {made.model.precision}")
    print_rows([*quantization_rows(made), ("classes", f"{made.original.classes}")])
    if steps := pass_lines(made.account.facts(), made.original.task):
        say("", "What each step gained:", *(f"  {line}" for line in steps))
    print_notes(made.account.notes)
    say_next("compile", file, "--target", "T")


def _bundle(file: str, signers: str | None, as_json: bool) -> None:
    from edgenet.bundle import Bundle
    from edgenet.cli.shared.bundle_lines import bundle_lines, file_rows
    from edgenet.steps.signed_by import examined_signature

    bundle = Bundle.load(file)
    signature = examined_signature(bundle, signers)
    if as_json:
        told = signature.to_table() if signature else None
        print_json({**bundle.manifest.to_table(), "digest": bundle.digest, "signature": told})
        return
    say(file)
    print_rows([*bundle_lines(bundle), ("signature", signature_line(signature))])
    say("")
    print_table("", ["file", "size", "sha256"], file_rows(bundle))
    say_next("deploy", file, "--device", "D")


def _report(file: str, as_json: bool) -> None:
    from edgenet.cli.shared.tables import report_columns, report_row, verdict_rows
    from edgenet.report import Report

    report = Report.load(file)
    if as_json:
        print_json(report.to_table())
        return
    title = f"{report.bundle.model} on {report.device.name}"
    print_table(title, report_columns(report), [report_row(report)])
    print_rows(verdict_rows(report))
    say_next("report", file, "-o", "report.html")
