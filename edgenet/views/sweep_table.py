"""The cells of a sweep as a table: what stands in each column, and by what it is sorted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgenet.figures import interval, number, percent, share
from edgenet.swept import MEASURED, STATES, Cell, Sweep
from edgenet.views.sweep_order import board_names, ranks
from edgenet.views.sweep_words import build_name, counted, cut, measure_name, network_name, speed, spread

__all__ = ["Column", "columns", "state_name"]

# Names and reasons are foreign: a page of a thousand cells stays small. The whole stands in the file.
NAME, REASON = 80, 300
ABOUT_RANK = "the answer, and the front: the cells that no other one beats in speed and accuracy"
EMULATED, STATE = "emulated", "state"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        head: Its name, with the unit.
        about: What it holds, for those who wonder.
        tell: A cell's text; empty where there is none.
        key: What it is sorted by where that is a number; ``None`` where there is none.
    """

    head: str
    about: str
    tell: Callable[[Cell], str]
    key: Callable[[Cell], float | None] | None = None

    @property
    def figures(self) -> bool:
        """Whether numbers stand in it."""
        return self.key is not None and self.head != STATE


def columns(sweep: Sweep) -> list[Column]:
    """The network first; those in which no cell has anything are left out."""
    found = [*_what(sweep), *_how_fast(), *_how_good(sweep.measure), *_how_large()]
    found.append(Column("reason", "why it was skipped or failed", lambda cell: cut(cell.reason, REASON)))
    return [item for item in found if any(item.tell(cell) for cell in sweep.cells)]


def state_name(cell: Cell) -> str:
    """How it ended, and what speaks against its long run: "sustained, THROTTLED"."""
    if cell.state == EMULATED:
        return "EMULATED"
    doubt = cell.verdict if cell.verdict and cell.verdict != "VALID" else ""
    return cut(", ".join(filter(None, [cell.state, doubt])), NAME)


def _what(sweep: Sweep) -> list[Column]:
    names, rank = board_names(sweep), ranks(sweep)
    board = Column("board", "what the board calls itself", lambda cell: cut(names[cell.device], NAME))
    return [
        Column("network", "and the height of its input", lambda cell: cut(network_name(cell), NAME)),
        Column("rank", ABOUT_RANK, lambda cell: rank.get((cell.device, cell.key), "")),
        *([board] if len(names) > 1 else []),
        Column("build", "precision and backend", lambda cell: cut(build_name(cell), NAME)),
        Column("threads", "0: every core", lambda cell: str(cell.threads), lambda cell: cell.threads),
        Column(STATE, "how it ended", state_name, _state),
    ]


def _state(cell: Cell) -> float:
    return STATES.index(cell.state) if cell.state in STATES else len(STATES)


def _how_fast() -> list[Column]:
    return [
        Column("FPS", "from a camera's frame to its answer, with its 95 % interval", _fps, speed),
        _figure("model FPS", "the network alone", _on_a_board(lambda cell: cell.fps.model)),
        _figure("p99 ms", "99 of 100 frames take no longer", _on_a_board(lambda cell: cell.p99_ms)),
    ]


def _fps(cell: Cell) -> str:
    fps = speed(cell)
    if fps is None:
        return ""
    return number(fps, 1) + (f" ({interval(cell.fps.interval, 1)})" if cell.fps.interval else "")


def _on_a_board(read: Callable[[Cell], float | None]) -> Callable[[Cell], float | None]:
    """A figure that a simulation does not have."""
    return lambda cell: None if cell.state == EMULATED else read(cell)


def _how_good(measure: str) -> list[Column]:
    name = measure_name(measure)
    return [
        Column(f"{name} %", "of this cell: measured, or published and the drift added", _accuracy, _best),
        Column(f"{name} known by", "measured of this cell, or published of the float network", _known_by),
        Column("over the answer", "on the same images in pairs, percentage points", _versus, _over),
        Column("drift", "against the float network, in percentage points", _drift, _delta),
        Column("as on the host", "whether the board's answers are the host's, bit for bit", _identical),
    ]


def _best(cell: Cell) -> float | None:
    return cell.best_accuracy


def _accuracy(cell: Cell) -> str:
    best = percent(cell.best_accuracy)
    if best is None or cell.top1 is None:
        return ""
    if cell.top1.kind == MEASURED and cell.top1.interval:
        return f"{best:.1f} ({interval([100.0 * edge for edge in cell.top1.interval], 1)})"
    return number(best, 1)


def _known_by(cell: Cell) -> str:
    if cell.top1 is None:
        return ""
    if cell.top1.kind == MEASURED:
        return f"measured on {counted(cell.top1.images, 'image')}" if cell.top1.images else MEASURED
    return f"{cut(cell.top1.kind, NAME)} {share(cell.top1.value)}"


def _delta(cell: Cell) -> float | None:
    return cell.drift.delta_pp if cell.drift else None


def _over(cell: Cell) -> float | None:
    return cell.versus_answer.delta_pp if cell.versus_answer else None


def _versus(cell: Cell) -> str:
    gap = cell.versus_answer
    return spread(gap.delta_pp, gap.interval_pp) if gap else ""


def _drift(cell: Cell) -> str:
    if cell.drift is None or cell.drift.delta_pp is None:
        return ""
    return f"{spread(cell.drift.delta_pp, cell.drift.interval_pp)} {cut(cell.drift.kind, NAME)}"


def _identical(cell: Cell) -> str:
    asked = cell.identical
    return "" if asked is None else "bit for bit" if asked else "differs"


def _how_large() -> list[Column]:
    return [
        _figure("memory MB", "of the process at its peak", lambda cell: cell.memory_mb),
        _figure("artifact MB", "the file on the board", lambda cell: _millions(cell.size_bytes), 2),
        _figure("million MACs", "multiply-adds of the float network", lambda cell: _millions(cell.macs), 0),
    ]


def _figure(head: str, about: str, read: Callable[[Cell], float | None], digits: int = 1) -> Column:
    def tell(cell: Cell) -> str:
        value = read(cell)
        return "" if value is None else number(value, digits)

    return Column(head, about, tell, read)


def _millions(count: int | None) -> float | None:
    return None if count is None else count / 1e6
