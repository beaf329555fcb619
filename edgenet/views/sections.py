"""The page of one report, section by section; one without data is left out or says why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgenet.report import Report
from edgenet.views.charts import Charts, wide
from edgenet.views.figures import interval, number, share, size

__all__ = ["Chart", "Section", "Table", "sections", "starts", "threads"]

# What decides how fast a board is and what it computes.
FINGERPRINT = (
    "board", "os", "kernel", "machine", "cpu", "cores", "isa", "clock_max_mhz", "memory_mb", "governor",
    "python", "glibc", "jetpack", "tensorrt", "power_mode", "emulated",
)  # fmt: skip


@dataclass(frozen=True)
class Chart:
    """An SVG element with its caption; a wide one takes the whole row."""

    caption: str
    svg: str
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under columns; a folded one opens at a click."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """One part of the page.

    Attributes:
        title: Its heading.
        lead: What it says, in a sentence or two.
        charts: Drawings.
        tables: Figures.
        images: Pictures with captions: ``src`` (a data URI or ""), ``title``, ``lines``.
        notes: What to know when reading it.
    """

    title: str
    lead: str = ""
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    images: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[str] = ()


def sections(report: Report, charts: Charts) -> list[Section]:
    """Every section that has something to say."""
    found = [
        _speed(report, charts),
        _special(report, charts),
        _layers(report, charts),
        _heat(report, charts),
        _accuracy(report, charts),
        _memory(report, charts),
        _environment(report),
    ]
    return [section for section in found if section is not None]


def _speed(report: Report, charts: Charts) -> Section | None:
    samples = np.asarray(report.latency_ms.get("samples") or [], np.float64)
    if report.emulated or not len(samples):
        return Section("Speed", notes=["An emulated board has no speed: nothing is shown."])
    drawn = [
        Chart("How long one invocation takes (the slowest hundredth in the last bar)",
              charts.histogram(samples, "one invocation")),
        Chart("The same over the run: median and 99th percentile", charts.series(samples, "One invocation")),
    ]  # fmt: skip
    pipeline = report.pipeline_ms
    if pipeline and pipeline.get("parts"):
        parts = {name: float(ms) for name, ms in pipeline["parts"].items()}
        words = ", ".join(f"{name} {ms:.3g} ms" for name, ms in parts.items())
        drawn.append(
            Chart("From image bytes to label: mean of each part", charts.stacked(parts, "ms", words))
        )
    rows = [("invocation", report.latency_ms), ("image bytes to label", pipeline)]
    names = ("min", "p50", "p90", "p99", "mean", "stdev")
    table = Table(
        "Latency in ms",
        ["what", *names, "95 % interval of p50", "runs"],
        [
            [what, *(number(figures.get(name), 3) for name in names),
             interval(figures.get("p50_interval"), 3) or "–", str(len(figures.get("samples", [])))]
            for what, figures in rows if figures
        ],
    )  # fmt: skip
    return Section("Speed", _speed_lead(report), drawn, [table])


def _speed_lead(report: Report) -> str:
    pipeline = report.fps.get("pipeline")
    lead = f"The network alone runs {number(report.fps['model'], 1)} frames a second"
    if pipeline:
        lead += f"; from an image's bytes to its label it is {number(pipeline, 1)}"
    return lead + "."


def _special(report: Report, charts: Charts) -> Section | None:
    """What only some protocols measure."""
    more, drawn, lead = report.more or {}, [], []
    if report.emulated or not more:
        return None
    if sweep := more.get("threads"):
        rows = sweep["tried"]
        names = [threads(row) for row in rows]
        says = ", ".join(f"{name} {row['p50']:.3g} ms" for name, row in zip(names, rows, strict=True))
        bars = charts.bars(names, [row["p50"] for row in rows], "ms", says)
        drawn.append(Chart("Median of one invocation by threads, ms", bars, wide(names)))
        best = next(row for row in rows if row["threads"] == sweep["best"])
        lead.append(f"The fewest within 2 % of the fastest: {threads(best)}.")
    if long := more.get("sustained"):
        says = f"FPS over the run, settled at {long['settled_fps']:.4g}"
        curve = charts.lines({"FPS": long["curve"]}, "s", "FPS", says, True)
        drawn.append(Chart("FPS over the run", curve, wide=True))
        lead.append(f"It settled at {long['settled_fps']:.4g} FPS, {share(long['ratio'])} of the first 15 s.")
    if cold := more.get("cold_start"):
        parts = starts(cold)
        says = ", ".join(f"{name} {ms:.3g} ms" for name, ms in parts.items())
        drawn.append(Chart("From nothing to the first answer: medians", charts.stacked(parts, "ms", says)))
        lead.append(
            f"A fresh process answers after {cold['p50_ms']:.4g} ms, the first {cold['first_ms']:.4g}."
        )
    return Section("By protocol", " ".join(lead), drawn)


def threads(row: Mapping[str, Any]) -> str:
    """A try of the thread sweep: "1 thread", "4 threads on 4 × Cortex-A76"."""
    on = f" on {row['on']}" if row.get("on") else ""
    return f"{row['threads']} thread{'' if row['threads'] == 1 else 's'}{on}"


PARTS = {"start": "start_ms", "import": "import_ms", "load": "load_ms", "first run": "first_run_ms"}


def starts(cold: Mapping[str, Any]) -> dict[str, float]:
    """The median ms of each part of a cold start."""
    return {name: float(np.median([row[key] for row in cold["runs"]])) for name, key in PARTS.items()}


def _layers(report: Report, charts: Charts) -> Section | None:
    rows = list(report.layers)
    facts = report.layer_facts or {}
    if not rows:
        reason = facts.get("absent")
        return Section("Layers", notes=[f"No times of layers: {reason}."]) if reason else None
    names = [str(row["name"]) for row in rows]
    drawn = []
    if not report.emulated:
        times = [row.get("ms") for row in rows]
        drawn.append(Chart("Time of each layer, ms", charts.bars(names, times, "ms", "Time of each layer")))
    drift = [row.get("sqnr_db") for row in rows]
    if any(value is not None for value in drift):
        drawn.append(
            Chart("Signal to quantization noise after each layer, dB (less is worse)",
                  charts.bars(names, drift, "dB", "Signal to noise after each layer"))
        )  # fmt: skip
    columns = {"name": "layer", "op": "operator", "ms": "ms", "share": "share", "gmac_s": "GMAC/s",
               "gb_s": "GB/s", "of_roof": "of roofline", "sqnr_db": "SQNR dB"}  # fmt: skip
    hidden = TIMED if report.emulated else ()
    there = [key for key in columns if key not in hidden and any(row.get(key) is not None for row in rows)]
    table = Table(
        "Every layer", [columns[key] for key in there],
        [[_cell(row.get(key), key) for key in there] for row in rows], folded=True,
    )  # fmt: skip
    lead = "" if report.emulated else str(facts.get("summary", ""))
    return Section("Layers", lead, drawn, [table], notes=_notes(facts, report))


# What of a layer tells how fast the board is.
TIMED = ("ms", "share", "gmac_s", "gb_s", "of_roof")


def _notes(facts: Mapping[str, Any], report: Report) -> list[str]:
    roof = report.roofline or {}
    no_noise = facts.get("noise_absent") and f"No drift of the layers: {facts['noise_absent']}."
    found = [no_noise, roof.get("summary"), roof.get("absent") and f"No roofline: {roof['absent']}."]
    return [str(note) for note in found if note]


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
    readings = [report.sensors.get("before"), *(report.sensors.get("during") or []),
                report.sensors.get("after")]  # fmt: skip
    readings = [item for item in readings if isinstance(item, Mapping) and "time_s" in item]
    absent = dict(readings[-1].get("absent", {})) if readings else {}
    drawn = []
    for key, caption, unit in (
        ("temperature_c", "Temperature of the hottest zone", "°C"),
        ("cpu_mhz", "Clock of the fastest core", "MHz"),
        ("power_w", "Power", "W"),
    ):
        points = [
            (item["time_s"] - readings[0]["time_s"], _highest(item[key])) for item in readings if key in item
        ]
        if len(points) > 2:
            says = f"{caption}: {points[0][1]:.4g} at first, {points[-1][1]:.4g} at last, {unit}"
            drawn.append(Chart(f"{caption}, {unit}", charts.lines({caption: points}, "s", unit, says)))
    energy = report.energy or {}
    notes = [f"{SENSORS.get(name, name)} is not known: {reason}." for name, reason in absent.items()]
    if loads := [f"{item['load_1m']:g}" for item in (readings[:1] + readings[-1:]) if "load_1m" in item]:
        notes.insert(0, f"Load average before and after: {', '.join(loads)}.")
    if energy.get("absent"):
        notes.append(f"No joules a frame: {energy['absent']}.")
    elif energy:
        notes.append(str(energy["summary"]))
    return Section("Heat, clocks, power", "", drawn, notes=notes) if drawn or notes else None


def _highest(value: Any) -> float:
    return float(max(value)) if isinstance(value, list) else float(value)


def _accuracy(report: Report, charts: Charts) -> Section:
    drift = report.drift
    rows = [[label, text] for label, text in _accuracy_rows(drift) if text]
    drawn = []
    changes = _stage_changes(drift)
    if any(changes.values()):
        caption = "Top-1 lost and won by stage, pp"
        drawn.append(Chart(caption, charts.waterfall(changes, "pp", f"{caption}: {_listed(changes)}")))
    changes = _stage_answers(drift)
    if any(changes.values()):
        caption = "Answers changed by stage, %"
        bars = charts.bars(list(changes), list(changes.values()), "%", f"{caption}: {_listed(changes)}")
        drawn.append(Chart(caption, bars))
    return Section(
        "Accuracy",
        f"The board's answers against the float model's on {drift.get('images')} images"
        f" ({'labelled' if drift.get('labelled') else 'no labels'}, from {drift.get('source')}).",
        drawn,
        [Table("Drift", ["figure", "value"], rows), Table("Stages", ["stage", "found"], _stages(drift))],
        list(_worst(drift)),
        [str(drift["claim"])] if drift.get("claim") else [],
    )


def _accuracy_rows(drift: Mapping[str, Any]) -> list[tuple[str, str]]:
    top1 = drift.get("top1")
    rows = [("same answer as the float model", share(drift.get("agreement"), 2))]
    if drift.get("agreement_interval"):
        rows.append(
            ("its 95 % interval (Wilson)", interval([100 * x for x in drift["agreement_interval"]]) + " %")
        )
    if top1 is not None:
        rows += [
            ("top-1", f"{share(top1, 2)} (float {share(drift.get('top1_reference'), 2)})"),
            ("top-5", f"{share(drift.get('top5'), 2)} (float {share(drift.get('top5_reference'), 2)})"),
            ("difference", f"{drift['top1_delta_pp']:+.2f} pp"),
            ("its 95 % interval (Newcombe)", interval(drift.get("interval_pp")) + " pp"),
            ("McNemar p", number(drift.get("mcnemar_p"), 4)),
        ]
    rows += [("cosine of the logits", number(drift.get("cosine"), 5)),
             ("largest logit error", _cell(drift.get("max_abs"), "max_abs"))]  # fmt: skip
    return rows


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:+.2f}" for name, value in values.items())


def _stage_changes(drift: Mapping[str, Any]) -> dict[str, float]:
    """Top-1 that each stage lost or won, in pp, where the images are labelled."""
    stages = drift.get("stages") or {}
    names = ("quantization", "kernel")
    if not all("top1_delta_pp" in stages.get(name, {}) for name in names):
        return {}
    return {name: float(stages[name]["top1_delta_pp"]) for name in names}


def _stage_answers(drift: Mapping[str, Any]) -> dict[str, float]:
    """The share of answers that each stage changed, in percent."""
    stages = drift.get("stages") or {}
    names = [name for name in ("conversion", "quantization", "kernel") if name in stages]
    return {name: 100.0 * (1.0 - stages[name]["agreement"]) for name in names}


def _stages(drift: Mapping[str, Any]) -> list[list[str]]:
    stages = drift.get("stages") or {}
    rows = []
    if before := stages.get("preprocess"):
        rows.append(
            ["preprocess", f"{before['identical']} of {before['images']} images have the host's pixels"]
        )
    for name in ("conversion", "quantization"):
        if stage := stages.get(name):
            text = f"{share(stage['agreement'], 2)} of answers kept on {stage['images']} images"
            rows.append([name, f"{text}, logits within {stage['max_abs']:.3g}"])
    if kernel := stages.get("kernel"):
        found = "bit-exact with the host" if kernel["identical"] else (
            f"{kernel['different_outputs']} of {kernel['outputs']} outputs differ from the host, "
            f"at most {kernel['max_difference']:.3g} {kernel['unit']}"
        )  # fmt: skip
        rows.append(["kernel", found])
    return rows


def _worst(drift: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for item in drift.get("worst") or []:
        lines = [f"board: {item.get('answer_label', item['answer'])}",
                 f"float: {item.get('reference_label', item['reference'])}"]  # fmt: skip
        if item.get("label"):
            lines.append(f"truth: {item['label']}")
        lines.append(f"logits off by {item['max_abs']:.3g}")
        changed = item["answer"] != item["reference"]
        picture = str(item.get("thumbnail", ""))
        src = picture if picture.startswith("data:image/png;base64,") else ""
        yield {"src": src, "title": item["file"], "lines": lines, "changed": changed}


def _memory(report: Report, charts: Charts) -> Section | None:
    names = {"import": "importing the runtime", "load": "loading the model", "first_run": "first run",
             "arena": "arena", "peak": "peak of the process", "gpu": "GPU"}  # fmt: skip
    found = {text: report.memory_mb.get(key) for key, text in names.items()}
    known = {text: mb for text, mb in found.items() if mb is not None}
    if not known:
        return Section("Memory", notes=["The system there does not tell."])
    says = ", ".join(f"{text} {mb:.1f} MB" for text, mb in known.items())
    chart = Chart("Resident memory, MB", charts.bars(list(known), list(known.values()), "MB", says))
    small = report.memory_mb.get("of_512_mb")
    lead = "" if small is None else f"At its peak the process takes {share(small)} of a board with 512 MB."
    absent = report.memory_mb.get("arena_absent")
    return Section("Memory", lead, [chart], notes=[f"The arena is not known: {absent}."] if absent else [])


def _environment(report: Report) -> Section:
    facts = report.device.get("facts", {})
    rows = [
        [name, _fact(facts[name])] for name in FINGERPRINT if facts.get(name) not in (None, [], "", False)
    ]
    made = [
        ["model", f"{report.bundle['model']} ({str(report.bundle.get('model_digest'))[:16]}…)"],
        ["bundle", f"{str(report.bundle['digest'])[:16]}…"],
        ["artifact", size(report.bundle["size_bytes"])],
        ["recipe", str(report.bundle.get("recipe") or "none (float)")],
        ["compiled by", str(report.bundle.get("tool", "–"))],
        ["target", str(report.device.get("target"))],
        ["protocol", f"{report.protocol.get('name')}: {report.protocol.get('summary', '')}"],
        ["threads", str(report.protocol.get("threads_used") or report.protocol.get("threads"))],
    ]
    return Section("Environment", "", (), [
        Table("What was measured", ["", ""], made),
        Table("Where", ["", ""], [["device", str(report.device["name"])], *rows]),
    ])  # fmt: skip


def _fact(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)
