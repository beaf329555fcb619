"""The group of all commands: what every one of them takes, ``edgenet help``, and near names."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import click

from edgenet.cli.shared.loudness import loudness_options
from edgenet.cli.shared.output import say
from edgenet.text import near

__all__ = ["Commands"]

HELP = "help"
# Characters of a short help; all are shorter.
WHOLE = 200


class Commands(click.Group):
    """Finds its commands in a folder, one a file."""

    def add_all(self, folder: Path, package: str, without: str) -> None:
        """Add the command of every module in a folder, the function named like it; folders are none.

        Args:
            folder: Where the modules are.
            package: Their package.
            without: The module that is no command.
        """
        for item in pkgutil.iter_modules([str(folder)]):
            if not item.ispkg and item.name != without:
                module = importlib.import_module(f"{package}.{item.name}")
                self.add_command(getattr(module, item.name))

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, with the options that every one takes."""
        cmd.params += loudness_options()
        super().add_command(cmd, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Every command's line whole, wrapped where the terminal is narrow."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, item.get_short_help_str(WHOLE)) for name, item in found.items() if item]
            )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of that name; ``help NAME`` is ``NAME --help``, and ``help`` alone that of all.

        Raises:
            UsageError: There is none; the nearest name is offered.
        """
        if ctx.resilient_parsing and args[0] == HELP:
            return None, None, []  # the shell completes what follows: a command's name
        if args == [HELP]:
            say(*ctx.get_help().splitlines())
            ctx.exit()
        args = [args[1], "--help"] if args[0] == HELP else args
        name = args[0]
        known = self.get_command(ctx, name) or ctx.resilient_parsing
        if not known and not name.startswith("-"):
            hint = near(name, self.list_commands(ctx)) or "see edgenet --help"
            raise click.UsageError(f"there is no command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)
