"""Where the documentation is on the web: messages name its pages in full, for a wheel brings no docs/."""

from __future__ import annotations

__all__ = ["DOCS", "page"]

# The site that .github/workflows/docs.yml publishes; [project.urls] of pyproject.toml says the same.
DOCS = "https://edgenet-toolkit.github.io/edgenet/"


def page(name: str, section: str = "") -> str:
    """The address of a page.

    Args:
        name: Its file below ``docs/`` without the suffix: ``preprocessing``, ``tutorials/first-board``.
        section: The anchor of one of its headings.
    """
    return f"{DOCS}{name}/" + (f"#{section}" if section else "")
