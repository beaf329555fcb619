"""What the pipeline's figures say: each part against the time between two frames, and the next best step."""

from __future__ import annotations

from edgenet.figures import interval, number, share, size
from edgenet.pipeline import FrameSteps, FrameTry, PipelineLatency
from edgenet.report import Report
from edgenet.views.parts import Table

__all__ = ["WANTED_FPS", "pipeline_notes", "pipeline_tables", "pipeline_words"]

# What a film needs; the question is who reaches it, and at what price.
WANTED_FPS = 24.0
BETWEEN_MS = 1e3 / WANTED_FPS
OF_A_FRAME = f"of a frame at {WANTED_FPS:g} FPS"


def pipeline_words(report: Report) -> dict[str, str]:
    """Head → sentence: ``pipeline``, where there is one, and ``next step``, where a camera's was measured."""
    pipeline = report.pipeline_ms
    if pipeline is None or report.emulated:
        return {}
    found = {"pipeline": f"{_what(pipeline)}: {_parts(pipeline)}"}
    if pipeline.steps:
        found["next step"] = _next(pipeline.steps)
    return found


def _what(pipeline: PipelineLatency) -> str:
    if pipeline.frame is None:
        return "images as they are"
    return pipeline.frame + (f", {size(pipeline.frame_bytes)} a frame" if pipeline.frame_bytes else "")


def _parts(pipeline: PipelineLatency) -> str:
    parts = ", ".join(f"{name} {ms:.3g} ms ({_share(ms)})" for name, ms in pipeline.parts.items())
    whole = f"{pipeline.mean:.3g} ms, {_share(pipeline.mean)} {OF_A_FRAME} ({BETWEEN_MS:.1f} ms)"
    return f"{parts}; in all {whole}" if parts else whole


def _share(ms: float) -> str:
    return share(ms / BETWEEN_MS)


def _next(steps: FrameSteps) -> str:
    if steps.absent:
        return f"not measured: {steps.absent}"
    ordered = sorted(steps.tried, key=lambda item: -item.saves_ms)
    tried = "; ".join(item.words for item in ordered)
    if steps.best is None:
        return f"none that was tried saves more than its noise ({tried})"
    best, rest = steps.best, "; ".join(item.words for item in ordered if item is not steps.best)
    noise = f" ({interval(best.saves_interval)} with 95 %)"
    return best.words + noise + (f"; also tried: {rest}" if rest else "")


def pipeline_tables(report: Report) -> list[Table]:
    """The parts against the time of a frame, and what else the camera could give."""
    pipeline = report.pipeline_ms
    if pipeline is None or report.emulated or not pipeline.parts:
        return []
    parts = {**pipeline.parts, "total": pipeline.mean}
    caption = f"From {'image' if pipeline.frame is None else pipeline.frame} bytes to label, means"
    rows = [[name, number(ms, 3), _share(ms)] for name, ms in parts.items()]
    tables = [Table(caption, ["part", "ms", OF_A_FRAME], rows)]
    steps = pipeline.steps
    if steps and steps.tried:
        columns = ["what", "frame", "p50 ms", "saves ms", "95 % interval"]
        base = [["as measured", str(pipeline.frame), number(steps.p50, 3), "", ""]]
        caption = f"What else the camera could give: {steps.rounds} runs of each, in turn"
        tables.append(Table(caption, columns, [*base, *(_row(item) for item in steps.tried)]))
    return tables


def _row(item: FrameTry) -> list[str]:
    spread = interval(item.saves_interval, 3) or "–"
    return [item.change, item.frame, number(item.p50, 3), number(item.saves_ms, 3), spread]


def pipeline_notes(report: Report) -> list[str]:
    """Why a part is missing, and the next best step."""
    absent = (report.pipeline_ms and report.pipeline_ms.parts_absent) or {}
    notes = [] if report.emulated else [f"There is no {name}: {why}." for name, why in absent.items()]
    step = pipeline_words(report).get("next step")
    return [*notes, f"Next step: {step}."] if step else notes
