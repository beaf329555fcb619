"""Give freed memory back to the system."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["malloc_trim"]


def malloc_trim() -> None:
    """Let glibc return the pages between its blocks, which it keeps otherwise; large blocks leave many.

    Nothing happens with another C library.
    """
    if sys.platform == "linux":
        release = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if release is not None:
            release(0)
