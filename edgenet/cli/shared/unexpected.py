"""An exception that nobody expected, in one line: a bug, or a machine that lacks something."""

from __future__ import annotations

from edgenet.text import cause

__all__ = ["unexpected"]


def unexpected(error: Exception) -> str:
    """What happened, and what to do about it.

    Memory that runs out, a library that does not load and a system call that is refused are of the machine;
    all else is a bug of ours.
    """
    if isinstance(error, MemoryError):
        return "this machine has not enough memory for that; close programs, or use a smaller model"
    if isinstance(error, ImportError) and not (error.name or "").startswith("edgenet"):
        return f"a library does not load ({cause(error)}); install edgenet again"
    if isinstance(error, OSError):
        return f"the system refused ({cause(error)}); mend that, then run it again"
    return f"this is a bug in edgenet ({type(error).__name__}: {cause(error)}); report it with the log"
