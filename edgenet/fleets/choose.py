"""Of several builds of one model the one for a board: made for its kind, and able to run there."""

from __future__ import annotations

from collections.abc import Sequence

from edgenet.backend import backend_names, load_backend
from edgenet.board import Board
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.candidates import candidates
from edgenet.devices.index import own_index
from edgenet.errors import DeviceError, EdgenetError, LibraryError, PlanError
from edgenet.facts import Facts
from edgenet.steps.finish import own_version
from edgenet.steps.kind import board_kind, family
from edgenet.steps.own_target import target_of_facts
from edgenet.steps.plan import plan_for
from edgenet.steps.probe import board_target
from edgenet.target import Cpu, Target

__all__ = ["chosen", "chosen_by"]


def chosen(bundles: Sequence[Bundle], facts: Facts, board: Board) -> Bundle:
    """The bundle that a board gets.

    Of those that can run there, in their order: the first that was made for what the board is, or is nearest
    to; else the first. What a board is, its fleet says, or it itself.

    Args:
        bundles: Builds of one model, the preferred ones first.
        facts: The board's, asked for with the backends of the bundles.
        board: Whose target, where it has one, is held to the facts.

    Raises:
        DeviceError: None can run there, each with its reason; or the board is not what its fleet says.
    """
    target, name, ranked = _ranked(bundles, facts, board)
    reasons = {}
    for bundle in ranked:
        why = _obstacle(bundle, facts, target, board)
        if not why:
            return bundle
        reasons[bundle.digest] = f"{bundle.name} for {bundle.manifest.target}: {why}"
    told = "; ".join(reasons[bundle.digest] for bundle in bundles)
    raise DeviceError(f"{board}: none of the bundles fits: {told}", _remedy(target, name))


def chosen_by(agent: Agent, bundles: Sequence[Bundle], board: Board) -> Bundle:
    """As :func:`chosen`, of a board that answers.

    Importing runtimes takes a small board seconds, so it tries its own only where the first choice needs one.

    Raises:
        DeviceError: As there.
    """
    facts = agent.facts()
    target, _, ranked = _ranked(bundles, facts, board)
    if not _obstacle(ranked[0], facts, target, board):
        return ranked[0]
    backends = sorted({bundle.manifest.backend for bundle in bundles})
    return chosen(bundles, agent.facts(backends), board)


def _ranked(
    bundles: Sequence[Bundle], facts: Facts, board: Board
) -> tuple[Target | None, str | None, list[Bundle]]:
    """What a board is, the name of that or of the nearest to it, and the bundles, the best for it first.

    A Pi 4 with a 32-bit system is a Pi 4 still; what was made for it as it is, goes before what is for any.
    """
    target = board_kind(facts, board)
    name = target.name if target else board_target(facts, board.device).target
    place = {name: 1, _own(facts, board): 0}
    return target, name, sorted(bundles, key=lambda item: place.get(item.manifest.target, len(place)))


def _own(facts: Facts, board: Board) -> str | None:
    """The name of the target that ``edgenet compile --device`` makes for a board; ``None`` for none."""
    try:
        return target_of_facts(facts, board).name
    except PlanError:  # no runtime fits it: each bundle's own reason is told
        return None


def _obstacle(bundle: Bundle, facts: Facts, target: Target | None, board: Board) -> str:
    """Why a board cannot run a bundle; empty if it can."""
    manifest = bundle.manifest
    try:
        if target is not None and (
            manifest.backend in target.backends or manifest.backend in backend_names()
        ):
            plan_for(target, manifest.backend, manifest.precision)
        if manifest.artifact.build is not None:
            version = own_version(manifest.backend, facts, str(board))
            load_backend(manifest.backend).board_file(manifest.artifact, version)
        elif manifest.backend not in facts.runtimes:
            candidates(manifest.backend, facts, own_index())
        return _foreign(manifest.target, facts) or _unsafe(bundle, facts)
    except EdgenetError as error:
        return error.what


def _foreign(target: str, facts: Facts) -> str:
    """Whether a bundle was made for another family of processors; ``local`` may be any."""
    try:
        made_for = Target.load(target).cpu.machine if target != "local" else facts.machine
    except LibraryError:  # a target file of somebody's, that is not here
        return ""
    if family(made_for) == family(facts.machine):
        return ""
    return f"it was made for {made_for}, and the board has a {facts.machine} processor"


def _unsafe(bundle: Bundle, facts: Facts) -> str:
    manifest = bundle.manifest
    if manifest.backend not in backend_names():
        return ""
    cpu = Cpu(str(facts.machine), facts.cpu or "", facts.cores, facts.isa, facts.clock_max_mhz or 0)
    return load_backend(manifest.backend).unsafe(bundle.artifact, manifest.precision, cpu)


def _remedy(target: Target | None, nearest: str | None) -> str:
    if target is None and nearest is None:
        return "see edgenet doctor for what can run there"
    return f"give one that edgenet compile --target {target.name if target else nearest} made"
