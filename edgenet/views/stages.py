"""Where accuracy was lost and answers changed, stage by stage, with 95 % intervals on a fixed scale."""

from __future__ import annotations

from edgenet.drift import Drift
from edgenet.figures import interval
from edgenet.statistics import wilson
from edgenet.views.parts import Chart
from edgenet.views.whiskers import Whisker, scale_of, whiskers

__all__ = ["stage_charts"]


def stage_charts(drift: Drift) -> list[Chart]:
    """What each stage won or lost of the headline measure, and the answers that it changed."""
    lost, changed = _lost(drift), _changed(drift)
    found = []
    if lost:
        caption = f"{_begun(drift.measure)} won and lost by stage, on a scale of ±{scale_of(lost):g} pp"
        found.append(Chart(caption, whiskers(lost, "pp", f"{caption}: {_listed(lost)}", True)))
    caption = f"Answers changed by stage, on a scale of {scale_of(changed):g} %"
    found.append(
        Chart(caption, whiskers(changed, "% of the images", f"{caption}: {_listed(changed)}", False))
    )
    return found


def _lost(drift: Drift) -> list[Whisker]:
    """In pp, where the images are labeled."""
    quantization, kernel = drift.stages.quantization, drift.stages.kernel
    if drift.delta_pp is None:
        return []
    rows = []
    if quantization.change_pp is not None:
        # Where the board answers as this host, bit for bit, what quantization lost is all there is.
        own = quantization.interval_pp or (drift.interval_pp if kernel.identical else None)
        rows.append(_pp("quantization", quantization.change_pp, own))
    if kernel.identical:
        rows.append(Whisker("kernel", 0.0, None, "bit-exact"))
    elif kernel.change_pp is not None:
        rows.append(_pp("kernel", kernel.change_pp, kernel.interval_pp))
    return [*rows, _pp("all together", drift.delta_pp, drift.interval_pp)]


def _pp(label: str, value: float, spread: tuple[float, float] | None) -> Whisker:
    told = f" ({interval(spread)})" if spread else ""
    return Whisker(label, value, spread, f"{value:+.2f}{told}")


def _changed(drift: Drift) -> list[Whisker]:
    """The share of answers that each stage changed, in percent, with Wilson's interval."""
    stages = drift.stages
    rows = [
        _percent("conversion", stages.conversion.agreement, stages.conversion.images),
        _percent("quantization", stages.quantization.agreement, stages.quantization.images),
        _percent("kernel", stages.kernel.agreement, stages.kernel.images, stages.kernel.identical),
    ]
    return [*rows, _percent("all together", drift.agreement, drift.images)]


def _percent(label: str, kept: float, images: int, identical: bool = False) -> Whisker:
    if identical:
        return Whisker(label, 0.0, None, "bit-exact")
    changed = round((1.0 - kept) * images)
    low, high = wilson(changed, images) if images else (0.0, 0.0)
    value = 100.0 * (1.0 - kept)
    return Whisker(label, value, (100.0 * low, 100.0 * high), f"{value:.2f} % of {images:,}")


def _begun(name: str) -> str:
    """A measure's name where a line begins: "top-1" is "Top-1" there, and "mAP" itself."""
    return name if name[1:2].isupper() else name[:1].upper() + name[1:]


def _listed(rows: list[Whisker]) -> str:
    return ", ".join(f"{row.label} {row.words}" for row in rows)
