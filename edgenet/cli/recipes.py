"""``edgenet recipes``."""

from __future__ import annotations

import click

from edgenet.cli.shared.listing import show_listing
from edgenet.cli.shared.names import RECIPE
from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import say_next

__all__ = ["recipes"]


@click.command()
@click.argument("name", required=False, type=RECIPE, metavar="[NAME]")
@json_option
def recipes(name: str | None, as_json: bool) -> None:
    """List the quantization recipes, or show one.

    A recipe says how a float model is quantized. NAME is one of the list, or the path of a TOML file.

    \b
    Example:
      edgenet recipes
      edgenet recipes int8-accurate
    """
    from edgenet.recipe import Recipe

    show_listing("recipe", Recipe.load, name, as_json)
    if not as_json:
        say_next(
            *("compile", "MODEL", "--target", "T", "--recipe", name or "NAME"), *("--calibration", "DIR")
        )
