"""A sweep as one HTML file: the answers, speed against accuracy, and every cell in a table that sorts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgenet.swept import Cell, Sweep
from edgenet.text import plain
from edgenet.views.fingerprint import fingerprint
from edgenet.views.parts import Table
from edgenet.views.script import script
from edgenet.views.sweep_answers import answers
from edgenet.views.sweep_charts import legend, panels
from edgenet.views.sweep_order import devices, in_order, ranks
from edgenet.views.sweep_saved import saved_words
from edgenet.views.sweep_table import Column, columns
from edgenet.views.sweep_words import counted, cut, kinds, measure_name, origins
from edgenet.views.template import render

__all__ = ["sweep_page"]

# Of a note, a value of the plan and a fact of a board; the whole stands in the file.
LONGEST, NOTES = 600, 40


@dataclass(frozen=True)
class Value:
    """What stands in a table's cell: its text, the number it is sorted by, and whether it is a figure."""

    text: str
    key: str
    figures: bool


@dataclass(frozen=True)
class Row:
    """A cell's row: its id, whether it is an answer or on the front, and its values."""

    id: str
    rank: str
    values: Sequence[Value]


def sweep_page(sweep: Sweep) -> str:
    """The page of a sweep, or of several that were joined."""
    cells, heads = in_order(sweep), columns(sweep)
    links = {(cell.device, cell.key): f"#cell-{index}" for index, cell in enumerate(cells, 1)}
    return render(
        "sweep.html.j2",
        title=f"The most accurate network at {sweep.fps_line:g} FPS",
        about=_about(sweep),
        answers=answers(sweep),
        panels=panels(sweep, links),
        legend=legend(sweep),
        measure=measure_name(sweep.measure),
        kinds=[cut(line, LONGEST) for line in kinds(sweep.cells)],
        states=_states(sweep.cells),
        heads=heads,
        rows=_rows(sweep, cells, heads),
        saved=saved_words(sweep),
        notes=[cut(note, LONGEST) for note in (*sweep.notes, *origins(sweep.cells))[:NOTES]],
        tables=_how(sweep),
        made=sweep.tool or "",
        script=script(),
    )


def _about(sweep: Sweep) -> str:
    boards, cells = len(devices(sweep)), len(sweep.cells)
    name = plain(str(sweep.plan.get("name") or ""))
    words = [name, counted(boards, "board"), counted(cells, "cell"), f"camera {sweep.frame}"]
    return cut(" · ".join(filter(None, words)), LONGEST)


def _states(cells: Sequence[Cell]) -> str:
    found = Counter(cell.state for cell in cells)
    return cut(", ".join(f"{count:,} {state}" for state, count in found.most_common()), LONGEST)


def _rows(sweep: Sweep, cells: Sequence[Cell], heads: Sequence[Column]) -> list[Row]:
    rank = ranks(sweep)
    return [
        Row(f"cell-{index}", rank.get((cell.device, cell.key), ""), [_value(head, cell) for head in heads])
        for index, cell in enumerate(cells, 1)
    ]


def _value(head: Column, cell: Cell) -> Value:
    key = head.key(cell) if head.key else None
    return Value(head.tell(cell), "" if key is None else f"{key:.10g}", head.figures)


def _how(sweep: Sweep) -> list[Table]:
    """The plan with its protocols, and what tells the boards apart."""
    rows = [
        ("frame", sweep.frame),
        ("line", f"{sweep.fps_line:g} FPS"),
        ("measure", measure_name(sweep.measure)),
    ]
    plan = [(name, _told(value)) for name, value in sweep.plan.items() if value not in (None, [], (), "")]
    tables = [
        Table("What was asked for", ["", ""], [[cut(a, 80), cut(b, LONGEST)] for a, b in [*rows, *plan]])
    ]
    for device, facts in sweep.boards.items():
        told = fingerprint(facts) if isinstance(facts, Mapping) else []
        shown = [[name, cut(value, LONGEST)] for name, value in [("device", device), *told]]
        tables.append(Table(cut(device, 80), ["", ""], shown))
    return tables


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_told(item)}" for key, item in value.items() if item not in (None, [], ""))
    return ", ".join(map(_told, value)) if isinstance(value, list | tuple) else str(value)
