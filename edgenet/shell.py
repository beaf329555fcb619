"""Commands as people write them, in the words of their system's shell: POSIX's, and Windows' own."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence

__all__ = ["command_line", "split_line"]

# What cmd and PowerShell both take as it is.
PLAIN = re.compile(r"[\w%+=:./\\-][\w@%+=:./\\-]*\Z", re.ASCII)
WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')


def command_line(command: Sequence[str]) -> str:
    """Words as a line that can be pasted into a shell of this system.

    Windows has no quotes within quotes that cmd and PowerShell both know, and no file name holds any.
    """
    if os.name != "nt":
        return shlex.join(command)
    return " ".join(word if PLAIN.match(word) else f'"{word}"' for word in command)


def split_line(line: str) -> list[str]:
    """The words of a line; in Windows a backslash is part of a path, and only double quotes are quotes.

    Raises:
        ValueError: A quote is not closed.
    """
    if os.name != "nt":
        return shlex.split(line)
    if line.count('"') % 2:
        raise ValueError("No closing quotation")
    return [word.replace('"', "") for word in WORD.findall(line)]
