"""What a notebook shows of a report and of a sweep: the figures that decide and the charts of their page."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from edgenet.errors import ReportError
from edgenet.metric import metrics
from edgenet.report import Report
from edgenet.swept import Sweep
from edgenet.views.charts import Charts
from edgenet.views.parts import Chart, Tile
from edgenet.views.sections import sections
from edgenet.views.sweep_charts import panels
from edgenet.views.sweep_order import sentences
from edgenet.views.sweep_text import sweep_records
from edgenet.views.sweep_words import counted
from edgenet.views.template import render
from edgenet.views.text import records

__all__ = ["html", "rows"]

# The page has all of them; a notebook shows those of speed and accuracy, which stand first there.
MOST = 4
SHOWN = ("Speed", "Accuracy")
HERE = Path(__file__).parent
# The palettes of the page's style sheet: the light one, and the dark one where the system is dark.
_DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{(?P<colors>[^}]*)\}\s*\}")
_LIGHT = re.compile(r":root \{(?P<colors>[^}]*)\}")


_LIGHTED = ('body[data-jp-theme-light="true"] &', "body.vscode-light &")
_DARKENED = ('body[data-jp-theme-light="false"] &', "body.vscode-dark &", "body.vscode-high-contrast &")


def html(value: Report | Sweep) -> str:
    """An element with its own style, light or dark as the notebook is; no script, nothing from outside."""
    return _report(value) if isinstance(value, Report) else _sweep(value)


def rows(value: Report | Sweep, part: str = "figures") -> list[dict[str, Any]]:
    """Column → value.

    Args:
        value: What the rows are of.
        part: "figures" as in the CSV: one row of a report, one each cell of a sweep; "layers" or "samples".

    Raises:
        ReportError: There is no such part.
    """
    if isinstance(value, Sweep):
        return sweep_records(value)
    parts = {"figures": lambda one: records([one]), "layers": _layers, "samples": _samples}
    if part not in parts:
        raise ReportError(f"a report has no part {part!r}", f"choose of {', '.join(parts)}")
    return parts[part](value)


def _layers(report: Report) -> list[dict[str, Any]]:
    return [{item.name: getattr(layer, item.name) for item in fields(layer)} for layer in report.layers]


def _samples(report: Report) -> list[dict[str, Any]]:
    stages = {"model": report.latency_ms, "pipeline": report.pipeline_ms}
    return [
        {"stage": stage, "run": index, "ms": float(ms)}
        for stage, latency in stages.items()
        if latency is not None
        for index, ms in enumerate(latency.samples)
    ]


def _report(report: Report) -> str:
    found = [section for section in sections(report, Charts()) if section.title in SHOWN]
    told = [*(limit.words for limit in report.verdict.limits), *report.verdict.notes]
    return render(
        "notebook.html.j2",
        style=_style("report", "page.css"),
        kind="report",
        title=f"{report.bundle.model} {report.build}",
        about=f"{report.device.board or report.device.name}, protocol {report.protocol.name}",
        state=report.verdict.state,
        reasons=report.verdict.reasons,
        lines=told,
        tiles=_tiles(report),
        charts=[chart for section in found for chart in section.charts][:MOST],
        more="All of it: edgenet.present(report) gives the page, report.to_frame() the figures.",
    )


def _tiles(report: Report) -> list[Tile]:
    known = [item for item in metrics(report) if item.of(report) is not None]
    return [Tile(item.name, item.text(report), item.unit) for item in known]


def _sweep(sweep: Sweep) -> str:
    nowhere = {(cell.device, cell.key): "" for cell in sweep.cells}
    drawn = [Chart(panel.board, panel.svg, True) for panel in panels(sweep, nowhere) if panel.svg]
    return render(
        "notebook.html.j2",
        style=_style("sweep", "page.css", "sweep.css"),
        kind="sweep",
        title=f"The most accurate network at {sweep.fps_line:g} FPS",
        about=f"{counted(len(sweep.cells), 'cell')}, camera {sweep.frame}",
        state="",
        reasons=(),
        lines=sentences(sweep),
        tiles=(),
        charts=drawn,
        more="All of it: edgenet.present(sweep) gives the page, sweep.to_frame() every cell.",
    )


def _style(kind: str, *names: str) -> str:
    """A page's style sheets for elements of one kind; JupyterLab and VS Code say themselves what is dark."""
    frame, *pages = (HERE.joinpath(name).read_text(encoding="utf-8") for name in ("notebook.css", *names))
    page = "\n".join(pages)
    dark = " ".join(match["colors"] for match in _DARK.finditer(page))
    rest = _DARK.sub("", page)
    light = " ".join(match["colors"] for match in _LIGHT.finditer(rest))
    told = [(_LIGHTED, light), (_DARKENED, dark)]
    themes = "\n".join(f"{', '.join(selectors)} {{ {colors} }}" for selectors, colors in told)
    system = f"@media (prefers-color-scheme: dark) {{ & {{ {dark} }} }}"
    # Named twice, it outdoes a notebook's own rules.
    return (
        f".edgenet-{kind}.edgenet-{kind} {{ {light}\n{system}\n{themes}\n{frame}\n{_LIGHT.sub('', rest)} }}"
    )
