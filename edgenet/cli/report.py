"""``edgenet report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgenet.cli.shared.names import Choice
from edgenet.cli.shared.outputs import OUTPUT_FILE

if TYPE_CHECKING:
    from edgenet.report import Report
    from edgenet.swept import Sweep

__all__ = ["report"]

FORMATS = ("html", "md", "csv", "terminal")


@click.command()
@click.argument(
    "reports", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False), metavar="REPORT..."
)
@click.option("-o", "--output", type=OUTPUT_FILE, metavar="FILE", help="Write it to this file.")
@click.option("--format", "form", type=Choice(FORMATS), help="[default: by FILE's suffix, else terminal]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON document.")
def report(reports: tuple[str, ...], output: str | None, form: str | None, as_json: bool) -> None:
    """Show reports as text, HTML, Markdown or CSV.

    REPORT is a report.json of edgenet profile or a sweep.json of edgenet sweep. Several reports become a
    comparison; several sweeps are joined. The HTML is one file that needs no network.

    \b
    Example:
      edgenet report report.json -o report.html
      edgenet report fp32.json int8.json -o compared.html
      edgenet report fp32.json int8.json --format md >> pull-request.md
      edgenet report desk/sweep.json lab/sweep.json -o boards.html
    """
    from edgenet.cli.shared.output import print_document, print_json, remark, say_next
    from edgenet.files import write_output
    from edgenet.steps.report import load_results, present

    if as_json:
        print_json(_figures(load_results(reports)))
        return
    form = form or _form(output)
    if form == "terminal":
        _show(load_results(reports))
        say_next("report", *reports, "-o", "report.html", why="as a page")
        return
    text = present(reports, form)
    if output is None:
        print_document(text)
        return
    write_output(output, text.encode())
    remark(f"wrote {output}, {len(text.encode()) / 1e3:.0f} kB")


def _figures(found: list[Report] | Sweep) -> dict[str, Any]:
    from edgenet.views.text import records

    return {"reports": records(found)} if isinstance(found, list) else found.to_table()


def _show(found: list[Report] | Sweep) -> None:
    from edgenet.cli.shared.sweep_tables import show_sweep
    from edgenet.cli.shared.terminal import show

    if isinstance(found, list):
        show(found)
    else:
        show_sweep(found)


def _form(output: str | None) -> str:
    if output is None:
        return "terminal"
    suffix = Path(output).suffix.lower().lstrip(".")
    known = {"html": "html", "htm": "html", "md": "md", "csv": "csv"}
    if suffix not in known:
        raise click.UsageError(
            f"{output}: unknown report format; give --format, or a name in .html, .md or .csv"
        )
    return known[suffix]
