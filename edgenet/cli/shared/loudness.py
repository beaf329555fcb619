"""How much a run tells: ``--verbose`` and ``--quiet``, which every command takes."""

from __future__ import annotations

from dataclasses import dataclass

import click

__all__ = ["LOUDNESS", "loudness_options"]


@dataclass
class Loudness:
    """One for the process, as there is one terminal.

    Attributes:
        quiet: Only results and errors are shown.
        verbose: Everything that the log would hold is shown as well.
    """

    quiet: bool = False
    verbose: bool = False


LOUDNESS = Loudness()


def loudness_options() -> list[click.Option]:
    """The two options; they may stand before the command's name and after it."""
    return [
        _flag("-v", "--verbose", "Show each step: ssh, the board's answers, cache hits, times."),
        _flag("-q", "--quiet", "Show only results and errors."),
    ]


def _flag(short: str, name: str, words: str) -> click.Option:
    return click.Option([short, name], is_flag=True, expose_value=False, callback=_set, help=words)


def _set(context: click.Context, option: click.Parameter, value: bool) -> None:
    """Of a run's contexts, the group's and the command's, which share their ``meta``."""
    told = context.meta.setdefault(__name__, set())
    if value:
        told.add(option.name)
    LOUDNESS.quiet, LOUDNESS.verbose = "quiet" in told, "verbose" in told
    if LOUDNESS.quiet and LOUDNESS.verbose:
        raise click.UsageError("--quiet and --verbose contradict each other")
