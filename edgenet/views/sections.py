"""The page of one report, section by section; one without data is left out or says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.breakdown import ColdStart, LayerFacts, Roofline, ThreadTry
from edgenet.figures import interval, number, share, size
from edgenet.measured import Reading
from edgenet.report import Report
from edgenet.views.accuracy import accuracy
from edgenet.views.bars import bars
from edgenet.views.charts import Charts
from edgenet.views.classes import classes
from edgenet.views.fingerprint import fingerprint
from edgenet.views.histogram import histogram
from edgenet.views.network import extremes, network
from edgenet.views.parts import Chart, Section, Table
from edgenet.views.pipeline import pipeline_notes, pipeline_tables

__all__ = ["sections", "starts", "threads"]


def sections(report: Report, charts: Charts) -> list[Section]:
    """Every section that has something to say."""
    found = [
        _speed(report, charts),
        _special(report, charts),
        accuracy(report, charts),
        classes(report),
        _layers(report),
        _heat(report, charts),
        _memory(report),
        _environment(report),
    ]
    return [section for section in found if section is not None]


def _speed(report: Report, charts: Charts) -> Section | None:
    if report.emulated:
        return Section("Speed", notes=["An emulated board has no speed: nothing is shown."])
    samples = report.latency_ms.array()
    drawn = [
        Chart(_slowest(samples), histogram(samples, "one invocation")),
        Chart("The same over the run: median and 99th percentile", charts.series(samples, "One invocation")),
    ]
    pipeline, what = report.pipeline_ms, report.frame or "image"
    if pipeline and pipeline.parts:
        parts = pipeline.parts
        words = ", ".join(f"{name} {ms:.3g} ms" for name, ms in parts.items())
        drawn.append(
            Chart(f"From {what} bytes to label: mean of each part", charts.stacked(parts, "ms", words))
        )
    rows = [("invocation", report.latency_ms), (f"{what} bytes to label", pipeline)]
    names = ("min", "p50", "p90", "p99", "mean", "stdev")
    table = Table(
        "Latency in ms",
        ["what", *names, "95 % interval of p50", "runs"],
        [
            [what, *(number(getattr(figures, name), 3) for name in names),
             interval(figures.p50_interval, 3) or "–", str(len(figures.samples))]
            for what, figures in rows if figures
        ],
    )  # fmt: skip
    tables = [table, *pipeline_tables(report)]
    return Section("Speed", _speed_lead(report), drawn, tables, notes=pipeline_notes(report))


def _slowest(samples: NDArray[np.float64]) -> str:
    """The caption of the histogram, with what it leaves out."""
    beyond = samples[samples > np.percentile(samples, 99)]
    caption = "How long one invocation takes, up to the 99th percentile"
    if not len(beyond):
        return caption
    return f"{caption}; {len(beyond):,} of {len(samples):,} runs take longer, {samples.max():.3g} ms at most"


def _speed_lead(report: Report) -> str:
    pipeline = report.fps.pipeline
    lead = f"The network alone runs {number(report.fps.model, 1)} frames a second"
    if pipeline:
        what = f"a {report.frame} frame's" if report.frame else "an image's"
        lead += f"; from {what} bytes to its label it is {number(pipeline, 1)}"
    return lead + "."


def _special(report: Report, charts: Charts) -> Section | None:
    """What only some protocols measure."""
    more, drawn, lead = report.more, [], []
    if report.emulated or more is None:
        return None
    if sweep := more.threads:
        rows = sweep.tried
        names = [threads(row) for row in rows]
        says = ", ".join(f"{name} {row.p50:.3g} ms" for name, row in zip(names, rows, strict=True))
        drawing = bars(names, [row.p50 for row in rows], "ms", says)
        drawn.append(Chart("Median of one invocation by threads, ms", drawing))
        lead.append(f"The fewest within 2 % of the fastest: {threads(sweep.chosen)}.")
    if long := more.sustained:
        says = f"FPS over the run, settled at {long.settled_fps:.4g}"
        curve = charts.lines({"FPS": long.curve}, "s", "FPS", says, True)
        drawn.append(Chart(f"FPS of the {long.stage} over the run", curve))
        lead.append(f"It settled at {long.settled_fps:.4g} FPS, {share(long.ratio)} of the first 15 s.")
    if cold := more.cold_start:
        parts = starts(cold)
        says = ", ".join(f"{name} {ms:.3g} ms" for name, ms in parts.items())
        drawn.append(Chart("From nothing to the first answer: medians", charts.stacked(parts, "ms", says)))
        lead.append(f"A fresh process answers after {cold.p50_ms:.4g} ms, the first {cold.first_ms:.4g}.")
    return Section("By protocol", " ".join(lead), drawn)


def threads(row: ThreadTry) -> str:
    """A try of the thread sweep: "1 thread", "4 threads on 4 × Cortex-A76"."""
    on = f" on {row.on}" if row.on else ""
    return f"{row.threads} thread{'' if row.threads == 1 else 's'}{on}"


PARTS = {"start": "start_ms", "import": "import_ms", "load": "load_ms", "first run": "first_run_ms"}


def starts(cold: ColdStart) -> dict[str, float]:
    """The median ms of each part of a cold start."""
    return {name: float(np.median([getattr(row, key) for row in cold.runs])) for name, key in PARTS.items()}


def _layers(report: Report) -> Section | None:
    rows, facts = report.layers, report.layer_facts or LayerFacts()
    if not rows:
        reason = facts.absent
        return Section("Layers", notes=[f"No times of layers: {reason}."]) if reason else None
    columns = {"name": "layer", "op": "operator", "ms": "ms", "share": "share", "gmac_s": "GMAC/s",
               "gb_s": "GB/s", "of_roof": "of roofline", "sqnr_db": "SQNR dB"}  # fmt: skip
    hidden = TIMED if report.emulated else ()
    there = [
        key for key in columns if key not in hidden and any(getattr(row, key) is not None for row in rows)
    ]
    table = Table(
        "Every layer with all its figures", [columns[key] for key in there],
        [[_cell(getattr(row, key), key) for key in there] for row in rows], folded=True,
    )  # fmt: skip
    lead = "" if report.emulated else facts.summary or ""
    tables = [*extremes(report), table]
    return Section("Layers", lead, (), tables, notes=_notes(facts, report), network=network(report))


# What of a layer tells how fast the board is.
TIMED = ("ms", "share", "gmac_s", "gb_s", "of_roof")


def _notes(facts: LayerFacts, report: Report) -> list[str]:
    roof = report.roofline or Roofline()
    no_noise = facts.noise_absent and f"No drift of the layers: {facts.noise_absent}."
    found = [no_noise, roof.summary, roof.absent and f"No roofline: {roof.absent}."]
    return [note for note in found if note]


def _cell(value: Any, key: str) -> str:
    if value is None:
        return "–"
    if key in ("share", "of_roof"):
        return share(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


SENSORS = {
    "temperature_c": "Temperature", "governor": "Governor", "cpu_mhz": "Clock", "throttled": "Throttling",
    "power_w": "Power", "load_1m": "Load average", "memory_available_mb": "Available memory",
}  # fmt: skip


def _heat(report: Report, charts: Charts) -> Section | None:
    readings = report.sensors.run()
    absent = readings[-1].absent or {} if readings else {}
    drawn = []
    for key, caption, unit in (
        ("temperature_c", "Temperature of the hottest zone", "°C"),
        ("cpu_mhz", "Clock of the fastest core", "MHz"),
        ("power_w", "Power", "W"),
    ):
        points = _course(readings, key)
        if len(points) > 2:
            says = f"{caption}: {points[0][1]:.4g} at first, {points[-1][1]:.4g} at last, {unit}"
            drawn.append(Chart(f"{caption}, {unit}", charts.lines({caption: points}, "s", unit, says)))
    energy = report.energy
    notes = [_unknown(absent)] if absent else []
    if loads := [f"{item.load_1m:g}" for item in readings[:1] + readings[-1:] if item.load_1m is not None]:
        notes.insert(0, f"Load average before and after: {', '.join(loads)}.")
    if energy and energy.absent:
        notes.append(f"No joules a frame: {energy.absent}.")
    elif energy and energy.summary:
        notes.append(energy.summary)
    return Section("Heat, clocks, power", "", drawn, notes=notes) if drawn or notes else None


def _unknown(absent: Mapping[str, str]) -> str:
    """What the board does not tell, in one line: what has one reason stands together."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in absent.items():
        by_reason.setdefault(reason, []).append(SENSORS.get(name, name).lower())
    told = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in by_reason.items())
    return f"Not known on this board: {told}."


