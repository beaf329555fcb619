"""This machine's browser, at an address that nobody else may see."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Self

import click

__all__ = ["Browser"]

_PAGE = '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">\
<meta http-equiv="refresh" content="0; url={0}"><a href="{0}">edgenet demo</a>\n'


class Browser:
    """Opens addresses that hold a secret.

    Every user of a machine can read the arguments of its programs, so the browser is given the name of a
    file that leads to the address and that only this user can read.
    """

    def __init__(self) -> None:
        self._files = ExitStack()

    def open(self, url: str) -> bool:
        """Whether a browser could be started; the file stays until :meth:`close`."""
        # A browser from a snap sees neither /tmp nor what is hidden at home.
        home = os.path.expanduser("~")
        place = home if os.access(home, os.W_OK) else None
        try:
            folder = self._files.enter_context(tempfile.TemporaryDirectory(prefix="edgenet-", dir=place))
            path = Path(folder, "demo.html")
            path.touch(0o600, exist_ok=False)
            path.write_text(_PAGE.format(escape(url)), encoding="utf-8")
        except OSError:
            return False
        return click.launch(str(path)) == 0

    def close(self) -> None:
        """Remove the file; the browser has read it."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
