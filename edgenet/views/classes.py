"""The page's section on classes: which are told apart, and which are taken for others."""

from __future__ import annotations

from edgenet.report import Report
from edgenet.views.matrix import matrix
from edgenet.views.parts import Section, Table

__all__ = ["classes"]

# Rows up to which a table stands open.
SHORT = 20


def classes(report: Report) -> Section | None:
    """The matrix of few classes, and the tables that the task has; ``None`` where it has none."""
    drift = report.drift
    tables = [Table(*item, folded=len(item.rows) > SHORT) for item in drift.tables()]
    drawn = matrix(drift.confused())
    if not tables and drawn is None:
        return None
    return Section("Class by class", f"On {drift.images:,} images.", tables=tables, matrix=drawn)
