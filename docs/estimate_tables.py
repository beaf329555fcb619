"""The tables of docs/estimate.md and docs/answer.md, from published figures and what is estimated of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgenet.estimates.estimate import Estimate, known_figures
from edgenet.estimates.judged import FARTHEST
from edgenet.estimates.left_out import LeftOut, left_out, within, without_scaled
from edgenet.library import names
from edgenet.published import (
    PublishedAccuracy,
    PublishedLatency,
    expected_drift,
    published_accuracies,
    published_accuracy,
    published_latencies,
)
from edgenet.steps.estimate import estimate
from edgenet.target import Target
from edgenet.zoo.named import NamedNetwork

FPS = 24.0
BACKEND, PRECISIONS = "tflite", ("int8", "fp32")
QUESTIONS = {
    "network": "its network",
    "kernels": "its kernels there",
    "threads": "its threads there",
    "board": "its board",
    "family": "its family",
}
NO_OTHER = "too little is published of ONNX Runtime and TensorRT"
BOARDS = f"""\
Boards: the factor for a full-size network / for other widths and resolutions, with TFLite; "no" above
{FARTHEST:g}. V3 in int8 was never published of these kernels, so it is less sure. `local` and `rtx-laptop`
stand for many processors: cannot tell.
"""
FIGURES = """
Figures: the published time in ms, and then estimated over published, when what the column names was left out.
`scaled`: by networks of width 1.0 and resolution 224 alone.
"""
# Machines of the figures that have no target and are nearest to a laptop.
LAPTOPS = ("i7-12700k",)
LAPTOP = "cannot tell: processors differ, and none was timed with these kernels"


def how_far_off() -> str:
    """Per board whether it can be told, and every figure beside the estimates made without it."""
    return "\n".join([BOARDS, *_boards(), FIGURES, *_figures(), ""])


def _boards() -> list[str]:
    cases = [(family, precision) for family in ("v1", "v3-large") for precision in PRECISIONS]
    rows = [["board", "core", *(f"{family} {precision}" for family, precision in cases), "why not"]]
    for board in filter(_one_processor, map(Target.load, names("target"))):
        if BACKEND not in board.backends:
            rows.append([board.name, board.cpu.core, *["–"] * len(cases), f"does not run {BACKEND}"])
            continue
        pairs = [
            [_estimate(family, alpha, 224, board.name, precision) for alpha in (1.0, 0.75)]
            for family, precision in cases
        ]
        why = {item.why: None for pair in pairs for item in pair if item.factor is None}
        cells = [" / ".join(dict.fromkeys(map(_told, pair))) for pair in pairs]
        rows.append([board.name, board.cpu.core, *cells, "; ".join(why)])
    return _lines(rows)


def _one_processor(board: Target) -> bool:
    """Whether a target stands for one processor whose clock is known."""
    return board.cpu.clock_mhz > 0


def _told(found: Estimate) -> str:
    if found.factor is None:
        return "cannot tell"
    return f"{found.factor:.2f}" if found.tells else f"no: {found.factor:.2f}"


def _figures() -> list[str]:
    figures = known_figures()
    by_question = [left_out(figures, question) for question in QUESTIONS]
    scaled = {row.figure: row for row in without_scaled(figures)}
    head = ["board", "MHz", "kernels", "threads", "network", "precision", "ms", *QUESTIONS.values(), "scaled"]
    rows = [head]
    for number, figure in enumerate(figures):
        asked = [rows_of[number] for rows_of in by_question]
        rows.append(
            [
                figure.machine.name,
                str(figure.machine.cpu.clock_mhz),
                figure.kernels,
                str(figure.threads or "?"),
                figure.network.name,
                figure.precision,
                f"{figure.ms:g}",
                *(f"{row.ratio:.2f}" for row in asked),
                f"{scaled[figure].ratio:.2f}" if figure in scaled else "",
            ]
        )
    factors = [*by_question, without_scaled(figures)]
    rows.append(["**nine in ten within**", *[""] * 6, *(f"**{within(part):.2f}**" for part in factors)])
    tflite = [_of(BACKEND, part) for part in factors[:-1]]
    rows.append([f"**of {BACKEND} within**", *[""] * 6, *(f"**{within(part):.2f}**" for part in tflite), ""])
    return _lines(rows)


def _of(kernels: str, rows: Iterable[LeftOut]) -> list[LeftOut]:
    return [row for row in rows if row.figure.kernels == kernels]


def answer() -> str:
    """Board by board what is published and what is estimated."""
    head = ["board", f"published at {FPS:g} FPS or more", "ESTIMATED", "ESTIMATED, surely"]
    rows = [head]
    for board in sorted(filter(_one_processor, map(Target.load, names("target"))), key=_place):
        rows.append([board.title, _published(board.name), *_estimated(board)])
    for machine in LAPTOPS:
        rows.append(
            [f"a laptop (as near as published: {machine})", _published(machine), LAPTOP, "cannot tell"]
        )
    return "\n".join([*_lines(rows), ""])


def _place(board: Target) -> tuple[bool, float, str]:
    """Raspberry Pis first, the slowest first."""
    return not board.name.startswith("raspberry"), board.cpu.clock_mhz * board.cpu.cores, board.name


def _published(machine: str) -> str:
    rows = [row for row in published_latencies() if row.machine.name == machine]
    if not rows:
        return "nothing"
    fast = [row for row in rows if 1e3 / row.ms >= FPS]
    best = max(fast, key=lambda row: (_accuracy(row), -row.ms)) if fast else min(rows, key=lambda row: row.ms)
    words = f"{best.network} {best.precision}, {best.runtime}: {best.ms:g} ms, {1e3 / best.ms:.0f} FPS"
    found = published_accuracy(best.family, best.alpha, best.resolution)
    words += f"; {_top1(found, best.precision)}" if found else ""
    return words if fast else f"none; the fastest is {words}"


def _accuracy(row: PublishedLatency) -> float:
    found = published_accuracy(row.family, row.alpha, row.resolution)
    return _expected(found, row.precision) if found else 0.0


def _top1(row: PublishedAccuracy, precision: str) -> str:
    words = f"top-1 {100 * row.top1:.1f}"
    if precision != "int8":
        return words
    if (drift := expected_drift(row.family, precision)) is not None:
        low, high = drift.interval_pp
        return f"{words}, int8 expected {drift.delta_pp:+.1f} ({low:+.1f} to {high:+.1f})"
    own = f", its publisher's own 8-bit {100 * row.int8_top1:.1f}" if row.int8_top1 else ""
    return f"{words}, int8 expected: not known{own}"


def _estimated(board: Target) -> list[str]:
    """The most accurate that is estimated fast enough, and that is so by its whole interval."""
    if BACKEND not in board.backends:
        return [f"cannot tell: no TFLite there, and {NO_OTHER}", "cannot tell"]
    found = [
        (row, precision, _estimate(row.family, row.alpha, row.resolution, board.name, precision))
        for row in published_accuracies()
        for precision in PRECISIONS
    ]
    told = [item for item in found if item[2].tells]
    if not told:
        made = min((item[2] for item in found), key=lambda item: item.factor or FARTHEST)
        wide = f"left-out figures are off by ×{made.factor:.2f} and more" if made.factor else made.why
        return [f"cannot tell: {wide}", "cannot tell"]
    by_mean = [item for item in told if (item[2].fps or 0.0) >= FPS]
    by_interval = [item for item in told if item[2].interval_fps and item[2].interval_fps[0] >= FPS]
    return [_best(by_mean), _best(by_interval)]


def _best(found: Sequence[tuple[PublishedAccuracy, str, Estimate]]) -> str:
    if not found:
        return "none"
    row, precision, made = max(found, key=lambda item: (_expected(item[0], item[1]), item[2].fps or 0.0))
    low, high = made.interval_fps or (0.0, 0.0)
    name = NamedNetwork(row.family, row.alpha, row.resolution).name
    return f"{name} {precision}: {made.fps:.0f} FPS ({low:.0f} to {high:.0f}); {_top1(row, precision)}"


def _expected(row: PublishedAccuracy, precision: str) -> float:
    """Top-1 in percent with what int8 is expected to cost; its publisher's where that is not known."""
    drift = expected_drift(row.family, precision)
    if precision != "int8" or drift:
        return 100 * row.top1 + (drift.delta_pp if drift else 0.0)
    return 100 * (row.int8_top1 or 0.0)


def _estimate(family: str, alpha: float, resolution: int, board: str, precision: str) -> Estimate:
    return estimate(NamedNetwork(family, alpha, resolution).name, board, BACKEND, precision)


def _lines(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *rest = [f"| {' | '.join(row)} |" for row in rows]
    return [head, "|" + "---|" * len(rows[0]), *rest]
