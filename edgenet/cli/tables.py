"""Reports as rows and lines of the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgenet.report import Report
from edgenet.views.figures import build, number, share, size
from edgenet.views.sections import starts, threads

__all__ = ["REPORT_COLUMNS", "report_row", "verdict_lines"]

REPORT_COLUMNS = [
    "build", "size", "p50 ms", "p99 ms", "FPS model", "FPS pipeline", "peak MB", "top-1", "drift pp", "agree",
    "verdict",
]  # fmt: skip


def report_row(report: Report) -> list[str]:
    """A report as one row of ``REPORT_COLUMNS``."""
    latency, fps, drift = report.latency_ms, report.fps, report.drift
    if report.emulated:
        latency, fps = dict.fromkeys(latency), dict.fromkeys(fps)
    return [
        build(report),
        size(report.bundle["size_bytes"]),
        number(latency["p50"], 3),
        number(latency["p99"], 3),
        number(fps["model"], 1),
        number(fps["pipeline"], 1),
        number(report.memory_mb.get("peak"), 1),
        share(drift["top1"]),
        number(drift["top1_delta_pp"], 2),
        share(drift["agreement"]),
        report.verdict["state"],
    ]


def verdict_lines(report: Report) -> list[str]:
    """The verdict, the stages of drift, memory, energy, what only its protocol measures, the limits."""
    state, stages = report.verdict["state"], report.drift["stages"]
    reasons = "; ".join(report.verdict["reasons"])
    kernel, before = stages["kernel"], stages["preprocess"]
    lines = [
        f"verdict      {state}" + (f" ({reasons})" if reasons else ""),
        f"preprocess   {before['identical']} of {before['images']} images have the host's pixels",
        f"conversion   float artifact within {stages['conversion']['max_abs']:.2g} of the model's logits",
        f"quantization {100 * stages['quantization']['agreement']:.1f} % of answers kept on this host"
        if report.bundle["precision"] != "fp32"
        else "quantization none",
        _kernel_line(kernel),
        _memory_line(report.memory_mb),
        *_energy_lines(report),
        *([] if report.emulated else _special_lines(report.more or {})),
    ]
    for limit in report.verdict["limits"]:
        mark = "kept" if limit["passed"] else "EXCEEDED"
        note = f" ({limit['note']})" if "note" in limit else ""
        lines.append(
            f"limit        {limit['name']} {number(limit['value'])}, asked {limit['limit']:g}: {mark}{note}"
        )
    return lines


def _memory_line(memory: Mapping[str, Any]) -> str:
    names = {"import": "import", "load": "load", "first_run": "first run", "arena": "arena", "peak": "peak"}
    found = [f"{name} {memory[key]:.1f}" for key, name in names.items() if memory.get(key) is not None]
    return f"memory       {', '.join(found)} MB" if found else "memory       not told there"


def _energy_lines(report: Report) -> list[str]:
    energy = report.energy or {}
    return [f"energy       {energy['summary']}"] if "summary" in energy else []


def _special_lines(more: Mapping[str, Any]) -> list[str]:
    """What only some protocols measure."""
    lines = []
    if sweep := more.get("threads"):
        tried = "; ".join(f"{threads(row)} {row['p50']:.3g} ms" for row in sweep["tried"])
        lines.append(f"threads      {tried}: {sweep['best']} the fewest within 2 % of the fastest")
    if long := more.get("sustained"):
        after = long["settled_after_s"]
        when = "never steady" if after is None else f"steady after {after:.0f} s"
        lines.append(
            f"sustained    {long['first_fps']:.4g} FPS at first, settled at {long['settled_fps']:.4g}"
            f" ({share(long['ratio'])}), {when}"
        )
    if cold := more.get("cold_start"):
        parts = ", ".join(f"{name} {ms:.3g}" for name, ms in starts(cold).items())
        lines.append(f"cold start   {cold['p50_ms']:.4g} ms ({parts}), the first {cold['first_ms']:.4g} ms")
    return lines


def _kernel_line(kernel: dict[str, Any]) -> str:
    if kernel["identical"]:
        return f"kernel       bit-exact with this host on {kernel['images']} images"
    return (
        f"kernel       {kernel['different_outputs']} of {kernel['outputs']} outputs differ from this host, "
        f"at most {kernel['max_difference']:.3g} {kernel['unit']}"
    )
