"""``edgenet doctor``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import device_option, json_option
from edgenet.cli.shared.output import print_json, print_table
from edgenet.cli.shared.progress import progress

__all__ = ["doctor"]


@click.command()
@device_option
@click.option("--backend", metavar="B", help="Look only at what this backend needs.")
@json_option
def doctor(device: str, backend: str | None, as_json: bool) -> int:
    """Look whether a board is ready: each condition ok, not, unknown or not applicable, and the remedy.

    Changes nothing there. Ends with 0 if nothing is wrong, 1 if something is, 3 if the board is not reached.

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
    else:
        rows = [[item.name, item.state, item.found, item.remedy or "–"] for item in found.conditions]
        print_table(device, ["condition", "state", "found", "what to do"], rows)
    return found.exit_code
