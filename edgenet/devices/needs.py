"""What a runtime imports beside its own wheels, and whether a board's own Python has it."""

from __future__ import annotations

import re
from typing import NamedTuple

from edgenet.facts import Facts

__all__ = ["Need", "need", "remedy"]

_TEXT = re.compile(r"([a-z][a-z0-9-]*)((?:(?:>=|<)\d+(?:\.\d+)*,?)*)\Z")
_BOUND = re.compile(r"(>=|<)([\d.]+)")
# Systems whose packages come by apt, as their os-release names them.
_APT = ("Debian", "Raspbian", "Ubuntu", "Armbian", "Pop!_OS", "Linux Mint")
_SYSTEM_PYTHON = re.compile(r"/usr/bin/python3(\.\d+)?\Z")


class Need(NamedTuple):
    """A package that a runtime imports, and the versions that it was built for.

    Attributes:
        project: The package's name, which is also the module's.
        at_least: The oldest version; ``()`` for any.
        below: The first version that is too new; ``()`` for none.
        text: As pip reads it, such as "numpy>=1.23.2,<2".
    """

    project: str
    at_least: tuple[int, ...]
    below: tuple[int, ...]
    text: str

    def lacking(self, facts: Facts) -> str:
        """Why the board's own Python does not have it, as what a runtime needs; "" where it has."""
        own = facts.packages.get(self.project)
        if own is None:
            return f"imports {self.project}, which the board's Python does not have"
        version = tuple(int(part) for part in re.findall(r"\d+", own.partition("+")[0])[:3])
        if not version or (self.at_least <= version and (not self.below or version < self.below)):
            return ""  # where the version is not told, importing it will tell
        return f"needs {self.text}, and the board's own is {own}"


def need(text: str) -> Need:
    """Parse what ``pins.toml`` says, such as "numpy>=1.23.2,<2".

    Raises:
        ValueError: It is not a name with at most a lower and an upper bound.
    """
    match = _TEXT.match(text)
    bounds = _BOUND.findall(text)
    if match is None or len({sign for sign, _ in bounds}) != len(bounds):
        raise ValueError(f"{text!r} is not a package with bounds such as numpy>=1.23.2,<2")
    told = {sign: tuple(int(part) for part in version.split(".")) for sign, version in bounds}
    return Need(match[1], told.get(">=", ()), told.get("<", ()), text)


def remedy(wanted: Need, facts: Facts) -> str:
    """The one command that gives a board's Python what a runtime needs."""
    python = facts.python_executable or "python3"
    if wanted.project in facts.packages:  # of another version: the system's own is the wrong one as well
        return f"set EDGENET_INDEX to a package index that has {wanted.text} for this board: it is sent along"
    if _SYSTEM_PYTHON.match(python) and (facts.os or "").startswith(_APT):
        return f"run `sudo apt install python3-{wanted.project}` there"
    return f'run `{python} -m pip install "{wanted.text}"` there'
