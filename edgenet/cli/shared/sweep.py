"""What the terminal shows of a sweep."""

from __future__ import annotations

from pathlib import Path

from edgenet.cli.shared.output import print_table, say
from edgenet.figures import duration
from edgenet.sweep.outline import Outline
from edgenet.swept import Sweep
from edgenet.views.sweep_words import cell_name, counted

__all__ = ["outlined", "shown"]


def shown(made: Sweep, folder: Path) -> None:
    """The answers, the front of each board, and where the rest lies."""
    for said in made.answers:
        say(said.sentence)


def outlined(found: Outline) -> None:
    """The cells, what they share, and how long it takes at most."""
    rows = [[cell.device, cell_name(cell), cell.state] for cell in found.cells]
    title = f"{counted(len(rows), 'cell')}, {found.done} done"
    print_table(title, ["board", "cell", "state"], rows)
    shared = counted(found.quantizations, "quantization")
    say(
        f"{counted(found.builds, 'bundle')} to build, which share {shared}",
        *(
            f"{device}: {counted(count, 'cell')} timed at most, the board is needed for {duration(took)} at most"
            for device, (count, took) in found.boards.items()
        ),
    )
