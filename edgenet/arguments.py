"""Remedies name options of the command line; here they become arguments, for those who call from Python."""

from __future__ import annotations

import re

__all__ = ["in_python"]

# Options that are switched on, and options whose value is a name: there a word without capitals is one too.
_FLAGS = ("--force", "--offline")
_NAMED = "backend|device|frame|precision|protocol|recipe|source|target|task"
# What follows an option in a sentence and is no value of it.
_PROSE = r"(?!(?:and|as|is|of|or|out|to)\b)"
_WORD = rf"{_PROSE}[a-z0-9][\w.:@/+-]*\w"
# What stands for a value: FILE, DIR, N.
_SIGN = r"[A-Z]+\b"
_OPTION = re.compile(
    rf"--(?P<named>{_NAMED})\b"
    rf"(?: (?P<word>{_WORD})(?P<more>(?: or {_WORD}(?=$|[,;)]| or ))*)| (?P<sign>{_SIGN}))?"
    rf"|--(?P<name>[a-z][a-z-]*[a-z])(?: (?P<value>{_SIGN}|\d[\d.]*(?<!\.)))?"
)
# A shell's command, up to what ends it in a sentence: it stays as it is.
_COMMAND = re.compile(r"\b(?:edgenet [a-z]|python3? -m|dask [a-z]|pip install)[^,;)]*")


def in_python(text: str) -> str:
    """A remedy as a caller of the library reads it.

    ``--max-drift 0.5`` is ``max_drift=0.5``, ``--backend tflite or onnxruntime`` is ``backend="tflite" or
    "onnxruntime"``, an option alone ``max_drift=``. Commands, such as ``edgenet init x``, stay as they are.

    Args:
        text: A remedy with options in it, or without.
    """
    done, found = 0, []
    for command in _COMMAND.finditer(text):
        found += [_spoken(text[done : command.start()]), command[0]]
        done = command.end()
    return "".join([*found, _spoken(text[done:])])


def _spoken(text: str) -> str:
    """A part without commands; arguments that follow one another are separated as in a call."""
    return re.sub(r'" (?=[a-z_]+=")', '", ', _OPTION.sub(_argument, text))


def _argument(match: re.Match[str]) -> str:
    name = (match["named"] or match["name"]).replace("-", "_")
    if name == "board_home":
        return f"Board(home={match['value'] or match['sign'] or ''})"
    if match["word"]:
        more = re.sub(r" or (\S+)", r' or "\1"', match["more"])
        return f'{name}="{match["word"]}"{more}'
    return f"{name}=True" if f"--{name}" in _FLAGS else f"{name}={match['value'] or match['sign'] or ''}"
