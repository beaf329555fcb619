"""How figures are written: one way for each unit, wherever people read them."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["chance", "duration", "interval", "number", "percent", "share", "size"]


def number(value: float | None, digits: int = 2, suffix: str = "") -> str:
    """A number, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}{suffix}"


def percent(share: float | None) -> float | None:
    """A share of 1 in percent."""
    return None if share is None else 100.0 * share


def share(value: float | None, digits: int = 1) -> str:
    """A share of 1 as percent, or a dash."""
    return number(percent(value), digits, " %")


def chance(p: float | None) -> str:
    """A p-value, or a dash; the smallest is not nothing."""
    return "below 0.0001" if p is not None and p < 1e-4 else number(p, 4)


def interval(pair: Sequence[float] | None, digits: int = 2) -> str:
    """The text "lo to hi" of a two-sided interval, or nothing."""
    return "" if pair is None else f"{pair[0]:.{digits}f} to {pair[1]:.{digits}f}"


def duration(seconds: float) -> str:
    """Seconds for people: "45 s", "12 min", "3 h 20 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def size(count: float) -> str:
    """Bytes for people."""
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
