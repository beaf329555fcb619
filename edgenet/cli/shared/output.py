"""What people see: results on stdout, progress on stderr.

Everything a command shows goes through here, because here foreign text is made fit to be shown: a board, a
bundle, a model, a report and a file's name may hold what a terminal would obey.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from edgenet.cli.shared.loudness import LOUDNESS
from edgenet.log import log
from edgenet.shell import command_line
from edgenet.text import plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "bar_console",
    "draw",
    "paint",
    "print_document",
    "print_json",
    "print_notes",
    "print_rows",
    "print_table",
    "remark",
    "remark_above",
    "rewrite",
    "say",
    "say_hint",
    "say_next",
    "say_wrapped",
    "styled",
    "tell_usage",
    "width",
]

PLAIN_WIDTH = 180
FIGURES = "0123456789+-–"
# Below so many characters a line, a table that is wider becomes a block a row.
NARROW, UNLIMITED = 100, 10_000


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


def bar_console() -> Console:
    """Where a bar goes: stderr."""
    from rich.console import Console

    return Console(stderr=True)


def remark_above(console: Console, line: str) -> None:
    """As :func:`remark`, above a bar that is shown."""
    console.print(plain(f"edgenet: {line}"), markup=False, highlight=False)


def paint(*lines: str, colors: tuple[str, str]) -> None:
    """Lines on a stderr that is a terminal, each between two control sequences of edgenet's own."""
    for line in lines:
        click.echo(plain(line).join(colors), err=True)


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
        remark(f"note: {note}")
        log.debug("note: %s", note)


def remark(*lines: str) -> None:
    """What goes on beside the result, on stderr; not with ``--quiet``."""
    if not LOUDNESS.quiet:
        say(*(f"edgenet: {line}" for line in lines), err=True)


def say_next(*command: str, why: str = "") -> None:
    """The command that usually follows, on stderr, fit to be pasted; not with ``--quiet``.

    Args:
        command: Its words after ``edgenet``; those in capitals are for the user to replace.
        why: What it is good for.
    """
    told = f"   # {why}" if why else ""
    say_hint(f"{command_line(['edgenet', *command])}{told}")


def say_hint(words: str) -> None:
    """What to do next, in words, on stderr; not with ``--quiet``."""
    if not LOUDNESS.quiet:
        say(f"next: {words}", err=True)


def styled(text: str, style: str = "") -> Text:
    """Text that rich shows as it is: no markup in it counts."""
    from rich.text import Text

    return Text(plain(text), style=style)


def draw(*shown: RenderableType) -> None:
    """Something of rich's on stdout."""
    _draw(_console(), shown)


def _draw(console: Console, shown: Iterable[RenderableType]) -> None:
    """Without the blanks with which rich fills lines up."""
    with console.capture() as caught:
        for item in shown:
            console.print(item)
    click.echo("\n".join(line.rstrip() for line in caught.get().splitlines()))


def width() -> int:
    """Characters in a line of stdout."""
    return _console().width


def _console(elsewhere: int | None = None) -> Console:
    """As wide as the terminal; elsewhere so wide."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else elsewhere or PLAIN_WIDTH, highlight=False)


def print_rows(rows: Iterable[Sequence[str]]) -> None:
    """Lines in columns on stdout, without heads; the last column goes on below itself where it is long."""
    _draw(_console(UNLIMITED), [_grid(rows)])


def _grid(rows: Iterable[Sequence[str]]) -> Table:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    for row in rows:
        grid.add_row(*map(styled, row))
    for column in grid.columns[:-1]:
        column.no_wrap = True
    if grid.columns:
        grid.columns[-1].overflow = "fold"
    return grid


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout; on a narrow terminal that it would not fit, a block of lines for each row.

    Args:
        title: Above it; may be empty.
        columns: Their heads; a block begins with the first column's text.
        rows: Columns of figures are right-aligned.
    """
    if title:
        draw(styled(title, "bold"))
    console, table = _console(), _table(columns, rows)
    unlimited = console.options.update(max_width=UNLIMITED)
    if console.width < NARROW and console.measure(table, options=unlimited).maximum > console.width:
        draw(*(item for row in rows for item in _block(columns, row)))
    else:
        draw(table)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for index, name in enumerate(columns):
        figures = all(row[index][:1] in FIGURES for row in rows)
        table.add_column(styled(name), justify="right" if figures else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(styled, row))
    return table


def _block(columns: Sequence[str], row: Sequence[str]) -> Iterator[RenderableType]:
    """The first column's text, and below it a line for each other column that has one."""
    yield styled(row[0], "bold")
    yield _grid(("", name, text) for name, text in zip(columns[1:], row[1:], strict=True) if text)
    yield ""
