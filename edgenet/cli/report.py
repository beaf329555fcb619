"""``edgenet report``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgenet.cli.shared.names import Choice
from edgenet.cli.shared.outputs import OUTPUT_FILE

if TYPE_CHECKING:
    from edgenet.steps.report import Results

__all__ = ["report"]

FORMATS = ("html", "md", "csv", "terminal")


@click.command()
@click.argument(
    "reports", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False), metavar="REPORT..."
)
@click.option("-o", "--output", type=OUTPUT_FILE, metavar="FILE", help="Write it to this file.")
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False),
    metavar="OLD",
    help="Show what changed since this earlier report of the fleet.",
)
@click.option("--format", "form", type=Choice(FORMATS), help="[default: by FILE's suffix, else terminal]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON document.")
def report(
    reports: tuple[str, ...], output: str | None, since: str | None, form: str | None, as_json: bool
) -> None:
    """Show reports as text, HTML, Markdown or CSV.

    REPORT is a report.json of edgenet profile, a sweep.json of edgenet sweep, or a fleet's report. Several
    reports become a comparison; several sweeps are joined; a fleet's report stands alone. The HTML is one
    file that needs no network; for a large fleet, each board's own page is in a folder beside it.

    \b
    Example:
      edgenet report report.json -o report.html
      edgenet report fp32.json int8.json -o compared.html
      edgenet report fp32.json int8.json --format md >> pull-request.md
      edgenet report desk/sweep.json lab/sweep.json -o boards.html
      edgenet report fleet.json --since yesterday.json -o fleet.html
    """
    from edgenet.cli.shared.output import print_document, print_json, say_next
    from edgenet.steps.report import document, load_results

    if as_json:
        if since:
            raise click.UsageError("--json tells no changes; edgenet compare OLD NEW --json does")
        print_json(_figures(load_results(reports)))
        return
    form = form or _form(output)
    if form == "terminal":
        _show(load_results(reports), since)
        say_next("report", *reports, "-o", "report.html", why="as a page")
        return
    pages = document(reports, form, since, f"{Path(output).stem}.boards" if output else "")
    if output is None:
        print_document(pages[""])
    else:
        _write(Path(output), pages)


def _write(output: Path, pages: Mapping[str, str]) -> None:
    """The document, and what goes beside it."""
    from edgenet.cli.shared.output import remark
    from edgenet.files import write_output

    for name, text in pages.items():
        write_output(output.parent / name if name else output, text.encode())
    beside = f", and {len(pages) - 1} pages of boards in {output.stem}.boards" if len(pages) > 1 else ""
    remark(f"wrote {output}, {len(pages[''].encode()) / 1e3:.0f} kB{beside}")


def _figures(found: Results) -> dict[str, Any]:
    from edgenet.views.text import records

    return {"reports": records(found)} if isinstance(found, list) else found.to_table()


def _show(found: Results, since: str | None) -> None:
    from edgenet.cli.shared.fleet_tables import show_fleet
    from edgenet.cli.shared.sweep_tables import show_sweep
    from edgenet.cli.shared.terminal import show
    from edgenet.fleet_report import FleetReport
    from edgenet.steps.report import earlier
    from edgenet.swept import Sweep

    old = earlier(found, since)
    if isinstance(found, FleetReport):
        show_fleet(found, old)
    elif isinstance(found, Sweep):
        show_sweep(found)
    else:
        show(found)


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
