"""``edgenet wheelhouse``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import json_option
from edgenet.cli.shared.output import print_json, print_table
from edgenet.cli.shared.progress import progress

__all__ = ["wheelhouse"]


@click.command()
@click.argument("action", type=click.Choice(["build"]), metavar="build")
@click.option("--target", "targets", multiple=True, metavar="T", help="A board; all its systems. Repeatable.")
@click.option("--python", metavar="X.Y", help="The board's Python, where there is no target.")
@click.option(
    "--machine", default="aarch64", show_default=True, metavar="M", help="What uname -m says there."
)
@click.option("--backend", "backends", multiple=True, metavar="B", help="Only this runtime. Repeatable.")
@json_option
def wheelhouse(
    action: str,  # noqa: ARG001
    targets: tuple[str, ...],
    python: str | None,
    machine: str,
    backends: tuple[str, ...],
    as_json: bool,
) -> None:
    """Fetch the runtimes of boards beforehand: deploying then needs no network, here or there.

    They are kept in the user's cache (EDGENET_CACHE); edgenet deploy --offline uses nothing else.

    \b
    Example:
      edgenet wheelhouse build --target raspberry-pi-4 --target jetson-orin-nano
      edgenet wheelhouse build --python 3.11 --machine aarch64 --backend tflite
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
