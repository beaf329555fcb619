"""The most accurate cell that keeps up with the camera, board by board, and what the search spared."""

from __future__ import annotations

from collections.abc import Sequence

from edgenet.swept import Answer, Cell, Saved
from edgenet.views.sweep_sentence import sentence

__all__ = ["answer", "chosen_of", "saved"]


def answer(cells: Sequence[Cell], device: str, board: str, line: float, measure: str) -> Answer:
    """The answer for one board: the most accurate of the cells whose long run reached the line.

    Args:
        cells: Of the board.
        device, board: As the user wrote it, and what it is called.
        line: FPS.
        measure: The headline measure's name.
    """
    chosen = chosen_of(cells, line)
    said = sentence(cells, chosen, board, line, measure)
    if chosen is None:
        return Answer(device=device, board=board, fps_line=line, sentence=said)
    return Answer(
        device=device,
        board=board,
        fps_line=line,
        key=chosen.key,
        model=chosen.model,
        precision=chosen.precision,
        backend=chosen.backend,
        threads=chosen.threads,
        fps=chosen.fps.decides,
        p99_ms=chosen.p99_ms,
        top1=chosen.top1,
        sentence=said,
    )


def chosen_of(cells: Sequence[Cell], line: float) -> Cell | None:
    """The most accurate cell whose long run is not wholly below the line; of equals the faster."""
    kept = [
        cell
        for cell in cells
        if cell.state == "sustained" and cell.fps.interval and cell.fps.interval[1] >= line
    ]
    return max(kept, key=lambda cell: (cell.best_accuracy or 0.0, cell.fps.decides or 0.0), default=None)


def saved(cells: Sequence[Cell], device: str) -> Saved:
    """What a board was spared: each cell that was not timed would have taken the mean of those that were."""
    timed = [cell for cell in cells if cell.rounds_ms or cell.state == "emulated"]
    skipped = [cell for cell in cells if cell.state == "skipped"]
    took = sum(cell.seconds for cell in cells)
    short = [cell.seconds for cell in timed if cell.state != "sustained"] or [cell.seconds for cell in timed]
    each = sum(short) / len(short) if short else 0.0
    return Saved(
        device=device,
        board_seconds=round(took, 3),
        saved_seconds=round(each * len(skipped), 3),
        cells=len(cells),
        skipped=len(skipped),
    )
