"""The pages' style sheets for one element of a notebook: light or dark as that is, and for nothing else."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["style"]

HERE = Path(__file__).parent.parent
_INCLUDED = re.compile(r'include "(\w+\.css)"')
# The palettes of the page's style sheet: the light one, and the dark one where the system is dark.
_DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{(?P<colors>[^}]*)\}\s*\}")
_LIGHT = re.compile(r":root \{(?P<colors>[^}]*)\}")
_LIGHTED = ('body[data-jp-theme-light="true"] &', "body.vscode-light &")
_DARKENED = ('body[data-jp-theme-light="false"] &', "body.vscode-dark &", "body.vscode-high-contrast &")


def style(kind: str, template: str) -> str:
    """A page's style sheets for elements of one kind; JupyterLab and VS Code say themselves what is dark.

    Args:
        kind: Of the element, which has the class "edgenet-KIND".
        template: Of the page, whose style sheets it includes.
    """
    page = "\n".join(map(_read, _INCLUDED.findall(_read(template))))
    dark = " ".join(match["colors"] for match in _DARK.finditer(page))
    rest = _DARK.sub("", page)
    light = " ".join(match["colors"] for match in _LIGHT.finditer(rest))
    told = [(_LIGHTED, light), (_DARKENED, dark)]
    themes = "\n".join(f"{', '.join(selectors)} {{ {colors} }}" for selectors, colors in told)
    system = f"@media (prefers-color-scheme: dark) {{ & {{ {dark} }} }}"
    rules = "\n".join((light, system, themes, _read("notebook.css"), _LIGHT.sub("", rest)))
    return f".edgenet-{kind}.edgenet-{kind} {{ {rules} }}"  # named twice, it outdoes a notebook's own rules


def _read(name: str) -> str:
    return HERE.joinpath(name).read_text(encoding="utf-8")
