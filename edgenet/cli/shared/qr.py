"""An address as a QR code of half blocks, for a phone's camera."""

from __future__ import annotations

import os

__all__ = ["qr_lines"]

# Light modules around the code: half of what ISO/IEC 18004 asks for, which phones read, and a terminal has room for.
MARGIN = 2
# Upper module light and lower one light, and so on: what is light is drawn, on a terminal that is dark.
HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
BLACK_ON_WHITE, END = "\x1b[97;40m", "\x1b[0m"


def qr_lines(text: str) -> list[str]:
    """The code's lines, two rows of modules each, in white and black whatever the terminal's colors are.

    With ``NO_COLOR`` they are in the terminal's own, which then should be light on dark.
    """
    import segno

    code = segno.make(text, error="l", micro=False)
    rows = [[not dark for dark in row] for row in code.matrix_iter(border=MARGIN)]
    rows += [[True] * len(rows[0])] * (len(rows) % 2)
    lines = [
        "".join(HALVES[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
    if os.environ.get("NO_COLOR"):
        return lines
    return [f"{BLACK_ON_WHITE}{line}{END}" for line in lines]
