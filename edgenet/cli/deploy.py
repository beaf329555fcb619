"""``edgenet deploy``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from edgenet.board import Board
from edgenet.cli.shared.boards import Boards, boards_options, named
from edgenet.cli.shared.options import bundles_argument, index_option, json_option, offline_option
from edgenet.cli.shared.output import print_json, remark, say, say_next
from edgenet.cli.shared.progress import progress
from edgenet.cli.shared.signing import checked, require_signature_option

if TYPE_CHECKING:
    from edgenet.bundle import Bundle

__all__ = ["deploy"]


@click.command()
@bundles_argument
@boards_options
@offline_option
@index_option
@require_signature_option
@json_option
def deploy(
    bundles: tuple[str, ...],
    boards: Boards,
    offline: bool,
    require_signature: bool,
    signers: str | None,
    as_json: bool,
) -> int:
    """Put a bundle on a board.

    The board needs only ssh and Python 3.6 or newer: no root, no pip, no internet. Only what it lacks is
    sent. If the connection breaks, the old deployment keeps running, and the next deploy picks up where this
    one stopped. A TensorRT engine is built on the board, once, before the new deployment replaces the old.

    Given several bundles of one model, it measures them on the board in turn and keeps the first one, unless
    a later one is faster by more than the noise. On several boards each gets the first that was made for its
    kind and can run there, and nothing is measured.

    \b
    Example:
      edgenet deploy mobilenet.edgenet --device pi@raspberrypi.local
      edgenet deploy fp16.edgenet int8.edgenet --device user@jetson
      edgenet deploy pi4.edgenet pi5.edgenet --fleet boards.toml
    """
    loaded = checked(bundles, require_signature, signers)
    if boards.one is None:
        return _on_many(loaded, boards, offline, as_json)
    return _on_one(dict(zip(bundles, loaded, strict=True)), boards.one, offline, as_json)


def _on_many(loaded: tuple[Bundle, ...], boards: Boards, offline: bool, as_json: bool) -> int:
    from edgenet.cli.shared.many import Verb, on_each
    from edgenet.figures import size
    from edgenet.fleets.deploying import deploying
    from edgenet.steps.deploy import Deployment

    def row(done: Deployment) -> dict[str, str]:
        return {
            "build": done.name,
            "digest": done.digest[:12],
            "current": "new" if done.changed else "as before",
            "runtime": done.runtime,
            "sent": size(done.bytes_sent),
        }

    key = [bundle.digest for bundle in loaded]
    verb = Verb("deploy", row, Deployment.to_table, key=key)
    ended = on_each(boards, deploying(loaded, offline), verb, as_json)
    for outcome in ended.outcomes:
        if outcome.value is not None and outcome.value.removed:
            remark(f"removed on {outcome.board} to make room: {', '.join(outcome.value.removed)}")
    return ended.exit_code


def _on_one(given: dict[str, Bundle], board: Board, offline: bool, as_json: bool) -> int:
    from edgenet.figures import size
    from edgenet.steps.deploy import deploy as run
    from edgenet.steps.fastest import deploy_fastest

    bundles = list(given.values())
    with progress() as on_progress:
        found = None if len(bundles) == 1 else deploy_fastest(bundles, board, on_progress, offline)
        done = found.deployment if found else run(bundles[0], board, on_progress, offline)
    if as_json:
        print_json((found or done).to_table())
        return 0
    say(*(found.why if found else ()))
    if done.removed:
        remark(f"removed on {done.device} to make room: {', '.join(done.removed)}")
    state = "deployed to" if done.changed else "already on"
    say(
        f"{done.name} ({done.digest[:12]}) {state} {done.device}; runtime {done.runtime}; "
        f"{size(done.bytes_sent)} sent in {done.seconds:.1f} s"
    )
    if done.finished:
        say(_finished(done.finished))
    kept = next(file for file, bundle in given.items() if bundle.digest == done.digest)
    say_next("profile", kept, *named(board), "--val", "DIR", "-o", "report.json")
    return 0


def _finished(made) -> str:  # type: ignore[no-untyped-def]
    from edgenet.figures import size

    if made.cached:
        return f"engine for {made.gpu} was there already ({size(made.size)})"
    why = f"; built again because {made.reason}" if made.reason else ""
    how = f"built by {made.tensorrt} in {made.seconds} s ({size(made.size)})"
    return f"engine for {made.gpu} {how}{why}"
