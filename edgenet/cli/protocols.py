"""``edgenet protocols``."""

from __future__ import annotations

import click

from edgenet.cli.shared.listing import show_listing
from edgenet.cli.shared.names import PROTOCOL
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import say_next

__all__ = ["protocols"]


@click.command()
@click.argument("name", required=False, type=PROTOCOL, metavar="[NAME]")
@json_option
def protocols(name: str | None, as_json: bool) -> None:
    """List the measuring protocols, or show one.

    A protocol says how long a model is measured, and what besides. NAME is one of the list, or the path of a
    TOML file.

    \b
    Example:
      edgenet protocols
      edgenet protocols single-stream
    """
    from edgenet.protocol import Protocol

    show_listing("protocol", Protocol.load, name, as_json)
    if not as_json:
        say_next("profile", "BUNDLE", "--device", "D", "--protocol", name or "NAME")
