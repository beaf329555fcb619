"""``edgenet deploy``."""

from __future__ import annotations

import click

from edgenet.cli.shared.options import device_option, json_option
from edgenet.cli.shared.output import print_json, say
from edgenet.cli.shared.progress import progress

__all__ = ["deploy"]


@click.command()
@click.argument(
    "bundles", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False), metavar="BUNDLE..."
)
@device_option
@click.option(
    "--offline",
    is_flag=True,
    envvar="EDGENET_OFFLINE",
    show_envvar=True,
    help="Use no network: send only runtimes that `edgenet wheelhouse build` fetched before.",
)
@json_option
def deploy(bundles: tuple[str, ...], device: str, offline: bool, as_json: bool) -> None:
    """Put BUNDLE on a board and make it the current one.

    Needs nothing there but ssh and a Python of 3.6 or newer: no root, no pip, no internet. Only what
    the board lacks is sent; after a cut, the old deployment still runs and the next deploy goes on. A
    TensorRT engine is built there, once, before the new deployment becomes the current one.

    Several bundles of one model are measured there in turn: the first one named stays, unless a later
    one is faster beyond noise.

    \b
    Example:
      edgenet deploy mobilenet.edgenet --device pi@raspberrypi.local
      edgenet deploy mobilenet.fp16.edgenet mobilenet.int8.edgenet --device user@jetson
    """
    from edgenet.figures import size
    from edgenet.steps.deploy import deploy as run
    from edgenet.steps.fastest import deploy_fastest

    with progress() as on_progress:
        found = None if len(bundles) == 1 else deploy_fastest(bundles, device, on_progress, offline)
        done = found.deployment if found else run(bundles[0], device, on_progress, offline)
    if as_json:
        print_json((found or done).to_table())
        return
    say(*(found.why if found else ()))
    if done.removed:
        say(f"edgenet: removed on {done.device} to make room: {', '.join(done.removed)}", err=True)
    state = "deployed to" if done.changed else "already on"
    say(
        f"{done.name} ({done.digest[:12]}) {state} {done.device}; runtime {done.runtime}; "
        f"{size(done.bytes_sent)} sent in {done.seconds:.1f} s"
    )
    if done.finished:
        say(_finished(done.finished))


def _finished(made) -> str:  # type: ignore[no-untyped-def]
    from edgenet.figures import size

    if made.cached:
        return f"engine for {made.gpu} was there already ({size(made.size)})"
    why = f"; built again because {made.reason}" if made.reason else ""
    how = f"built by {made.tensorrt} in {made.seconds} s ({size(made.size)})"
    return f"engine for {made.gpu} {how}{why}"
