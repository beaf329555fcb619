"""``edgenet report``."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["report"]

QDQ_FORMATS = ("html", "md", "csv", "terminal")


@click.command()
@click.argument(
    "reports", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False), metavar="REPORT..."
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write it here.")
@click.option(
    "--format", "form", type=click.Choice(QDQ_FORMATS), help="Default: by FILE's suffix, else the terminal."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON document.")
def report(reports: tuple[str, ...], output: str | None, form: str | None, as_json: bool) -> None:
    """Show a report, or several side by side: in the terminal, as HTML, Markdown or CSV.

    The HTML is one file that needs nothing else: no network, no script. Several reports become a
    comparison with speed against accuracy.

    \b
    Example:
      edgenet report report.json -o report.html
      edgenet report fp32.json int8.json -o compared.html
      edgenet report fp32.json int8.json --format md >> pull-request.md
    """
    from edgenet.cli.shared.output import print_document, print_json, say
    from edgenet.cli.shared.terminal import show
    from edgenet.files import write_atomic
    from edgenet.steps.report import load_reports, present
    from edgenet.views.text import records

    if as_json:
        print_json({"reports": records(load_reports(reports))})
        return
    form = form or _form(output)
    if form == "terminal":
        show(load_reports(reports))
        return
    text = present(reports, form)
    if output is None:
        print_document(text)
        return
    write_atomic(Path(output), text.encode())
    say(f"{output}: {len(text.encode()) / 1e3:.0f} kB", err=True)


def _form(output: str | None) -> str:
    if output is None:
        return "terminal"
    suffix = Path(output).suffix.lower().lstrip(".")
    known = {"html": "html", "htm": "html", "md": "md", "csv": "csv"}
    if suffix not in known:
        raise click.UsageError(f"{output}: of which form? give --format, or a name in .html, .md or .csv")
    return known[suffix]
