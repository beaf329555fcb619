"""Sweeps made by hand, for what shows and joins them; the speeds follow the multiply-adds, as on a board."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from edgenet.swept import SCHEMA, Answer, Cell, CellAccuracy, CellDrift, CellFps, Saved, Sweep
from edgenet.views.sweep_sentence import sentence

# Network → multiply-adds (millions) and published top-1 of the V1 and V2 tables.
NETWORKS = {
    "v1-0.25-128": (14, 0.415), "v1-0.25-224": (41, 0.498), "v1-0.5-160": (76, 0.591),
    "v1-0.5-224": (150, 0.633), "v1-0.75-192": (233, 0.672), "v1-1.0-192": (418, 0.700),
    "v1-1.0-224": (569, 0.709), "v2-0.35-96": (11, 0.455), "v2-0.5-160": (50, 0.610),
    "v2-0.75-192": (153, 0.687), "v2-1.0-224": (300, 0.718), "v2-1.4-224": (582, 0.750),
    "v3-small-1.0-224": (56, 0.675), "v3-large-0.75-224": (155, 0.733), "v3-large-1.0-224": (219, 0.752),
}  # fmt: skip
BUILDS = (("int8", "tflite"), ("fp32", "tflite"), ("int8", "onnxruntime"), ("int8-dynamic", "onnxruntime"))
# Board → what it calls itself, and its multiply-adds a millisecond.
BOARDS = {"pi4": ("Raspberry Pi 4 Model B Rev 1.5", 9.5), "pi5": ("Raspberry Pi 5 Model B Rev 1.0", 31.0)}
SPEEDUP = {"int8": 1.0, "fp32": 0.45, "int8-dynamic": 0.6}
SOURCE = "edgenet, int8-accurate, 1,000 images each of v1-1.0-224 (ImageNet): docs/quantization.md"


def sweep(boards: Sequence[str] = ("pi4", "pi5", "emulated"), line: float = 24.0, **changes: Any) -> Sweep:
    """Sixty cells a board: published accuracy, expected drift, all states; "emulated" has no speed."""
    cells = tuple(cell for board in boards for cell in _cells(board, line))
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "measure": "top1",
        "fps_line": line,
        "frame": "640x480:jpeg",
        "plan": {"name": "zoo", "families": ["v1", "v2"], "rounds": 3, "long": {"name": "real-time"}},
        "boards": {board: {"board": BOARDS[board][0], "cores": 4} for board in boards if board in BOARDS},
        "cells": cells,
        "answers": tuple(_answer(board, cells, line) for board in boards),
        "saved": tuple(_saved(board, cells) for board in boards),
        "notes": ("Published accuracy is of the float network.",),
        "tool": "edgenet 0.1.0",
    }
    return Sweep(**{**values, **changes})


def _cells(board: str, line: float) -> Iterator[Cell]:
    for model, (macs, top1) in NETWORKS.items():
        for precision, backend in BUILDS:
            cell = _built(board, model, macs, top1, precision, backend)
            if board in BOARDS:
                yield _timed(cell, 1e3 / (6.0 + macs / BOARDS[board][1] / SPEEDUP[precision]), line)
            else:
                yield replace(cell, state="emulated", identical=backend == "tflite")


def _built(board: str, model: str, macs: int, top1: float, precision: str, backend: str) -> Cell:
    family, alpha, resolution = model.rsplit("-", 2)
    drift = CellDrift(
        kind="expected", delta_pp=-0.4, interval_pp=(-0.9, 0.1), images=1000, source=SOURCE
    )  # fmt: skip
    return Cell(
        key=f"{model} {precision} {backend}", model=model, family=family, alpha=float(alpha),
        resolution=int(resolution), macs=macs * 1_000_000, precision=precision, backend=backend, threads=4,
        device=board, state="pending", size_bytes=macs * 9_000, drift=None if precision == "fp32" else drift,
        top1=CellAccuracy(value=top1, kind="published", source="the paper, table 8"),
    )  # fmt: skip


def _timed(cell: Cell, fps: float, line: float) -> Cell:
    if cell.model == "v2-1.4-224" and cell.backend == "onnxruntime":
        return replace(cell, state="failed", reason="onnxruntime stopped (signal 9): not enough memory")
    if cell.model == "v3-large-1.0-224" and cell.precision == "int8-dynamic":
        return cell
    if fps < 0.55 * line:
        reason = "not faster than v1-1.0-192 int8 tflite, which is below the line: the same layers, wider"
        return replace(cell, state="skipped", reason=reason)
    measured = replace(cell, p99_ms=1150.0 / fps, memory_mb=38.0 + (cell.macs or 0) / 2e7, seconds=9.0)
    if fps > 0.8 * line and (cell.best_accuracy or 0.0) > 0.68:
        speed = CellFps(
            model=1.4 * fps, pipeline=1.02 * fps, sustained=fps, interval=(0.985 * fps, 1.015 * fps)
        )
        verdict = "THROTTLED" if cell.precision == "fp32" else "VALID"
        return replace(measured, state="sustained", fps=speed, verdict=verdict)
    speed = CellFps(model=1.4 * fps, pipeline=fps, interval=(0.94 * fps, 1.06 * fps))
    return replace(measured, state="screened", fps=speed)


def _answer(board: str, cells: Sequence[Cell], line: float) -> Answer:
    own = [cell for cell in cells if cell.device == board]
    able = [cell for cell in own if cell.fps.sustained is not None and cell.fps.sustained >= line]
    chosen = max(able, key=lambda cell: cell.best_accuracy or 0.0, default=None)
    title = BOARDS.get(board, ("Raspberry Pi 3B (emulated)", 0.0))[0]
    told = sentence(own, chosen, title, line, "top1")
    if chosen is None:
        return Answer(device=board, board=title, fps_line=line, sentence=told)
    return Answer(
        device=board, board=title, fps_line=line, key=chosen.key, model=chosen.model, sentence=told,
        precision=chosen.precision, backend=chosen.backend, threads=chosen.threads, fps=chosen.fps.decides,
        p99_ms=chosen.p99_ms, top1=chosen.top1,
    )  # fmt: skip


def _saved(board: str, cells: Sequence[Cell]) -> Saved:
    own = [cell for cell in cells if cell.device == board]
    skipped = sum(cell.state == "skipped" for cell in own)
    seconds = sum(cell.seconds for cell in own)
    return Saved(
        device=board, board_seconds=seconds, saved_seconds=9.0 * skipped, cells=len(own), skipped=skipped
    )
