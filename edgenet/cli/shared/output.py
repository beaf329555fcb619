"""What people see: results on stdout, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from edgenet.json_value import plain
from edgenet.progress import Progress

__all__ = ["print_json", "print_notes", "print_table", "progress"]

PLAIN_WIDTH = 140
FIGURES = "0123456789+-–"


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, indent=1))


def print_notes(notes: Sequence[str]) -> None:
    """What a user should know of a result, on stderr, so that it is seen beside JSON too."""
    for note in notes:
        click.echo(f"edgenet: note: {plain(note)}", err=True)


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on stdout; columns of figures are right-aligned."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    terminal = sys.stdout.isatty()
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold", pad_edge=False)
    for index, name in enumerate(columns):
        figures = all(row[index][:1] in FIGURES for row in rows)
        table.add_column(name, justify="right" if figures else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=None if terminal else PLAIN_WIDTH, highlight=False).print(table)


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on stderr for as long as work goes on; one plain line a stage when not a terminal."""
    if not sys.stderr.isatty():
        yield _plain()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        last = ""

        def tell(stage: str, done: int, total: int | None) -> None:
            nonlocal last
            if stage != last:
                bar.reset(task, description=stage, total=total)
                last = stage
            bar.update(task, completed=done, total=total)

        yield tell


def _plain() -> Progress:
    last = ""

    def tell(stage: str, done: int, total: int | None) -> None:  # noqa: ARG001
        nonlocal last
        if stage != last:
            click.echo(f"edgenet: {stage}", err=True)
            last = stage

    return tell
