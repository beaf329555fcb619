"""Reports as rows and lines of the terminal."""

from __future__ import annotations

from typing import Any

from edgenet.report import Report
from edgenet.views.figures import build, number, share, size

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
    """The verdict, the stages of drift and the limits, one line each."""
    state, stages = report.verdict["state"], report.drift["stages"]
    reasons = "; ".join(report.verdict["reasons"])
    kernel, before = stages["kernel"], stages["preprocess"]
    lines = [
        f"verdict     {state}" + (f" ({reasons})" if reasons else ""),
        f"preprocess  {before['identical']} of {before['images']} images have the host's pixels",
        f"conversion  float artifact within {stages['conversion']['max_abs']:.2g} of the model's logits",
        f"quantization {100 * stages['quantization']['agreement']:.1f} % of answers kept on this host"
        if report.bundle["precision"] != "fp32"
        else "quantization none",
        _kernel_line(kernel),
    ]
    for limit in report.verdict["limits"]:
        mark = "kept" if limit["passed"] else "EXCEEDED"
        note = f" ({limit['note']})" if "note" in limit else ""
        lines.append(
            f"limit       {limit['name']} {number(limit['value'])}, asked {limit['limit']:g}: {mark}{note}"
        )
    return lines


def _kernel_line(kernel: dict[str, Any]) -> str:
    if kernel["identical"]:
        return f"kernel      bit-exact with this host on {kernel['images']} images"
    return (
        f"kernel      {kernel['different_outputs']} of {kernel['outputs']} outputs differ from this host, "
        f"at most {kernel['max_difference']:.3g} {kernel['unit']}"
    )
