"""The former place of :mod:`edgenet.cli.shared.options`, for the command that still imports it from here."""

from edgenet.cli.shared.options import json_option

__all__ = ["json_option"]
