"""What the work on every board of a rollout shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.board import Board
from edgenet.bundle import Bundle
from edgenet.fleets.rollout_file import RolloutFile
from edgenet.fleets.rollout_options import RolloutOptions
from edgenet.fleets.rollout_state import RolloutBoard
from edgenet.steps.asked import Asked

__all__ = ["RolloutJob"]


@dataclass(frozen=True)
class RolloutJob:
    """What the work on every board shares.

    Attributes:
        bundles: Builds of one model.
        options: What was asked for.
        asked: What is measured before a build becomes current; ``None`` where nothing is limited.
        file: How far the rollout is.
    """

    bundles: Sequence[Bundle]
    options: RolloutOptions
    asked: Asked | None
    file: RolloutFile

    def row(self, board: Board) -> RolloutBoard:
        """How far a board is."""
        return self.file.rollout.row(str(board))

    @property
    def over(self) -> bool:
        """Whether too many boards failed for another one to be begun."""
        options = self.options
        return len(self.file.rollout.failures(options.skip_unreachable)) > options.max_failures
