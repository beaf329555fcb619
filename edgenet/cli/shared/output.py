"""What people see: results on stdout, progress on stderr.

Everything a command shows goes through here, because here foreign text is made fit to be shown: a board, a
bundle, a model, a report and a file's name may hold what a terminal would obey.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from edgenet.progress import REMARK, Progress
from edgenet.text import plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

__all__ = [
    "draw",
    "print_document",
    "print_json",
    "print_notes",
    "print_table",
    "progress",
    "rewrite",
    "say",
    "say_wrapped",
    "styled",
    "tell_usage",
    "width",
]

PLAIN_WIDTH = 180
FIGURES = "0123456789+-–"
LONGEST_STAGE = 120
# Of a line: for the bar with its count and time; of a stage where there is no room for both.
BAR, SHORTEST_STAGE = 32, 20


def say(*lines: str, err: bool = False) -> None:
    """Lines on stdout, or on stderr; one each, whatever is in them."""
    for line in lines:
        click.echo(plain(line), err=err)


def say_wrapped(*lines: str) -> None:
    """Sentences on stdout: a terminal breaks them between words, elsewhere each is one line."""
    if sys.stdout.isatty():
        draw(*map(styled, lines))
    else:
        say(*lines)


def rewrite(line: str) -> None:
    """Put a line in the place of the last one, on a stderr that is a terminal."""
    click.echo(f"\r\x1b[K{plain(line)}", err=True, nl=False)


def tell_usage(error: click.ClickException) -> None:
    """What is wrong with the command line, in click's words."""
    words = io.StringIO()
    error.show(words)
    say(*words.getvalue().splitlines(), err=True)


def print_document(text: str) -> None:
    """Markdown, CSV or HTML on stdout, as it is but for what no document holds."""
    click.echo("\n".join(plain(line) for line in text.split("\n")), nl=False)


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, indent=1).replace("\x7f", "\\u007f"))


def print_notes(notes: Sequence[str]) -> None:
    """What a user should know of a result, on stderr, so that it is seen beside JSON too."""
    for note in notes:
        say(f"edgenet: note: {note}", err=True)


def styled(text: str, style: str = "") -> Text:
    """Text that rich shows as it is: no markup in it counts."""
    from rich.text import Text

    return Text(plain(text), style=style)


def draw(*shown: RenderableType) -> None:
    """Something of rich's on stdout."""
    console = _console()
    for item in shown:
        console.print(item)


def width() -> int:
    """Characters in a line of stdout."""
    return _console().width


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout; columns of figures are right-aligned."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, name in enumerate(columns):
        figures = all(row[index][:1] in FIGURES for row in rows)
        table.add_column(styled(name), justify="right" if figures else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(styled, row))
    draw(*([styled(title, "bold")] if title else []), table)


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on stderr for as long as work goes on; one plain line a stage when not a terminal."""
    if not sys.stderr.isatty():
        yield _plain()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    name = TextColumn("{task.description}", markup=False)
    with Bar(
        *(SpinnerColumn(), name, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=None)
        last = ""

        def show(stage: str, done: int, total: int | None) -> None:
            nonlocal last
            if total == REMARK:
                bar.console.print(plain(f"edgenet: {stage[:LONGEST_STAGE]}"), markup=False, highlight=False)
                return
            if stage != last:
                bar.reset(task, description=_short(plain(stage), bar.console.width - BAR), total=total)
                last = stage
            bar.update(task, completed=done, total=total)

        yield show


def _short(stage: str, room: int) -> str:
    most = min(max(room, SHORTEST_STAGE), LONGEST_STAGE)
    return stage if len(stage) <= most else f"{stage[: most - 1]}…"


def _plain() -> Progress:
    last = ""

    def show(stage: str, done: int, total: int | None) -> None:  # noqa: ARG001
        nonlocal last
        if stage != last:
            say(f"edgenet: {stage[:LONGEST_STAGE]}", err=True)
            last = stage

    return show
