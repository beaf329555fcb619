"""What a wheel must fit: Python, machine and C library."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Platform"]

# The oldest manylinux of each machine, as glibc 2.N, and the older names of the same thing.
_OLDEST = {"x86_64": 5, "i686": 5, "aarch64": 17, "armv7l": 17}
_LEGACY = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}


class Platform(NamedTuple):
    """What a wheel must fit: Python such as "3.11", machine such as "aarch64", glibc such as "2.36"."""

    python: str
    machine: str
    glibc: str

    def tags(self) -> list[str]:
        """Every platform tag that runs there, best first."""
        major, _, minor = self.glibc.partition(".")
        if major != "2" or not minor.isdigit() or self.machine not in _OLDEST:
            return []
        tags: list[str] = []
        for number in range(int(minor), _OLDEST[self.machine] - 1, -1):
            tags.append(f"manylinux_2_{number}_{self.machine}")
            if number in _LEGACY:
                tags.append(f"{_LEGACY[number]}_{self.machine}")
        return tags

    def __str__(self) -> str:
        return f"Python {self.python}, {self.machine}, glibc {self.glibc}"