def _course(readings: Sequence[Reading], key: str) -> list[tuple[float, float]]:
    """(seconds since the first reading, value) of each reading that has one; of several cores the highest."""
    begin = readings[0].time_s or 0.0 if readings else 0.0
    found = [((item.time_s or 0.0) - begin, getattr(item, key)) for item in readings]
    return [(at, max(v) if isinstance(v, tuple) else v) for at, v in found if v is not None and v != ()]


def _memory(report: Report) -> Section | None:
    names = {"import_": "importing the runtime", "load": "loading the model", "first_run": "first run",
             "arena": "arena", "peak": "peak of the process", "gpu": "GPU"}  # fmt: skip
    found = {text: getattr(report.memory_mb, key) for key, text in names.items()}
    known = {text: mb for text, mb in found.items() if mb is not None}
    if not known:
        return Section("Memory", notes=["The system there does not tell."])
    says = ", ".join(f"{text} {mb:.1f} MB" for text, mb in known.items())
    chart = Chart("Resident memory, MB", bars(list(known), list(known.values()), "MB", says))
    small = report.memory_mb.of_512_mb
    lead = "" if small is None else f"At its peak the process takes {share(small)} of a board with 512 MB."
    absent = report.memory_mb.arena_absent
    return Section("Memory", lead, [chart], notes=[f"The arena is not known: {absent}."] if absent else [])


def _environment(report: Report) -> Section:
    made = [
        ["model", f"{report.bundle.model} ({str(report.bundle.model_digest)[:16]}…)"],
        ["bundle", f"{report.bundle.digest[:16]}…"],
        ["artifact", size(report.bundle.size_bytes)],
        ["recipe", report.bundle.recipe or "none (float)"],
        ["compiled by", report.bundle.tool or "–"],
        ["target", report.device.target],
        ["protocol", f"{report.protocol.name}: {report.protocol.summary or ''}"],
        ["threads", str(report.protocol.threads_used or report.protocol.threads)],
    ]
    where = [["device", report.device.name], *fingerprint(report.device.facts)]
    return Section("Environment", "", (), [
        Table("What was measured", ["", ""], made),
        Table("Where", ["", ""], where),
    ])  # fmt: skip
