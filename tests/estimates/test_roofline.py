"""The roofline of a data sheet, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgenet.estimates.roofline import Shape, peak_gmacs, roofline_ms
from edgenet.estimates.work import LayerWork, Work
from edgenet.library import names
from edgenet.published import Machine, machine_of, published_cores, published_latencies
from edgenet.target import Cpu, Target

CORE = Cpu("aarch64", "Cortex-A72", 4, ("asimd",), 1000)
BOARD = Machine(name="b", cpu=CORE, memory_gb_s=10.0)
FREE = Shape(cycles=0.0, threads=1.0)
BOUND_BY_ARITHMETIC = LayerWork(400_000_000, 1000)
BOUND_BY_MEMORY = LayerWork(1000, 5_000_000)


def test_the_slower_of_computing_and_moving_decides_layer_by_layer() -> None:
    # 4 multiply-adds a cycle at 1 GHz on 4 cores: 16e9 a second; 5e6 floats of 4 bytes at 10 GB/s: 2 ms.
    assert roofline_ms(Work((BOUND_BY_ARITHMETIC,), "v1"), BOARD, "fp32", 4, FREE) == pytest.approx(25.0)
    assert roofline_ms(Work((BOUND_BY_MEMORY,), "v1"), BOARD, "fp32", 4, FREE) == pytest.approx(2.0)
    both = Work((BOUND_BY_ARITHMETIC, BOUND_BY_MEMORY), "v1")
    assert roofline_ms(both, BOARD, "fp32", 4, FREE) == pytest.approx(27.0)


def test_int8_moves_a_quarter_and_computes_by_what_the_core_has() -> None:
    assert roofline_ms(Work((BOUND_BY_MEMORY,), "v1"), BOARD, "int8", 4, FREE) == pytest.approx(0.5)
    assert roofline_ms(Work((BOUND_BY_MEMORY,), "v1"), BOARD, "fp16", 4, FREE) == pytest.approx(1.0)
    assert peak_gmacs(CORE, "fp32") == 4.0
    assert peak_gmacs(CORE, "int8") == 6.0
    assert peak_gmacs(replace(CORE, isa=("asimd", "asimddp")), "int8") == 16.0
    assert peak_gmacs(CORE, "fp16") == 4.0
    assert peak_gmacs(replace(CORE, isa=("asimd", "asimdhp")), "fp16") == 8.0


def test_starting_layers_costs_cycles_and_threads_bring_less_each() -> None:
    work = Work((LayerWork(0, 0),) * 10, "v1")
    assert roofline_ms(work, BOARD, "fp32", 4, Shape(cycles=1e5, threads=1.0)) == pytest.approx(1.0)
    one = roofline_ms(Work((BOUND_BY_ARITHMETIC,), "v1"), BOARD, "fp32", 1, Shape(cycles=0.0, threads=0.5))
    four = roofline_ms(Work((BOUND_BY_ARITHMETIC,), "v1"), BOARD, "fp32", 4, Shape(cycles=0.0, threads=0.5))
    assert one is not None
    assert four == pytest.approx(one / 2)


def test_no_more_threads_than_cores_and_zero_means_all() -> None:
    work = Work((BOUND_BY_ARITHMETIC,), "v1")
    times = [roofline_ms(work, BOARD, "fp32", threads, FREE) for threads in (0, 4, 64)]
    assert times == [pytest.approx(25.0)] * 3


def test_a_board_of_unknown_cores_has_one() -> None:
    board = replace(BOARD, cpu=replace(CORE, cores=0))
    work = Work((BOUND_BY_ARITHMETIC,), "v1")
    assert roofline_ms(work, board, "fp32", 0, FREE) == pytest.approx(100.0)
    assert roofline_ms(work, board, "fp32", 2, FREE) == pytest.approx(50.0)


def test_the_numbers_are_those_that_the_page_names() -> None:
    """docs/estimate.md; benchmarks/estimates.py chose them."""
    assert Shape() == Shape(cycles=40_000.0, threads=0.7)


def test_without_a_clock_there_is_none() -> None:
    board = replace(BOARD, cpu=replace(CORE, clock_mhz=0))
    assert roofline_ms(Work((BOUND_BY_MEMORY,), "v1"), board, "fp32", 4) is None


def test_a_core_that_no_table_knows_has_the_lanes_of_its_instructions() -> None:
    unknown = Cpu("x86_64", "Some CPU", 4, ("avx2",), 1000)
    assert peak_gmacs(unknown, "fp32") == 16.0
    assert peak_gmacs(replace(unknown, isa=("avx2", "avx512f")), "fp32") == 32.0
    assert peak_gmacs(replace(unknown, isa=()), "fp32") == 4.0


def test_the_table_knows_the_core_of_every_board() -> None:
    boards = [Target.load(name) for name in names("target")]
    cores = {board.cpu.core for board in boards if board.cpu.machine == "aarch64" and board.cpu.clock_mhz}
    assert cores | {row.machine.cpu.core for row in published_latencies()} == set(published_cores())
    assert machine_of(Target.load("raspberry-pi-4")).memory_gb_s == 12.8
