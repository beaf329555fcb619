"""Types of options that name what a command writes: whether it can, is known before the work begins."""

from __future__ import annotations

from typing import Any

import click

from edgenet.files import check_output

__all__ = ["OUTPUT_FILE", "OUTPUT_FOLDER"]


class _Output(click.Path):  # type: ignore[type-arg, unused-ignore]
    """A path below a folder that can be written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, with what click itself demands of it.

        Raises:
            DataError: It cannot be written.
        """
        path = super().convert(value, param, ctx)
        if path != "-":
            check_output(str(path), folder=self.dir_okay)
        return path


OUTPUT_FILE = _Output(dir_okay=False, allow_dash=True)
OUTPUT_FOLDER = _Output(file_okay=False)
