"""Rows as a pandas ``DataFrame``, where pandas is: edgenet itself does without it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from edgenet.errors import PackageError

__all__ = ["data_frame"]


def data_frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """A ``pandas.DataFrame`` with these rows.

    Args:
        rows: Column → value, the same columns in each; units are in their names.

    Raises:
        PackageError: pandas is not installed.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        raise PackageError("a frame needs pandas, which is not installed", "pip install pandas") from None
    return pandas.DataFrame.from_records([dict(row) for row in rows])
