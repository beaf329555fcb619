"""What decides how fast a board is and what it computes, of all that it told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["fingerprint"]

NAMES = (
    "board", "os", "kernel", "machine", "cpu", "cores", "isa", "clock_max_mhz", "memory_mb", "governor",
    "python", "glibc", "jetpack", "tensorrt", "power_mode", "emulated",
)  # fmt: skip


def fingerprint(facts: Mapping[str, Any]) -> list[list[str]]:
    """Rows of a fact's name and its value as text; those that the board did not tell are left out."""
    return [[name, _fact(facts[name])] for name in NAMES if facts.get(name) not in (None, [], "", False)]


def _fact(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
