"""Reports as rows and lines of the terminal."""

from __future__ import annotations

from edgenet.breakdown import More
from edgenet.drift import Drift, Kernel
from edgenet.figures import share
from edgenet.measured import Memory
from edgenet.metric import Metric, metrics
from edgenet.report import Report
from edgenet.views.pipeline import pipeline_words
from edgenet.views.sections import starts, threads

__all__ = ["report_columns", "report_row", "verdict_rows"]

Row = tuple[str, str]


def report_columns(*reports: Report) -> list[str]:
    """The heads of the columns that :func:`report_row` fills for these reports."""
    return ["build", *(item.column for item in _shown(*reports)), "verdict"]


def report_row(report: Report) -> list[str]:
    """A report as one row under its ``report_columns``."""
    return [report.build, *(item.cell(report) for item in _shown(report)), report.verdict.state]


def _shown(*reports: Report) -> list[Metric]:
    return [item for item in metrics(*reports) if item.column]


def verdict_rows(report: Report) -> list[Row]:
    """The verdict, drift by stage, the pipeline, memory, energy, what only the protocol measures, limits."""
    state, stages = report.verdict.state, report.drift.stages
    reasons, before = "; ".join(report.verdict.reasons), stages.preprocess
    moved, conversion = report.drift.moved, stages.conversion
    kept = f"{100 * stages.quantization.agreement:.1f} % of answers kept on this host"
    rows = [
        ("verdict", state + (f" ({reasons})" if reasons else "")),
        ("preprocess", f"{before.identical} of {before.images} images have the host's pixels"),
        ("conversion", f"float artifact within {conversion.max_abs:.2g} of the model's {moved}"),
        ("quantization", kept if report.bundle.precision != "fp32" else "none"),
        ("kernel", _kernel_words(stages.kernel)),
        ("answers", _answers_words(report.drift)),
        *pipeline_words(report).items(),
        ("memory", _memory_words(report.memory_mb)),
        *_energy_rows(report),
        *([] if report.emulated or report.more is None else _special_rows(report.more)),
    ]
    for limit in report.verdict.limits:
        note = f" ({limit.note})" if limit.note else ""
        rows.append(("limit", f"{limit.words}{note}"))
    return rows


def _memory_words(memory: Memory) -> str:
    parts = {
        "import": memory.import_,
        "load": memory.load,
        "first run": memory.first_run,
        "arena": memory.arena,
        "peak": memory.peak,
    }
    found = [f"{name} {mb:.1f}" for name, mb in parts.items() if mb is not None]
    return f"{', '.join(found)} MB" if found else "not told there"


def _energy_rows(report: Report) -> list[Row]:
    return [("energy", report.energy.summary)] if report.energy and report.energy.summary else []


def _special_rows(more: More) -> list[Row]:
    """What only some protocols measure."""
    rows = []
    if sweep := more.threads:
        tried = "; ".join(f"{threads(row)} {row.p50:.3g} ms" for row in sweep.tried)
        rows.append(("threads", f"{tried}: {sweep.best} the fewest within 2 % of the fastest"))
    if long := more.sustained:
        after = long.settled_after_s
        when = "never steady" if after is None else f"steady after {after:.0f} s"
        fps = f"{long.first_fps:.4g} FPS at first, settled at {long.settled_fps:.4g}"
        rows.append(("sustained", f"{long.stage}: {fps} ({share(long.ratio)}), {when}"))
    if cold := more.cold_start:
        parts = ", ".join(f"{name} {ms:.3g}" for name, ms in starts(cold).items())
        rows.append(("cold start", f"{cold.p50_ms:.4g} ms ({parts}), the first {cold.first_ms:.4g} ms"))
    return rows


def _kernel_words(kernel: Kernel) -> str:
    if kernel.identical:
        return f"bit-exact with this host on {kernel.images} images"
    return (
        f"{kernel.different_outputs} of {kernel.outputs} outputs differ from this host, "
        f"at most {kernel.max_difference:.3g} {kernel.unit}"
    )


def _answers_words(drift: Drift) -> str:
    """How many answers are the float model's, and at least how many of all there could be."""
    kept = f"{100 * drift.agreement:.1f} % of {drift.images} images' are the float model's"
    if drift.agreement_interval is None:
        return kept
    low, high = drift.agreement_interval
    return f"{kept} (95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
