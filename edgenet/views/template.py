"""Templates of the pages: everything that is put into one is escaped."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from edgenet import __version__

__all__ = ["render"]


def render(name: str, **values: Any) -> str:
    """Fill a template of this folder; the version of edgenet is among its values."""
    loader = PackageLoader("edgenet.views", ".")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name).render(version=__version__, **values)
