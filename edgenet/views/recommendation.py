"""Which of several builds to take, and how sure that is: the head of a page of several reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgenet.figures import interval, number
from edgenet.report import Report
from edgenet.statistics import median_ratio
from edgenet.views.pipeline import WANTED_FPS

__all__ = ["TELLING_PP", "WITHIN_PP", "Recommendation", "fastest_within", "loss_words", "recommendations"]

# Where the interval leaves room for a loss of more, the images tell next to nothing.
TELLING_PP = 5.0
# What a build may lose of its task's headline measure, in percentage points.
WITHIN_PP = 0.5


@dataclass(frozen=True)
class Recommendation:
    """What to take on one board.

    Attributes:
        board: Where; "" where all reports are of one.
        headline: The build and why, in a line.
        facts: What it rests on, a sentence each.
        index: Of its report; ``None`` where none can be recommended.
        sure: Whether the runs are all such that their times can be believed.
    """

    board: str
    headline: str
    facts: Sequence[str]
    index: int | None
    sure: bool


def recommendations(reports: Sequence[Report], names: Sequence[str]) -> list[Recommendation]:
    """One a board, of reports of one model; none of several models, whose float models differ.

    Args:
        reports: Side by side.
        names: What each is called.
    """
    if len({report.bundle.model_digest or report.bundle.model for report in reports}) > 1:
        return []
    boards = dict.fromkeys(_board(report) for report in reports)
    found = []
    for board in boards:
        own = [at for at, report in enumerate(reports) if _board(report) == board]
        found.append(_of(board if len(boards) > 1 else "", own, reports, names))
    return found


def fastest_within(reports: Sequence[Report], within_pp: float) -> Report | None:
    """The one with the least median of those that lose no more than this; ``None`` where all lose more."""
    keeping = [report for report in reports if report.drift.lost().pp <= within_pp]
    return min(keeping, key=lambda report: report.latency_ms.p50, default=None)


def _board(report: Report) -> str:
    return report.device.board or report.device.name


def _of(board: str, own: Sequence[int], reports: Sequence[Report], names: Sequence[str]) -> Recommendation:
    real = [reports[at] for at in own if not reports[at].emulated]
    if not real:
        headline = "EMULATED: the answers count, but a simulation has no speed, so no build is the fastest"
        return Recommendation(board, headline, (), None, True)
    best = fastest_within(real, WITHIN_PP)
    if best is None:
        lost = min(report.drift.lost().pp for report in real)
        headline = f"No build keeps within {WITHIN_PP:g} pp of float: the least loss is {lost:.2f} pp"
        return Recommendation(board, headline, (), None, True)
    at = next(index for index in own if reports[index] is best)
    others = {names[index]: reports[index] for index in own if not reports[index].emulated and index != at}
    base = _float(best, list(others.values()))
    gain = _gain(best, base)
    kept = "fastest" if len(real) > 1 else "the only build with a speed"
    headline = f"{names[at]}: {kept} within {WITHIN_PP:g} pp{gain[0]}; {loss_words(best)}"
    facts = [*gain[1], _loss_facts(best), _line(best), *_rival(best, others), *_left_out(best, others)]
    sure = all(report.verdict.state == "VALID" for report in real)
    return Recommendation(board, headline, [fact for fact in facts if fact], at, sure)


def _float(best: Report, others: Sequence[Report]) -> Report | None:
    """The float build to compare with: of its own backend, else the fastest."""
    if best.bundle.precision == "fp32":
        return None
    able = [report for report in others if report.bundle.precision == "fp32"]
    own = [report for report in able if report.bundle.backend == best.bundle.backend]
    return min(own or able, key=lambda report: report.latency_ms.p50, default=None)


def _gain(best: Report, base: Report | None) -> tuple[str, list[str]]:
    """How many times as fast as float: for the headline, and with its interval."""
    if base is None:
        return "", []
    ratio, spread = median_ratio(best.latency_ms.array(), base.latency_ms.array())
    if spread is None:
        return f", {ratio:.1f}× float", []
    told = f"{ratio:.2f} times as fast as {base.build} (95 % interval {interval(spread)}), by the median"
    if spread[0] <= 1.0 <= spread[1]:
        return ", no faster than float beyond noise", [told]
    return f", {ratio:.1f}× float", [told]


def loss_words(report: Report) -> str:
    """What it lost in a few words; "no measurable loss" where the interval holds zero and little more."""
    drift, lost = report.drift, report.drift.lost()
    on = f"on {drift.images:,} image{'' if drift.images == 1 else 's'}"
    if drift.delta_pp is None:
        return f"{100.0 * drift.kept:.1f} % of answers kept {on}"
    if lost.interval is None:
        return f"{drift.delta_pp:+.2f} pp {drift.measure} {on}"
    if lost.interval[0] > 0:
        return f"{lost.pp:.2f} pp of {drift.measure} lost {on}"
    if lost.interval[1] < 0:
        return f"{-lost.pp:.2f} pp of {drift.measure} gained {on}"
    if lost.interval[1] > TELLING_PP:
        return f"a loss of up to {lost.interval[1]:.1f} pp cannot be ruled out {on}"
    return f"no measurable loss {on}"


def _loss_facts(report: Report) -> str:
    """The difference with its interval, and what so many images cannot tell."""
    drift = report.drift
    if drift.delta_pp is None or drift.interval_pp is None:
        return ""
    spread = interval(drift.interval_pp)
    told = f"{drift.measure} {drift.delta_pp:+.2f} pp against float, 95 % interval {spread} pp"
    if drift.interval_pp[0] < -WITHIN_PP:
        return (
            f"{told}: a loss of more than {WITHIN_PP:g} pp cannot be ruled out with {drift.images:,} images"
        )
    return told


def _line(report: Report) -> str:
    fps, what = report.fps.best_known, "image to label" if report.fps.pipeline else "network alone"
    verb = "meets" if fps >= WANTED_FPS else "misses"
    return f"{number(fps, 1)} FPS {what}: {verb} {WANTED_FPS:g} FPS"


def _rival(best: Report, others: dict[str, Report]) -> list[str]:
    """The next one, where it may be as fast."""
    keeping = {name: item for name, item in others.items() if item.drift.lost().pp <= WITHIN_PP}
    if not keeping:
        return []
    name, second = min(keeping.items(), key=lambda item: item[1].latency_ms.p50)
    ratio, spread = median_ratio(best.latency_ms.array(), second.latency_ms.array())
    if spread is None or spread[0] > 1.0:
        return []
    return [f"{name} may be as fast: {ratio:.2f} times its median (95 % interval {interval(spread)})"]


def _left_out(best: Report, others: dict[str, Report]) -> list[str]:
    """Those that are faster and lose more, with what is known of their loss."""
    found = []
    for name, item in others.items():
        lost = item.drift.lost()
        if lost.pp > WITHIN_PP and item.latency_ms.p50 < best.latency_ms.p50:
            spread = f", 95 % interval {interval(lost.interval)}" if lost.interval else ""
            found.append(
                f"left out: {name}, {best.latency_ms.p50 / item.latency_ms.p50:.2f} times as fast,"
                f" {lost.name.removesuffix(' (pp)')} {lost.pp:.2f} pp{spread}"
            )
    return found
