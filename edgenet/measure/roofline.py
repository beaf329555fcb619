"""How much of what the board can do the layers reach (Williams, Waterman, Patterson, CACM 52, 2009)."""

from __future__ import annotations

from collections.abc import Sequence

from edgenet.breakdown import Layer, Roofline
from edgenet.devices.session import BenchResult
from edgenet.errors import LibraryError
from edgenet.target import Target

__all__ = ["roofline"]

NO_INT8 = "what the board can do in int8 cannot be measured with numpy"


def roofline(
    bench: BenchResult, rows: Sequence[Layer], precision: str, target: str, threads: int, emulated: bool
) -> tuple[Roofline, tuple[Layer, ...]]:
    """The report's ``roofline``, and its layers: those of a float artifact with ``of_roof``.

    The roof is measured on the board by numpy on one core: a copy of 32 MiB, and a float matrix product,
    which counts once a thread. A layer that finds its input in the cache can exceed the memory's roof.

    Args:
        bench: What was measured.
        rows: The report's layers.
        precision: Of the artifact.
        target: Name of the board's target, which may know the memory's theoretical bandwidth.
        threads: Of the runtime.
        emulated: Whether the board is a simulation.

    Returns:
        The roofline, or only why there is none; and the layers.
    """
    if emulated:
        return Roofline(absent="an emulated board has no speed"), tuple(rows)
    if not bench.roof or not rows:
        return Roofline(absent="the protocol leaves it out" if rows else "no layers were timed"), tuple(rows)
    copy, multiply = bench.roof.copy_gb_s, bench.roof.sgemm_gmac_s * threads
    total_ms = sum(row.ms for row in rows) or 1.0
    reached = sum(row.macs or 0 for row in rows) / total_ms / 1e6
    moved = sum(row.gb_s * row.ms for row in rows if row.gb_s) / total_ms
    why = None if precision == "fp32" else NO_INT8
    against = why or f"{100 * reached / multiply:.0f} % of a float matrix product's {multiply:.1f}"
    bandwidth, source = _theory(target)
    found = Roofline.of(
        copy_gb_s=copy,
        sgemm_gmac_s=bench.roof.sgemm_gmac_s,
        theoretical_gb_s=bandwidth,
        source=source,
        gmac_s=reached,
        gb_s=moved,
        of_roof_absent=why,
        summary=f"All layers together reach {reached:.1f} GMAC/s ({against}) and {moved:.1f} GB/s; "
        f"one core copies {copy:.1f} GB/s here.",
    )
    return found, tuple(_against(row, copy, multiply) if why is None else row for row in rows)


def _against(row: Layer, copy: float, multiply: float) -> Layer:
    """A layer with the share of the roof that it reaches, where its work is known."""
    if not row.gmac_s or not row.gb_s:
        return row
    return row.changed(of_roof=row.gmac_s / min(multiply, copy * row.gmac_s / row.gb_s))


def _theory(name: str) -> tuple[float | None, tuple[str, ...] | None]:
    """The memory's bandwidth by the target's file in GB/s, and its sources."""
    try:
        target = Target.load(name)
    except LibraryError:
        return None, None
    return target.memory_gb_s, target.sources if target.memory_gb_s else None
