"""What the terminal shows of a sweep."""

from __future__ import annotations

from pathlib import Path

from edgenet.cli.shared.output import print_table, say
from edgenet.cli.shared.sweep_tables import sweep_columns, sweep_lines, sweep_rows
from edgenet.figures import duration
from edgenet.sweep.outline import Outline
from edgenet.swept import Sweep
from edgenet.views.sweep_words import cell_name, counted

__all__ = ["outlined", "shown"]


def shown(made: Sweep, folder: Path) -> None:
    """The answers, the front of each board, and where the rest lies."""
    for answer in made.answers:
        if rows := sweep_rows(made, answer.device):
            title = f"{answer.board or answer.device}: none is both faster and more accurate"
            print_table(title, sweep_columns(made), rows)
        say(*sweep_lines(made, answer.device))
    for spared in made.saved:
        say(
            f"{spared.device}: measured for {duration(spared.board_seconds)}; what {spared.skipped} of "
            f"{spared.cells} cells would have taken was spared: about {duration(spared.saved_seconds)}"
        )
    say("", *(answer.sentence for answer in made.answers))
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
