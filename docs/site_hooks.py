"""What the site needs beyond Markdown: the public names of the package, and links that leave ``docs/``.

``mkdocs`` calls :func:`on_page_markdown` for every page (mkdocs.org, "Hooks").
"""

from __future__ import annotations

import inspect
import posixpath
import re
from typing import Any

import edgenet

SOURCE = "https://github.com/edgenet-toolkit/edgenet/blob/main/"
FUNCTIONS, TYPES = "<!-- public functions -->", "<!-- public types -->"
# What exclude_docs of mkdocs.yml leaves out.
NOT_PAGES = (".ipynb", ".py")
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """A page with the API written out, and with links out of ``docs/`` leading to the source on the web."""
    folder = posixpath.dirname(page.file.src_uri)
    for marker, wanted in ((FUNCTIONS, inspect.isfunction), (TYPES, inspect.isclass)):
        if marker in markdown:
            markdown = markdown.replace(marker, _directives(wanted))
    return LINK.sub(lambda link: f"]({_target(folder, link[1])})", markdown)


def _directives(wanted: Any) -> str:
    """mkdocstrings' directive for each public name of one kind."""
    found = [name for name in edgenet.__all__ if wanted(getattr(edgenet, name))]
    return "\n\n".join(f"::: edgenet.{name}" for name in found)


def _target(folder: str, link: str) -> str:
    path = posixpath.normpath(posixpath.join("docs", folder, link))
    on_site = path.startswith("docs/") and not path.endswith(NOT_PAGES)
    return link if on_site else SOURCE + path
