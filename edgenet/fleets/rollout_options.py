"""What is asked of a rollout: its waves, its limits, and when it stops."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgenet.board import Board
from edgenet.bundle import Bundle
from edgenet.files import sha256
from edgenet.fleets.each import AT_ONCE
from edgenet.fleets.waves import SHARES
from edgenet.imageset import ImageSet
from edgenet.notebook import Shown
from edgenet.protocol import Protocol
from edgenet.steps.taken import images_of, protocol_of

__all__ = ["RolloutOptions"]

CHECK_S = 60.0


@dataclass(frozen=True)
class RolloutOptions(Shown):
    """What is asked of a rollout.

    Attributes:
        canary: How many boards are tried first; ``None``: those with a number, else one.
        waves: Percent of the boards that are left, for each wave after the canaries.
        max_failures: How many boards may fail, of all waves together, before no further board is begun.
        skip_unreachable: Whether boards that do not answer count as failed; they are named either way.
        rollback: Whether a rollout that stops takes back what it did.
        protocol: How a build is measured before it becomes current, where there is a limit.
        val: Images that its drift is judged on; else the bundle's few golden ones.
        min_fps: Limit for the pipeline's FPS (the model's, where the protocol has no pipeline).
        max_drift: Limit for drift, percentage points.
        max_memory: Limit for the peak memory of the model's process, MB.
        check: A command for ``sh`` on the board that may refuse the build, by an exit status other than 0.
        check_s: How long it may take, seconds.
        offline: As for :func:`edgenet.deploy`.
        at_once: How many boards are worked on at the same time.
        fresh: Whether an unfinished rollout in the state file is forgotten.
        dry_run: Ask the boards what they are and what they run, and do nothing.

    Examples:
        >>> edgenet.RolloutOptions(canary=2, min_fps=24, rollback=True).measures
        True
    """

    canary: int | None = None
    waves: Sequence[float] = SHARES
    max_failures: int = 0
    skip_unreachable: bool = False
    rollback: bool = False
    protocol: Protocol | Path | str = "quick"
    val: ImageSet | Path | str | None = None
    min_fps: float | None = None
    max_drift: float | None = None
    max_memory: float | None = None
    check: str | None = None
    check_s: float = CHECK_S
    offline: bool = False
    at_once: int = AT_ONCE
    fresh: bool = False
    dry_run: bool = False

    @property
    def measures(self) -> bool:
        """Whether something is limited that has to be measured."""
        return any(limit is not None for limit in (self.min_fps, self.max_drift, self.max_memory))

    def request(self, bundles: Iterable[Bundle], boards: Iterable[Board]) -> Mapping[str, str]:
        """Digests of all that makes it this rollout and no other, each under the name that people know.

        How many boards may fail, and what happens then, are not among them: that may change on the way.
        """
        where = [[board.name, board.device, board.target, board.home] for board in boards]
        limits = [self.min_fps, self.max_drift, self.max_memory]
        return {
            "bundles": _digest(sorted(bundle.digest for bundle in bundles)),
            "boards": _digest(where),
            "waves": _digest([self.canary, list(self.waves)]),
            "limits": _digest([limits, self._how() if self.measures else None]),
            "check": _digest(self.check),
        }

    def _how(self) -> list[Any]:
        images = images_of(self.val, "val")
        return [protocol_of(self.protocol).to_table(), images.digest() if images else None]


def _digest(value: Any) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode())
