"""What a data sheet allows a network: the slower of computing and moving, layer by layer.

The roofline of Williams, Waterman and Patterson (CACM 52, 2009), with two numbers of its own: what starting
a layer costs, and what another thread brings. They were chosen, with the correction's, by how far it was off
on boards, widths and resolutions that were left out (``benchmarks/estimates.py``; docs/estimate.md). A third,
the share of its peak that a core reaches in depthwise layers, won nothing: memory bounds those in any case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edgenet.estimates.work import Work
from edgenet.published import Machine, published_cores
from edgenet.target import VNNI, Cpu

__all__ = ["SIZES", "Shape", "peak_gmacs", "roofline_ms"]

# Bytes of a number.
SIZES = {"fp32": 4, "fp16": 2, "int8": 1}
# int8 beside float32 in one vector unit: with instructions that add four products, and with those that widen.
DOT, WIDENING, HALF = 4.0, 1.5, 2.0
# Of a core that no table knows: lanes of its widest unit.
LANES = {"avx512f": 32.0, "avx2": 16.0}
NEON = 4.0


@dataclass(frozen=True)
class Shape:
    """The numbers that no data sheet has.

    Attributes:
        cycles: Of one core, to start a layer.
        threads: The speed of n threads is n to this power.
    """

    cycles: float = 40_000.0
    threads: float = 0.7


def roofline_ms(
    work: Work, machine: Machine, precision: str, threads: int, shape: Shape | None = None
) -> float | None:
    """Milliseconds an image by the data sheet; ``None`` where the clock is not known.

    Args:
        work: The network's.
        machine: The board.
        precision: "fp32", "fp16" or "int8".
        threads: Of the runtime; 0 means every core.
        shape: Other numbers than those chosen.
    """
    shape = shape or Shape()
    peak = peak_gmacs(machine.cpu, precision)
    if peak is None:
        return None
    used = min(threads or machine.cpu.cores, machine.cpu.cores or threads) or 1
    speed = peak * 1e6 * used**shape.threads
    moved = (machine.memory_gb_s or float("inf")) * 1e6 / SIZES[precision]
    started = shape.cycles / (machine.cpu.clock_mhz * 1e3)
    return math.fsum(max(layer.macs / speed, layer.values / moved) + started for layer in work.layers)


def peak_gmacs(cpu: Cpu, precision: str) -> float | None:
    """Multiply-adds that one core can begin in a second, in 1e9; ``None`` where its clock is not known."""
    if not cpu.clock_mhz:
        return None
    known = published_cores().get(cpu.core)
    lanes = known or next((value for name, value in LANES.items() if name in cpu.isa), NEON)
    return lanes * cpu.clock_mhz / 1e3 * _gain(cpu, precision)


def _gain(cpu: Cpu, precision: str) -> float:
    if precision == "int8":
        return DOT if {"asimddp", *VNNI} & set(cpu.isa) else WIDENING
    return HALF if precision == "fp16" and "asimdhp" in cpu.isa else 1.0
