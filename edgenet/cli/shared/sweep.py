"""What ``edgenet sweep`` prints beside the sweep itself."""

from __future__ import annotations

from pathlib import Path

from edgenet.cli.shared.output import print_table, say, say_hint, say_next
from edgenet.figures import duration
from edgenet.sweeps.outline import Outline
from edgenet.swept import Sweep
from edgenet.views.sweep_words import cell_name, counted

__all__ = ["next_steps", "outlined"]


def next_steps(made: Sweep, folder: Path) -> None:
    """How the answers are deployed, and where all of it is shown."""
    cells = {cell.key: cell for cell in made.cells}
    for answer in made.answers:
        if answer.key is not None and (bundle := cells[answer.key].bundle) is not None:
            say_next("deploy", str(folder / bundle), "--device", answer.device)
    say_hint(f"open {folder / 'index.html'}, which shows all of it")


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
    say_hint("the same command without --dry-run")
