"""A sweep in a notebook: the answers, and speed against accuracy on each board."""

from __future__ import annotations

from typing import Any

from edgenet.errors import ReportError
from edgenet.swept import Sweep
from edgenet.views.parts import Chart
from edgenet.views.shown.style import style
from edgenet.views.sweep_charts import panels
from edgenet.views.sweep_order import sentences
from edgenet.views.sweep_text import sweep_records
from edgenet.views.sweep_words import counted
from edgenet.views.template import render

__all__ = ["html", "rows"]


def html(sweep: Sweep) -> str:
    """The answers, and speed against accuracy on each board."""
    nowhere = {(cell.device, cell.key): "" for cell in sweep.cells}
    drawn = [Chart(panel.board, panel.svg, True) for panel in panels(sweep, nowhere) if panel.svg]
    return render(
        "notebook.html.j2",
        style=style("sweep", "sweep.html.j2"),
        kind="sweep",
        title=f"The most accurate network at {sweep.fps_line:g} FPS",
        about=f"{counted(len(sweep.cells), 'cell')}, camera {sweep.frame}",
        state="",
        reasons=(),
        lines=sentences(sweep),
        tiles=(),
        charts=drawn,
        more="All of it: edgenet.present(sweep) gives the page, sweep.to_frame() every cell.",
    )


def rows(sweep: Sweep, part: str) -> list[dict[str, Any]]:
    """A row a cell, as in the CSV.

    Raises:
        ReportError: There is no such part.
    """
    if part != "figures":
        raise ReportError(f"a sweep has no part {part!r}", "leave it out: there are its cells")
    return sweep_records(sweep)
