"""Reports or a sweep → a pandas ``DataFrame``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edgenet.data_frame import data_frame
from edgenet.report import Report
from edgenet.steps.report import load_results
from edgenet.steps.taken import several
from edgenet.swept import Sweep
from edgenet.views.sweep_text import sweep_records
from edgenet.views.text import records

__all__ = ["to_frame"]


def to_frame(results: Iterable[Report | Sweep | Path | str] | Report | Sweep | Path | str) -> Any:
    """A row a report, or a row a cell of sweeps, with the columns of the CSV; ``None`` where one is absent.

    Args:
        results: A report or a sweep, or several of one kind, as :func:`edgenet.present` takes them.

    Raises:
        PackageError: pandas is not installed.
        ReportError: One cannot be read, or they cannot be compared.

    Examples:
        With pandas:

        >>> frame = edgenet.to_frame(["report.json"])  # doctest: +SKIP
        >>> list(frame.columns[:3]), len(frame)  # doctest: +SKIP
        (['model', 'backend', 'precision'], 1)
    """
    found = load_results(several(results))
    return data_frame(sweep_records(found) if isinstance(found, Sweep) else records(found))
