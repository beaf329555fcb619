"""Whether a staged build may become a board's current one: what is measured of it, and the user's check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.upkeep_answers import Checked
from edgenet.errors import HealthError
from edgenet.fleets.rollout_job import RolloutJob
from edgenet.fleets.rollout_state import RolloutBoard
from edgenet.progress import Progress
from edgenet.report import Report
from edgenet.steps.profile import measured
from edgenet.text import last_line

__all__ = ["fit_to_switch"]


def fit_to_switch(
    agent: Agent,
    bundle: Bundle,
    manifest: Mapping[str, Any],
    row: RolloutBoard,
    job: RolloutJob,
    progress: Progress,
) -> RolloutBoard:
    """Measure a build that is staged and placed on a board, and ask its user's check.

    Args:
        agent: On the board.
        bundle: The build.
        manifest: What the board knows of it.
        row: How far the board is.
        job: What was asked for.
        progress: Called for every stage.

    Returns:
        The row with what was measured.

    Raises:
        HealthError: A limit does not hold, or the check ended with another exit status than 0.
        DeviceError: The board cannot run it.
    """
    if job.asked is not None:
        report = measured(agent, bundle, job.asked, row.board, progress, manifest)
        row = job.file.put(_with_figures(row, report))
        _hold_limits(row, report, job.options.max_memory)
    if job.options.check is not None:
        progress("running your check on the board", 0, None)
        _ask(agent, manifest, row.board, job.options.check, job.options.check_s)
    return row


def _with_figures(row: RolloutBoard, report: Report) -> RolloutBoard:
    return row.changed(
        fps=report.fps.model if report.fps.pipeline is None else report.fps.pipeline,
        p99_ms=report.latency_ms.p99,
        memory_mb=report.memory_mb.peak,
        drift_pp=None if report.drift is None else report.drift.lost().pp,
    )


def _hold_limits(row: RolloutBoard, report: Report, max_memory: float | None) -> None:
    broken = [limit.words for limit in report.verdict.limits if not limit.passed]
    if max_memory is not None and (row.memory_mb is None or row.memory_mb > max_memory):
        found = "cannot be read" if row.memory_mb is None else f"is {row.memory_mb:.0f} MB"
        broken.append(f"its peak memory {found}, at most {max_memory:g} MB is allowed")
    if broken:
        raise HealthError(
            f"{row.board}: {'; '.join(broken)}",
            "roll out another build there, or change the limits",
        )


def _ask(agent: Agent, manifest: Mapping[str, Any], name: str, command: str, timeout_s: float) -> None:
    said = agent.upkeep.check(manifest, command, timeout_s)
    if said.exit_status != 0 or said.timed_out:
        words = last_line(said.output) or "it said nothing"
        raise HealthError(
            f"{name}: your check {_how(said, timeout_s)}: {words}",
            "run the check on the board by hand, or roll out another build",
        )


def _how(said: Checked, timeout_s: float) -> str:
    if said.timed_out:
        return f"did not end within {timeout_s:g} s"
    if said.exit_status < 0:
        return f"was ended by signal {-said.exit_status}"
    return f"ended with exit status {said.exit_status}"
