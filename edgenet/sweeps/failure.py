"""Why a cell failed, in one line."""

from __future__ import annotations

from edgenet.errors import EdgenetError

__all__ = ["failure"]


def failure(error: BaseException) -> str:
    """What went wrong and what to do; of an error that nobody foresaw its type, and that it is a bug."""
    if isinstance(error, EdgenetError):
        return f"{error.what}; {error.remedy}" if error.remedy else error.what
    return f"{type(error).__name__}: {error} (not foreseen: report it as a bug in edgenet)"
