"""``edgenet probe``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import device_option, json_option
from edgenet.cli.shared.output import print_json, print_table, say
from edgenet.cli.shared.progress import progress

__all__ = ["probe"]


@click.command()
@device_option
@click.option("--save", metavar="FILE.toml", help="Write the facts as a target that --target can name.")
@json_option
def probe(device: str, save: str | None, as_json: bool) -> None:
    """Ask a board what it is: model, CPU, memory, system, Python, runtimes, sensors.

    \b
    Example:
      edgenet probe --device pi@raspberrypi.local
      edgenet probe --device pi --save my-board.toml
    """
    from edgenet.steps.probe import board_target, write_target
    from edgenet.steps.probe import probe as run

    with progress() as on_progress:
        facts = run(device, on_progress)
    target = board_target(facts, device)
    if save:
        write_target(save, facts)
        say(f"edgenet: wrote {save}", err=True)
    if as_json:
        print_json({**facts.to_table(), "target": target.to_table()})
        return
    known = facts.to_table().items()
    rows = [[name, _text(value, facts.absent.get(name))] for name, value in known if name != "absent"]
    print_table(f"{device}: {target}", ["fact", "value"], rows)


def _text(value: object, why: str | None = None) -> str:
    if isinstance(value, list):
        return " ".join(str(item) for item in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items()) or "–"
    if value is None:
        return f"– ({why})" if why else "–"
    return str(value)
