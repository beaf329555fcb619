"""What the terminal shows of a sweep."""

from __future__ import annotations

from pathlib import Path

from edgenet.cli.shared.output import print_table, say
from edgenet.cli.shared.sweep_tables import show_sweep
from edgenet.figures import duration
from edgenet.sweep.outline import Outline
from edgenet.swept import Sweep
from edgenet.views.sweep_words import cell_name, counted

__all__ = ["outlined", "shown"]


def shown(made: Sweep, folder: Path) -> None:
    """The answers, the front of each board, and where the rest lies."""
    show_sweep(made)
    for answer in made.answers:
        chosen = next((cell for cell in made.cells if cell.key == answer.key), None)
        if chosen is not None and chosen.bundle is not None:
            say(f"edgenet deploy {folder / chosen.bundle} --device {answer.device}")
    say(f"{folder / 'index.html'} shows all of it")


def outlined(found: Outline) -> None:
    """The cells, what they share, and how long it takes at most."""
    rows = [[cell.device, cell_name(cell), cell.state] for cell in found.cells]
    title = f"{counted(len(rows), 'cell')}, {found.done} done"
    print_table(title, ["board", "cell", "state"], rows)
    bundles, shared = counted(found.builds, "bundle"), counted(found.quantizations, "quantization")
    say(f"{bundles} to build, which share {shared}")
    for device, (count, took) in found.boards.items():
        timed = counted(count, "cell")
        say(f"{device}: at most {timed} timed; with one long run at most {duration(took)}")
