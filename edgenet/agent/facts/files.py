"""Small files of the system below a root that tests replace by a recorded tree."""

import glob
import os
from typing import Dict

_PROGRAM_FOLDERS = ("usr/bin", "usr/local/bin", "bin", "usr/sbin", "opt/vc/bin")


def text(*names):
    """The start (64 KiB) of a file as text, without surrounding blanks and zero bytes.

    Raises:
        OSError: It cannot be read.
    """
    with open(os.path.join(*names), "rb") as stream:
        return stream.read(1 << 16).decode("utf-8", "replace").strip().strip("\0").strip()


def text_or_none(*names):
    """Like ``text``; ``None`` where it is empty or cannot be read."""
    try:
        return text(*names) or None
    except OSError:
        return None


def find(root, *patterns):
    """The paths below ``root`` that match any of the patterns, sorted."""
    return sorted({path for pattern in patterns for path in glob.glob(os.path.join(root, pattern))})


def program(root, name):
    """Whether a program lies where the system keeps programs."""
    return any(os.path.exists(os.path.join(root, folder, name)) for folder in _PROGRAM_FOLDERS)


def fields(root, name, separator=":"):
    """``{key: value}`` of a file of lines such as ``MemTotal: 1024 kB``; of equal keys the first."""
    found: Dict[str, str] = {}
    for line in (text_or_none(root, name) or "").split("\n"):
        key, _, value = line.partition(separator)
        found.setdefault(key.strip(), value.strip())
    return found
