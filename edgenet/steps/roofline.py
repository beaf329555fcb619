"""How much of what the board can do the layers reach (Williams, Waterman, Patterson, CACM 52, 2009)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgenet.devices.session import BenchResult
from edgenet.errors import LibraryError
from edgenet.target import Target

__all__ = ["roofline"]

NO_INT8 = "what the board can do in int8 cannot be measured with numpy"


def roofline(
    bench: BenchResult, rows: list[dict[str, Any]], precision: str, target: str, threads: int, emulated: bool
) -> dict[str, Any]:
    """The report's ``roofline``; adds ``of_roof`` to the layers of a float artifact.

    The roof is measured on the board by numpy on one core: a copy of 32 MiB, and a float matrix product,
    which counts once a thread. A layer that finds its input in the cache can exceed the memory's roof.

    Args:
        bench: What was measured.
        rows: The report's layers; changed.
        precision: Of the artifact.
        target: Name of the board's target, which may know the memory's theoretical bandwidth.
        threads: Of the runtime.
        emulated: Whether the board is a simulation.

    Returns:
        ``copy_gb_s``, ``sgemm_gmac_s`` (one core), ``theoretical_gb_s`` with ``source`` (both ``None`` where
        the target does not tell), the whole network's ``gmac_s`` and ``gb_s``, ``of_roof_absent`` (why layers
        have no share of the roof, or ``None``), ``summary``; or only ``absent``, the reason.
    """
    if emulated:
        return {"absent": "an emulated board has no speed"}
    if not bench.roof or not rows:
        return {"absent": "the protocol leaves it out" if rows else "no layers were timed"}
    copy, multiply = bench.roof["copy_gb_s"], bench.roof["sgemm_gmac_s"] * threads
    total_ms = sum(row["ms"] for row in rows) or 1.0
    macs = sum(row.get("macs") or 0 for row in rows)
    for row in rows if precision == "fp32" else ():
        if row.get("gmac_s") and row.get("gb_s"):
            row["of_roof"] = row["gmac_s"] / min(multiply, copy * row["gmac_s"] / row["gb_s"])
    reached = macs / total_ms / 1e6
    moved = sum(row["gb_s"] * row["ms"] for row in rows if row.get("gb_s")) / total_ms
    why = None if precision == "fp32" else NO_INT8
    against = why or f"{100 * reached / multiply:.0f} % of a float matrix product's {multiply:.1f}"
    return {
        "copy_gb_s": copy,
        "sgemm_gmac_s": bench.roof["sgemm_gmac_s"],
        **_theory(target),
        "gmac_s": reached,
        "gb_s": moved,
        "of_roof_absent": why,
        "summary": f"All layers together reach {reached:.1f} GMAC/s ({against}) and {moved:.1f} GB/s; "
        f"one core copies {copy:.1f} GB/s here.",
    }


def _theory(name: str) -> Mapping[str, Any]:
    try:
        target = Target.load(name)
    except LibraryError:
        return {"theoretical_gb_s": None, "source": None}
    bandwidth = target.facts.get("memory_gb_s")
    return {"theoretical_gb_s": bandwidth, "source": list(target.sources) if bandwidth else None}
