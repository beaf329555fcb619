"""``edgenet rollout``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgenet.cli.shared.boards import Boards, rollout_boards_options
from edgenet.cli.shared.options import index_option, json_option, offline_option, protocol_option
from edgenet.cli.shared.output import print_json, print_notes, remark, say_next
from edgenet.cli.shared.outputs import OUTPUT_FILE
from edgenet.cli.shared.signing import checked, require_signature_option

if TYPE_CHECKING:
    from edgenet.bundle import Bundle
    from edgenet.fleets.rollout_options import RolloutOptions
    from edgenet.fleets.rollout_state import Rollout

__all__ = ["rollout"]


class Shares(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """``10,50,100``."""

    name = "P,P,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """The numbers; what is none is wrong usage."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not numbers with commas between them", param, ctx)


@click.command()
@click.argument("bundles", nargs=-1, type=click.Path(exists=True, dir_okay=False), metavar="[BUNDLE...]")
@rollout_boards_options
@click.option(
    "--canary",
    type=click.IntRange(min=0),
    metavar="N",
    help="Boards tried first.  [default: those with a canary number in the fleet, else one]",
)
@click.option(
    "--waves",
    type=Shares(),
    default="10,50,100",
    show_default=True,
    help="Percent of the boards that are left, for each wave after the canaries.",
)
@click.option(
    "--max-failures",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Boards that may fail before it stops, of all waves together.",
)
@click.option(
    "--skip-unreachable", is_flag=True, help="Boards that do not answer are left behind, not failures."
)
@click.option("--rollback", is_flag=True, help="If it stops, take back what it did. Without BUNDLE: now.")
@click.option("--min-fps", type=click.FloatRange(min=0), metavar="N", help="Keep out a build that is slower.")
@click.option(
    "--max-drift",
    type=click.FloatRange(min=0),
    metavar="PP",
    help="Keep out a build that loses more percentage points.",
)
@click.option(
    "--max-memory", type=click.FloatRange(min=0), metavar="MB", help="Keep out a build that takes more."
)
@protocol_option("quick")
@click.option("--val", metavar="DIR", help="Images for --max-drift.  [default: the bundle's few]")
@click.option(
    "--check",
    metavar="CMD",
    help="A command for the board's sh that may refuse the build: EDGENET_ARTIFACT is its file.",
)
@click.option(
    "--check-timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Seconds that --check may take.",
)
@offline_option
@index_option
@click.option(
    "--state",
    type=OUTPUT_FILE,
    metavar="FILE",
    help="Where it is kept how far it is.  [default: FLEET.rollout.json beside the fleet's file]",
)
@click.option("--fresh", is_flag=True, help="Forget an unfinished rollout that the state file tells of.")
@require_signature_option
@click.option("--dry-run", is_flag=True, help="Only ask the boards, and print the waves and builds.")
@json_option
def rollout(
    bundles: tuple[str, ...],
    boards: Boards,
    state: str | None,
    check_timeout: float,
    require_signature: bool,
    signers: str | None,
    as_json: bool,
    **asked: Any,
) -> int:
    """Bring a new build to a fleet, step by step.

    A few boards are tried first. On each, the build of its kind is sent, checked against the answers it must
    give, measured where there is a limit, and shown to your own check; only then it becomes the current one.
    When too many boards fail, no further one is begun. The same command goes on after any interruption.

    \b
    Example:
      edgenet rollout pi4.edgenet pi5.edgenet --fleet f.toml --dry-run
      edgenet rollout m.edgenet --fleet f.toml --min-fps 24 --rollback
      edgenet rollout --fleet f.toml --rollback   # take it back
    """
    from edgenet.fleets.rollout import state_file
    from edgenet.fleets.rollout_options import RolloutOptions

    if not bundles and not asked["rollback"]:
        raise click.UsageError(
            "Missing argument 'BUNDLE...'; without one, only --rollback has something to do."
        )
    path = Path(state) if state else state_file(boards.file or boards.fleet)
    options = RolloutOptions(**asked, check_s=check_timeout, at_once=boards.at_once)
    loaded = checked(bundles, require_signature, signers)
    made = _run(loaded, boards, options, path, as_json)
    if not as_json and not options.dry_run:
        _next(made, bundles or ("BUNDLE",), [*boards.words, *(["--state", state] if state else [])])
    return made.exit_code


def _run(
    bundles: tuple[Bundle, ...], boards: Boards, options: RolloutOptions, path: Path, as_json: bool
) -> Rollout:
    from edgenet.cli.shared.many_progress import many_progress
    from edgenet.cli.shared.rollout_tables import RolloutTables
    from edgenet.fleets.rollout import rollout as run

    with many_progress(boards.fleet.boards) as (tell, ended):
        shown = RolloutTables(boards.fleet, ended)
        try:
            made = run(bundles, boards.fleet, options, tell, path, shown.wave)
        except KeyboardInterrupt:
            remark(f"{path} tells how far it is; the same command goes on")
            raise
    print_notes(made.notes)
    print_json({**made.to_table(), "file": str(path)}) if as_json else shown.show(made)
    shown.reasons()
    return made


def _next(made: Rollout, bundles: Sequence[str], where: Sequence[str]) -> None:
    """What usually follows: taking it back, or a look at the boards that it left behind."""
    if made.phase == "done" and made.exit_code == 0:
        say_next("rollout", *where, "--rollback", why="takes it back")
    elif made.phase == "rolling back":
        say_next("rollout", *where, "--rollback", why="goes on with taking it back")
    else:
        say_next("rollout", *bundles, *where, "--dry-run", why="what each board runs, and would get")
