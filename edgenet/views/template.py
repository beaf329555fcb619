"""Templates of the pages: everything that is put into one is escaped, on one line, and printable."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from edgenet import __version__
from edgenet.text import plain
from edgenet.views.inert import in_css

__all__ = ["render"]


def render(name: str, **values: Any) -> str:
    """Fill a template of this folder; the version of edgenet is among its values."""
    environment = Environment(
        loader=PackageLoader("edgenet.views", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["in_css"] = in_css
    return environment.get_template(name).render(version=__version__, **values)


def _printable(value: Any) -> Any:
    """What reorders or hides text is shown as what it is; a drawing of ours stays as it is."""
    return value if hasattr(value, "__html__") else plain(value)
