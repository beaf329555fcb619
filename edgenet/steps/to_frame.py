"""Reports, a sweep or a fleet's report → a pandas ``DataFrame``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgenet.data_frame import data_frame
from edgenet.fleet_report import FleetReport
from edgenet.steps.report import ResultLike, load_results
from edgenet.steps.taken import several
from edgenet.swept import Sweep
from edgenet.views.fleet_text import fleet_records
from edgenet.views.sweep_text import sweep_records
from edgenet.views.text import records

__all__ = ["to_frame"]


def to_frame(results: Iterable[ResultLike] | ResultLike) -> Any:
    """A row a report, a cell of sweeps or a board of a fleet, with the columns of the CSV.

    What is absent is ``None``.

    Args:
        results: A report, a sweep or a fleet's report, or several reports or sweeps, as
            :func:`edgenet.present` takes them.

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
    if isinstance(found, FleetReport):
        return data_frame(fleet_records(found))
    return data_frame(sweep_records(found) if isinstance(found, Sweep) else records(found))
