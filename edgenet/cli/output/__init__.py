"""The former place of :mod:`edgenet.cli.shared.output`, for the command that still imports it from here."""

from edgenet.cli.shared.output import print_json, progress

__all__ = ["print_json", "progress"]
