"""Text that a user wrote with whatever program: small, regular files, in UTF-8 or marked as UTF-16."""

from __future__ import annotations

import codecs
from pathlib import Path

from edgenet.errors import EdgenetError
from edgenet.files import read_regular

__all__ = ["MAX_TEXT_FILE", "read_text"]

MAX_TEXT_FILE = 64 << 20
# The mark of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_text(path: Path, error: type[EdgenetError], remedy: str, most: int = MAX_TEXT_FILE) -> str:
    """The text of a file without its byte-order mark; lines end as they do there.

    Args:
        path: The file.
        error: What is raised.
        remedy: What to do about a file that cannot be opened.
        most: The most bytes that are read.

    Raises:
        EdgenetError: Not a regular file, too large, in another encoding, or with NUL in it.
    """
    try:
        data = read_regular(path, most)
    except OSError as reason:
        raise error(f"{path}: cannot be read ({reason.strerror})", remedy) from None
    mark, encoding = next((item for item in MARKS if data.startswith(item[0])), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as reason:
        line = data.count(b"\n", 0, len(mark) + reason.start) + 1
        raise error(
            f"{path} line {line}: byte 0x{reason.object[reason.start]:02x} is not {encoding.upper()}",
            "save the file as UTF-8",
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise error(f"{path} line {line}: a NUL, so this is not text in UTF-8", "save the file as UTF-8")
    return text
