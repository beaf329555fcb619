"""``edgenet wheelhouse``."""

from __future__ import annotations

import click

from edgenet.cli.shared.names import BACKEND, TARGET
from edgenet.cli.shared.options import index_option, json_option
from edgenet.cli.shared.output import print_json, print_table, say_next
from edgenet.cli.shared.progress import progress

__all__ = ["wheelhouse"]


@click.command()
@click.option(
    "--target", "targets", multiple=True, type=TARGET, metavar="T", help="A board, with every system it runs."
)
@click.option("--python", metavar="X.Y", help="The board's Python, in place of a target.")
@click.option(
    "--machine", default="aarch64", show_default=True, metavar="M", help="With --python: what uname -m says."
)
@click.option("--backend", "backends", multiple=True, type=BACKEND, metavar="B", help="Only this runtime.")
@index_option
@json_option
def wheelhouse(
    targets: tuple[str, ...],
    python: str | None,
    machine: str,
    backends: tuple[str, ...],
    as_json: bool,
) -> None:
    """Fetch the runtimes of boards beforehand.

    Deploying then needs no network, neither here nor on the board. The runtimes are kept in the cache
    (EDGENET_CACHE); edgenet deploy --offline uses only those. --target and --backend may be given several
    times. With --index, what a runtime needs of the board's own Python is fetched as well.

    \b
    Example:
      edgenet wheelhouse --target raspberry-pi-4 --target jetson-orin-nano
      edgenet wheelhouse --python 3.11 --machine aarch64 --backend tflite
      edgenet wheelhouse --python 3.11 --machine armv7l --index URL
    """
    from edgenet.steps.wheelhouse import wheelhouse as run

    if not targets and not python:
        raise click.UsageError("name a board with --target, or its Python with --python")
    with progress() as on_progress:
        kept = run(targets, python, machine, backends, on_progress)
    if as_json:
        print_json({"runtimes": [item.to_table() for item in kept]})
        return
    rows = [
        [item.backend, item.python, item.machine, item.runtime or "–", f"{item.size_mb:.1f}", item.why or "–"]
        for item in kept
    ]
    print_table("", ["backend", "python", "machine", "runtime", "MB", "why not"], rows)
    say_next("deploy", "BUNDLE", "--device", "D", "--offline")
