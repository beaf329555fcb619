"""Keep a limit of drift with as few layers in float as will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgenet.errors import DriftError
from edgenet.pages import page
from edgenet.quantize.mixed_precision.candidates import Choice

__all__ = ["Attempt", "drift_budget_search"]

ATTEMPTS = 4
# A prediction must stay this far below the limit to be tried, so that most first tries hold.
MARGIN = 0.9


@dataclass(frozen=True)
class Attempt:
    """A set of layers in float, quantized around and judged.

    Attributes:
        choice: The set, with its estimated time.
        line: Agreement, divergence and expected_loss_pp on images that rounding did not see.
        result: What :func:`drift_budget_search` was given to make.
    """

    choice: Choice
    line: dict[str, Any]
    result: Any

    def to_table(self) -> dict[str, Any]:
        """JSON-ready, the judged line with it; the layers are named elsewhere."""
        return {
            "float_steps": len(self.choice.steps),
            "estimated_time": round(self.choice.time, 3),
            **{name: value for name, value in self.line.items() if name not in ("pass", "divergence")},
        }


def drift_budget_search(
    limit_pp: float,
    first: Attempt,
    offers: Callable[[], Sequence[Choice]],
    make: Callable[[Choice], Attempt],
) -> list[Attempt]:
    """Try sets of layers until one keeps the limit; that is the last one returned.

    What a set will lose is predicted from its noise and from what the sets tried so far lost for theirs.

    Args:
        limit_pp: Top-1 that may be lost, in percentage points.
        first: All int8 (but for what the user keeps).
        offers: Sets from the fastest to the least noise; not asked for if the first keeps the limit.
        make: Quantizes around a set and judges the result.

    Raises:
        DriftError: No set keeps it; says what the best one loses.
    """
    tried = [first]
    if _loss(first) <= limit_pp:
        return tried
    offered = list(offers())
    ratio = _loss(first) / max(offered[0].noise, 1e-12)
    left = offered[1:]
    while left and len(tried) <= ATTEMPTS:
        hopeful = [choice for choice in left if choice.noise * ratio <= MARGIN * limit_pp]
        choice = hopeful[0] if hopeful and len(tried) < ATTEMPTS else left[-1]
        left = left[left.index(choice) + 1 :]
        tried.append(make(choice))
        if _loss(tried[-1]) <= limit_pp:
            return _faster(limit_pp, tried, offered, make)
        ratio = max(ratio, _loss(tried[-1]) / max(choice.noise, 1e-12))
    best = min(tried, key=_loss)
    raise DriftError(
        f"this model cannot be quantized within {limit_pp:g} pp: of the sets of float layers tried, the best "
        f"({len(best.choice.steps)} layers in float) is expected to lose {_loss(best):.2f} pp of top-1",
        f"allow --max-drift {_up(_loss(best)):g}, give more typical images, or choose --precision fp32 "
        f"({page('troubleshooting', 'over-the-drift-limit')})",
    )


def _faster(
    limit_pp: float, tried: list[Attempt], offered: Sequence[Choice], make: Callable[[Choice], Attempt]
) -> list[Attempt]:
    """Try one set more: between the one that keeps the limit, the last, and the best that does not."""
    *failed, kept = tried
    slowest = max(item.choice.time for item in failed)
    between = [item for item in offered if slowest < item.time < kept.choice.time]
    if not between:
        return tried
    middle = make(between[len(between) // 2])
    return [*failed, kept, middle] if _loss(middle) <= limit_pp else [*failed, middle, kept]


def _loss(attempt: Attempt) -> float:
    return float(attempt.line["expected_loss_pp"])


def _up(loss: float) -> float:
    """Rounded up to hundredths."""
    return -(-loss * 100 // 1) / 100
