"""The answer of a sweep for one board, in one sentence that says no more than the figures do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edgenet.swept import Cell
from edgenet.text import plain
from edgenet.views.sweep_words import (
    accuracy_words,
    beside,
    build_name,
    cell_name,
    counted,
    cut,
    drift_words,
    measure_name,
    network_name,
    speed,
    spread,
)

__all__ = ["sentence"]

# Accuracies that are closer are written alike.
ALIKE = 0.0005
REASON = 160
# And when that was: in its long run, or in the screening.
VERDICTS = {
    "NOISY": "something disturbed the",
    "THROTTLED": "the board throttled in the",
    "UNDERVOLT": "the board was short of voltage in the",
}
# What became of a cell that was not timed, as a predicate.
FATES = {
    "emulated": "was emulated alone",
    "failed": "failed",
    "pending": "was not reached before the sweep ended",
}
# How cells that were not timed ended.
ENDED = {
    "failed": "failed",
    "skipped": "skipped",
    "pending": "not reached before the sweep ended",
    "emulated": "emulated",
}


def sentence(cells: Sequence[Cell], chosen: Cell | None, board: str, fps_line: float, measure: str) -> str:
    """What a sweep found on one board.

    Args:
        cells: All of this board.
        chosen: The most accurate of them that keeps the line; ``None`` where none does.
        board: What people call it.
        fps_line: Frames a second that were asked for.
        measure: The headline measure's name, as in :class:`edgenet.swept.Sweep`.
    """
    if chosen is not None:
        told = _chosen(cells, chosen, fps_line, measure)
    elif _timed(cells):
        told = _none_keeps(cells, fps_line, measure)
    elif any(cell.state == "emulated" for cell in cells):
        told = _emulated(cells)
    else:
        told = _none_timed(cells)
    return plain(f"{board}: {told}")


def _timed(cells: Sequence[Cell]) -> list[tuple[float, Cell]]:
    return [(fps, cell) for cell in cells if (fps := speed(cell)) is not None]


def _chosen(cells: Sequence[Cell], chosen: Cell, line: float, measure: str) -> str:
    parts = [_speed(chosen, line), _slowest(chosen, line), accuracy_words(chosen.top1, measure)]
    parts += [drift_words(chosen)]
    told = f"{cell_name(chosen)}: {', '.join(filter(None, parts))}"
    also = [
        _doubt(chosen),
        _as_accurate(cells, chosen, line),
        _next(cells, chosen, line),
    ]
    return "; ".join([told, *filter(None, also)])


def _doubt(cell: Cell) -> str:
    """What speaks against its figures; "" where nothing does."""
    told = VERDICTS.get(cell.verdict or "", "")
    return told and f"{told} {'long run' if cell.fps.sustained is not None else 'screening'}"


def _speed(cell: Cell, line: float) -> str:
    """How fast, how long that was held, and whether it can be told from the line at all."""
    fps = speed(cell)
    if fps is None:
        return "not timed"
    told, pair = f"{beside(fps, line)} FPS {_held(cell)}", cell.fps.interval
    if pair is None or not pair[0] < line <= pair[1]:
        return told
    return f"{told} (95 % interval {pair[0]:.3g} to {pair[1]:.3g}, so that it cannot be told from {line:g})"


def _held(cell: Cell) -> str:
    return "sustained" if cell.fps.sustained is not None else "in the short screening, not run long"


def _slowest(cell: Cell, line: float) -> str:
    if cell.p99_ms is None:
        return ""
    budget = 1e3 / line
    told = f"p99 {beside(cell.p99_ms, budget)} ms"
    return (
        told
        if cell.p99_ms <= budget
        else f"{told}, over the {budget:.1f} ms that a frame has at {line:g} FPS"
    )


def _as_accurate(cells: Sequence[Cell], chosen: Cell, line: float) -> str:
    """The fastest other network that is written with the same accuracy and is not slower than the line."""
    best = chosen.best_accuracy
    alike = [
        (fps, cell)
        for fps, cell in _timed(cells)
        if fps >= line
        and cell.model != chosen.model
        and best is not None
        and cell.best_accuracy is not None
        and abs(cell.best_accuracy - best) < ALIKE
    ]
    if not alike:
        return ""
    fps, cell = max(alike, key=lambda item: item[0])
    return f"{cell_name(cell)} is as accurate at {beside(fps, line)} FPS"


def _next(cells: Sequence[Cell], chosen: Cell, line: float) -> str:
    """What became of the next more accurate cell, and of the next that was timed."""
    best = chosen.best_accuracy
    if best is None:
        return ""
    better = [
        (cell.best_accuracy, speed(cell) or 0.0, cell)
        for cell in cells
        if cell.best_accuracy is not None and cell.best_accuracy - best >= ALIKE
    ]
    if not better:
        return "none is more accurate"
    nearest = min(accuracy for accuracy, _, _ in better)
    first = max((item for item in better if item[0] - nearest < ALIKE), key=lambda item: item[1])[2]
    told = f"the next more accurate one{_called(first, chosen)} {_fate(first, line)}"
    timed = [item for item in better if item[1]]
    if speed(first) is not None or not timed:
        return told
    second = min(timed, key=lambda item: (item[0], -item[1]))[2]
    return f"{told}, and the next that was timed{_called(second, chosen)} {_fate(second, line)}"


def _called(cell: Cell, chosen: Cell) -> str:
    """What tells it from the chosen one."""
    parts = [network_name(cell)] if cell.model != chosen.model else []
    parts += [build_name(cell)] if build_name(cell) != build_name(chosen) else []
    if (gap := cell.versus_answer) is not None:
        parts.append(spread(gap.delta_pp, gap.interval_pp))
    return f" ({', '.join(parts)})" if parts else ""


def _fate(cell: Cell, line: float) -> str:
    """What became of a cell, as the predicate of a sentence."""
    fps = speed(cell)
    why = f" ({cut(cell.reason, REASON)})" if cell.reason else ""
    if fps is None:
        return f"{FATES.get(cell.state, 'was skipped')}{why}"
    if cell.fps.sustained is not None:
        return f"reaches {beside(fps, line)} FPS"
    told = f"reaches {beside(fps, line)} FPS in the screening"
    if cell.state == "failed":
        return f"{told} and then failed{why}"
    return f"{told} and was not run long" if fps >= line else told


def _none_keeps(cells: Sequence[Cell], line: float, measure: str) -> str:
    fps, fastest = max(_timed(cells), key=lambda item: item[0])
    told = f"is {cell_name(fastest)} with {_speed(fastest, line)}"
    if fps >= line:
        name = measure_name(measure)
        if fastest.best_accuracy is None:
            return f"which cell that keeps {line:g} FPS has the best {name} is not known; the fastest {told}"
        return f"no cell is known to keep {line:g} FPS; the fastest {told}{_also(fastest)}"
    short = f"{100.0 * (1.0 - fps / line):.2g} % below the line"
    known = accuracy_words(fastest.top1, measure)
    return f"no cell reaches {line:g} FPS; the fastest {told}, {short}, {known}{_also(fastest)}"


def _also(cell: Cell) -> str:
    return f"; {found}" if (found := _doubt(cell)) else ""


def _emulated(cells: Sequence[Cell]) -> str:
    """A simulation has no speed; what it shows is whether the answers are the host's."""
    ran = [cell for cell in cells if cell.state == "emulated"]
    asked = [cell.identical for cell in ran]
    same, other = asked.count(True), asked.count(False)
    silent = len(ran) - same - other
    found = [f"{counted(same, 'cell')} answered bit for bit as on this host"]
    found += [f"{other:,} did not"] if other else []
    found += [f"{silent:,} {_were(silent)} not compared"] if silent else []
    rest = _ends([cell for cell in cells if cell.state != "emulated"])
    return f"EMULATED, so nothing can be said of FPS; {', '.join([*found, *rest])}"


def _none_timed(cells: Sequence[Cell]) -> str:
    if not cells:
        return "no cell was tried"
    reasons = Counter(cell.reason for cell in cells if cell.state == "failed" and cell.reason)
    why = f" (most often: {cut(reasons.most_common(1)[0][0], REASON)})" if reasons else ""
    if len(reasons) == 1:
        why = why.replace("most often: ", "", 1)
    return f"no cell was timed: {', '.join(_ends(cells))}{why}"


def _ends(cells: Sequence[Cell]) -> list[str]:
    counts = Counter(cell.state for cell in cells)
    return [f"{counts[state]:,} {words}" for state, words in ENDED.items() if counts[state]]


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
