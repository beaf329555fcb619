"""A sweep as Markdown for a pull request, and as CSV for a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgenet.swept import Cell, Sweep
from edgenet.views.inert import csv_table, in_markdown, markdown_table
from edgenet.views.sweep_order import ANSWER, FRONT, board_names, devices, in_order, ranks, sentences
from edgenet.views.sweep_saved import saved_words
from edgenet.views.sweep_table import columns
from edgenet.views.sweep_words import kinds, origins, speed
from edgenet.views.when import when

__all__ = ["sweep_csv", "sweep_markdown", "sweep_records"]

# Decimals in the CSV: of a share they are hundredths of a percent.
DIGITS = 4


def sweep_markdown(sweep: Sweep) -> str:
    """The answers, then each board's front, then every cell."""
    lines = [f"### The most accurate network at {sweep.fps_line:g} FPS", ""]
    lines += [f"- **{in_markdown(told)}**" for told in sentences(sweep)]
    rank, cells = ranks(sweep), in_order(sweep)
    for device in devices(sweep):
        best = [cell for cell in cells if cell.device == device and (device, cell.key) in rank]
        if best:
            lines += ["", f"#### Front of {in_markdown(board_names(sweep)[device])}", ""]
            lines += _table(sweep, best)
    lines += ["", "#### Every cell", "", *_table(sweep, cells), ""]
    told = [*kinds(sweep.cells), *saved_words(sweep), *sweep.notes, *origins(sweep.cells)]
    lines += [f"- {in_markdown(line)}" for line in told]
    return "\n".join(lines).rstrip() + "\n"


def _table(sweep: Sweep, cells: Sequence[Cell]) -> list[str]:
    heads = [head for head in columns(sweep) if any(head.tell(cell) for cell in cells)]
    rows = [[in_markdown(head.tell(cell)) for head in heads] for cell in cells]
    return markdown_table([in_markdown(item.head) for item in heads], rows, [item.figures for item in heads])


def sweep_csv(sweep: Sweep) -> str:
    """A header and a row a cell; an absent figure is an empty cell, the others are rounded."""
    rows = sweep_records(sweep)
    heads = list(rows[0]) if rows else ["device"]
    return csv_table(heads, rows, dict.fromkeys(heads, DIGITS))


def sweep_records(sweep: Sweep) -> list[dict[str, Any]]:
    """Every cell with its figures, as they are in the sweep; ``None`` where one is absent."""
    rank, names = ranks(sweep), board_names(sweep)
    return [
        _record(cell, sweep, names[cell.device], rank.get((cell.device, cell.key), ""))
        for cell in sweep.cells
    ]


def _record(cell: Cell, sweep: Sweep, board: str, rank: str) -> dict[str, Any]:
    return {
        "device": cell.device,
        "board": board,
        "date": _date(sweep.boards.get(cell.device)),
        "model": cell.model,
        "family": cell.family,
        "alpha": cell.alpha,
        "resolution": cell.resolution,
        "macs": cell.macs,
        "precision": cell.precision,
        "recipe": cell.recipe,
        "backend": cell.backend,
        "threads": cell.threads,
        "state": cell.state,
        "reason": cell.reason,
        "verdict": cell.verdict,
        "answer": rank == ANSWER,
        "front": rank == FRONT,
        "frame": sweep.frame,
        "fps_line": sweep.fps_line,
        **_speed(cell),
        "memory_mb": cell.memory_mb,
        "size_bytes": cell.size_bytes,
        **_accuracy(cell, sweep.measure),
        **_drift(cell),
        "seconds": cell.seconds,
        "key": cell.key,
        "report": cell.report,
        "bundle": cell.bundle,
    }


def _date(facts: Any) -> str | None:
    """When the sweep came to a board, by that board's clock."""
    date = when(facts) if isinstance(facts, Mapping) else None
    return date.isoformat(timespec="seconds") if date else None


def _speed(cell: Cell) -> dict[str, float | None]:
    timed = speed(cell) is not None
    low, high = (timed and cell.fps.interval) or (None, None)
    return {
        "fps_model": cell.fps.model if timed else None,
        "fps_pipeline": cell.fps.pipeline if timed else None,
        "fps_sustained": cell.fps.sustained if timed else None,
        "fps_low": low,
        "fps_high": high,
        "p99_ms": cell.p99_ms if timed else None,
    }


def _accuracy(cell: Cell, measure: str) -> dict[str, Any]:
    top1 = cell.top1
    low, high = (top1 and top1.interval) or (None, None)
    return {
        "measure": measure,
        "accuracy": top1.value if top1 else None,
        "accuracy_kind": top1.kind if top1 else None,
        "accuracy_images": top1.images if top1 else None,
        "accuracy_low": low,
        "accuracy_high": high,
        "accuracy_source": top1.source if top1 else None,
        "accuracy_of_the_cell": cell.best_accuracy,
    }


def _drift(cell: Cell) -> dict[str, Any]:
    drift = cell.drift
    low, high = (drift and drift.interval_pp) or (None, None)
    return {
        "drift_kind": drift.kind if drift else None,
        "drift_pp": drift.delta_pp if drift else None,
        "drift_pp_low": low,
        "drift_pp_high": high,
        "drift_images": drift.images if drift else None,
        "drift_source": drift.source if drift else None,
        "versus_answer_pp": cell.versus_answer.delta_pp if cell.versus_answer else None,
        "versus_answer_pp_low": cell.versus_answer.interval_pp[0] if cell.versus_answer else None,
        "versus_answer_pp_high": cell.versus_answer.interval_pp[1] if cell.versus_answer else None,
        "agreement": drift.agreement if drift else None,
        "identical": cell.identical,
    }
