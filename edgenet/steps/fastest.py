"""Several bundles of one model → the one that this board runs fastest."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgenet.board import BoardLike, board_of
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.connect import connect
from edgenet.notebook import Shown
from edgenet.progress import Progress, silent
from edgenet.protocol import Protocol
from edgenet.steps.deploy import Deployment, made_current
from edgenet.steps.events import board_events
from edgenet.steps.noted import failures_noted
from edgenet.steps.stage import Staged, stage
from edgenet.steps.taken import BundleLike, builds_of
from edgenet.verify.expected import encoder_for, golden_images

__all__ = ["Fastest", "deploy_fastest"]

ROUNDS = 3


@dataclass(frozen=True)
class Fastest(Shown):
    """What :func:`deploy_fastest` did.

    Attributes:
        deployment: Of the bundle that was kept; its bytes, seconds and removals are those of all.
        rounds_ms: Digest → the median of one invocation in each round, in ms.
        why: What was found, a sentence for each bundle but the first.
    """

    deployment: Deployment
    rounds_ms: Mapping[str, tuple[float, ...]]
    why: tuple[str, ...]

    def _rows(self) -> Mapping[str, Any]:
        medians = {digest[:12]: _span(times) for digest, times in self.rounds_ms.items()}
        return {"kept": self.deployment.name, "device": self.deployment.device, **medians, "why": self.why}

    def to_table(self) -> dict[str, Any]:
        """JSON-ready: the deployment's fields and how it was chosen."""
        return {
            **self.deployment.to_table(),
            "rounds_ms": {digest: list(medians) for digest, medians in self.rounds_ms.items()},
            "why": list(self.why),
        }


def deploy_fastest(
    bundles: Iterable[BundleLike] | BundleLike,
    device: BoardLike = "local",
    progress: Progress = silent,
    offline: bool = False,
) -> Fastest:
    """Bring each to the board, measure them in turn, and make the fastest the current one.

    What was current before stays so until all are measured: a cut cable leaves no candidate serving.

    The first is kept unless a later one is faster beyond noise: its slowest round must be faster than the
    fastest round of the one it would replace. So an int8 engine named after an fp16 one costs accuracy only
    where it wins something.

    Args:
        bundles: Of one model, the preferred one first.
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        progress: Called for every stage.
        offline: As for ``deploy``.

    Raises:
        DataError: They are not of one model.
        ConnectionFailed, ConnectionLost, DeviceError: As for ``deploy``.

    Examples:
        Each is measured for some seconds:

        >>> kept = edgenet.deploy_fastest(["fp32.edgenet", "int8.edgenet"], "local")  # doctest: +SKIP
        >>> kept.deployment.name, kept.why  # doctest: +SKIP
    """
    loaded = builds_of(bundles)
    began, board = time.perf_counter(), board_of(device)
    name = str(board)
    progress(f"connecting to {board}", 0, None)
    with connect(board, board_events(progress)) as agent:
        staged = {bundle.digest: _staged(agent, bundle, name, progress, offline) for bundle in loaded}
        rounds = [
            [_median_ms(agent, bundle, staged[bundle.digest], progress) for bundle in loaded]
            for _ in range(ROUNDS)
        ]
        medians = {
            bundle.digest: times for bundle, times in zip(loaded, zip(*rounds, strict=True), strict=True)
        }
        kept, why = _choose(loaded, medians)
        last = stage(agent, kept, name, progress, offline)
        return Fastest(made_current(agent, kept, last, name, began), medians, why)


def _staged(agent: Agent, bundle: Bundle, name: str, progress: Progress, offline: bool) -> Staged:
    with failures_noted(agent, bundle):
        return stage(agent, bundle, name, progress, offline)


def _median_ms(agent: Agent, bundle: Bundle, staged: Staged, progress: Progress) -> float:
    """One round: a fresh process, warmed up, a second of invocations."""
    rules = replace(Protocol.load("quick"), pipeline=False)
    session = agent.open(None, agent.facts().cores, staged.manifest)
    encode = encoder_for(session.loaded.decodes, bundle.manifest.preprocessing)
    images = golden_images(bundle, encode)
    bench = session.bench(rules.to_table(), images[:1], board_events(progress))
    session.close()
    return round(float(np.median(bench.model_ms)), 4)


def _choose(
    bundles: Sequence[Bundle], medians: Mapping[str, tuple[float, ...]]
) -> tuple[Bundle, tuple[str, ...]]:
    """The bundle to keep, and why each later one was taken or not."""
    kept, why = bundles[0], []
    for other in bundles[1:]:
        theirs, ours = medians[other.digest], medians[kept.digest]
        faster = max(theirs) < min(ours)
        verb = "replaces" if faster else "is not faster beyond noise than"
        why.append(f"{other.name} ({_span(theirs)}) {verb} {kept.name} ({_span(ours)})")
        kept = other if faster else kept
    return kept, tuple(why)


def _span(medians: Sequence[float]) -> str:
    return f"{min(medians):.3g} to {max(medians):.3g} ms"
