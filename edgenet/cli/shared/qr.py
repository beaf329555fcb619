"""An address as a QR code of half blocks, for a phone's camera."""

from __future__ import annotations

import os
import sys

from edgenet.cli.shared.output import paint

__all__ = ["qr_lines", "show_qr"]

# Light modules around the code: half of what ISO/IEC 18004 asks for; phones read it.
MARGIN = 2
# Upper module light and lower one light, and so on: what is light is drawn, on a terminal that is dark.
HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
WHITE_ON_BLACK, END = "\x1b[97;40m", "\x1b[0m"


def show_qr(text: str) -> str:
    """Draw a text's code on stderr; why not, where its terminal has no room or there is none."""
    lines = qr_lines(text)
    wide, high = len(lines[0]), len(lines)
    if not sys.stderr.isatty():
        return "stderr is no terminal"
    found = os.get_terminal_size(sys.stderr.fileno())
    if found.columns < wide or found.lines < high:
        return f"the terminal has {found.columns}x{found.lines} characters, the code {wide}x{high}"
    colors = ("", "") if os.environ.get("NO_COLOR") else (WHITE_ON_BLACK, END)
    paint(*lines, colors=colors)
    return ""


def qr_lines(text: str) -> list[str]:
    """The lines of a text's code, two rows of modules each, to be shown light on dark."""
    import segno

    code = segno.make(text, error="l", micro=False)
    rows = [[not dark for dark in row] for row in code.matrix_iter(border=MARGIN)]
    rows += [[True] * len(rows[0])] * (len(rows) % 2)
    return [
        "".join(HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
