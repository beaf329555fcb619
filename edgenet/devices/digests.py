"""The sha256 of every wheel that a pin may become: what is fetched is these files or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

__all__ = ["FILE", "digest_lines", "digests_of", "known_digests", "parsed"]

# Beside this file, in the form that ``sha256sum -c`` reads; ``make wheel-digests`` writes it anew.
FILE = "wheels.sha256"
_LINE = re.compile(r"([0-9a-f]{64})  ([\w.+-]+\.whl)\Z")


@cache
def known_digests() -> Mapping[str, str]:
    """File name of a wheel → its sha256.

    Raises:
        ValueError: The file that ships is damaged.
    """
    return parsed(resources.files(__package__).joinpath(FILE).read_text("ascii"), FILE)


def parsed(text: str, where: str) -> Mapping[str, str]:
    """File name → sha256, of a list in the form that ``sha256sum -c`` reads.

    Raises:
        ValueError: A line is not a digest and the name of a wheel.
    """
    found = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            raise ValueError(f"{where}: not a digest and a name: {line!r}")
        found[match[2]] = match[1]
    return found


def digests_of(pin: str) -> list[str]:
    """The sha256 of every wheel that a pin such as "numpy==1.26.4" may become."""
    project, _, version = pin.partition("==")
    wanted = (_normal(project), version)
    return sorted(digest for name, digest in known_digests().items() if _project(name) == wanted)


def _project(wheel: str) -> tuple[str, str]:
    name, version, *_ = wheel.split("-")
    return _normal(name), version


def _normal(project: str) -> str:
    """The one spelling of a project's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", project).lower()


def digest_lines(digests: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """The file's text for (name, sha256) pairs, sorted by name."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(dict(digests).items()))
