"""``edgenet doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgenet.cli.shared.options import backend_option, device_option, index_option, json_option
from edgenet.cli.shared.output import print_json, print_rows, say_next
from edgenet.cli.shared.progress import progress

if TYPE_CHECKING:
    from edgenet.steps.doctor import Condition

__all__ = ["doctor"]

STATES = {"not": "not ok"}


@click.command()
@device_option
@backend_option
@index_option
@json_option
def doctor(device: str, backend: str | None, as_json: bool) -> int:
    """Check whether a board is ready.

    Prints each requirement as ok, not ok, unknown or not applicable, and how to fix what is not ok. Changes
    nothing on the board. With --backend, checks only what that runtime needs.

    Exits with 0 if nothing is wrong, 1 if something is, 3 if the board cannot be reached.

    \b
    Example:
      edgenet doctor --device pi@raspberrypi.local
      edgenet doctor --device jetson --backend tensorrt --json
    """
    from edgenet.steps.doctor import doctor as run

    with progress() as on_progress:
        found = run(device, backend, on_progress)
    if as_json:
        print_json(found.to_table())
        return found.exit_code
    print_rows(_row(item) for item in found.conditions)
    if found.exit_code == 0:
        say_next("deploy", "BUNDLE", "--device", device)
    else:
        say_next("doctor", "--device", device, why="again, once that is fixed")
    return found.exit_code


def _row(item: Condition) -> tuple[str, str, str]:
    found = f"{item.found}; {item.remedy}" if item.remedy else item.found
    return STATES.get(item.state, item.state), item.name, found
