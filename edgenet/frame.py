"""A camera's frame: how large it is, and in which form its pixels come."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import NamedTuple, Self

from edgenet.agent.wire import MAX_BODY
from edgenet.errors import DataError

__all__ = ["FORMS", "JPEG", "Form", "Frame"]

LEAST, MOST = 16, 8192
JPEG = "jpeg"
_TEXT = re.compile(r"([0-9]{1,6})x([0-9]{1,6})(?::(\S*))?")
_EXAMPLE = "write it as 640x480 or 640x480:yuyv"


class Form(NamedTuple):
    """How pixels come.

    Attributes:
        kind: What the board's agent calls it.
        bits: Of a pixel on average; ``None`` where it depends on the picture.
        columns, rows: The pixels beside and below each other that share their color; the sides of a frame are
            multiples of them.
    """

    kind: str
    bits: int | None
    columns: int = 1
    rows: int = 1


# The forms that a user may name; the raw ones as V4L2 lays them out (its YUYV, RGB3, YU12 and NV12).
FORMS = {
    JPEG: Form("jpeg", None),
    "yuyv": Form("yuyv", 16, columns=2),
    "rgb": Form("rgb24", 24),
    "yuv420": Form("yuv420", 12, columns=2, rows=2),
    "nv12": Form("nv12", 12, columns=2, rows=2),
}


@dataclass(frozen=True)
class Frame:
    """The size and the form of a camera's frames.

    Attributes:
        width, height: In pixels, 16 to 8192.
        form: A name of ``FORMS``.

    Raises:
        DataError: Such a frame there is not: its size, its form, or both together.
    """

    width: int
    height: int
    form: str = JPEG

    def __post_init__(self) -> None:
        """Refuse what no camera gives, and what no message to a board holds."""
        if found := self.problem(self.width, self.height, self.form):
            raise found

    @classmethod
    def problem(cls, width: int, height: int, form: str) -> DataError | None:
        """Why there is no such frame; ``None`` where there is."""
        if form not in FORMS:
            near = difflib.get_close_matches(form.lower(), FORMS, 1)
            remedy = f"did you mean {near[0]}?" if near else f"the forms are {', '.join(FORMS)}"
            return DataError(f"no form of a frame: {form!r}", remedy)
        size = f"{width}x{height}"
        if not (LEAST <= width <= MOST and LEAST <= height <= MOST):
            return DataError(
                f"a frame of {size}: a side has {LEAST} to {MOST} pixels", "give a camera's size"
            )
        columns, rows = FORMS[form].columns, FORMS[form].rows
        if width % columns or height % rows:
            odd = "width" if width % columns else "height"
            return DataError(
                f"a {form} frame of {size}: two pixels share a color, so its {odd} is even",
                f"give {width - width % columns}x{height - height % rows}",
            )
        if (bytes_ := _bytes(width, height, form)) and bytes_ > MAX_BODY:
            return DataError(
                f"a {form} frame of {size} has {bytes_ / 1e6:.1f} MB, and at most "
                f"{MAX_BODY / 1e6:.1f} MB are sent to a board at once",
                "give a smaller size, or jpeg",
            )
        return None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``WxH`` or ``WxH:form``; without a form it is JPEG.

        Raises:
            DataError: It is not that, or there is no such frame.
        """
        found = _TEXT.fullmatch(text)
        if found is None:
            raise DataError(f"no frame: {text!r}", _EXAMPLE)
        width, height, form = found.groups()
        return cls(int(width), int(height), JPEG if form is None else form)

    @property
    def size(self) -> str:
        """Its size in words: "640x480"."""
        return f"{self.width}x{self.height}"

    def __str__(self) -> str:
        return f"{self.form} {self.size}"


def _bytes(width: int, height: int, form: str) -> int | None:
    """How many bytes a frame has; ``None`` of JPEG, where it depends on the picture."""
    bits = FORMS[form].bits
    return None if bits is None else width * height * bits // 8
