"""Figures made by hand: networks that are quick to build, on boards that obey a law."""

from __future__ import annotations

from edgenet.estimates.figure import Figure
from edgenet.estimates.roofline import Shape, roofline_ms
from edgenet.estimates.work import work_of_named
from edgenet.published import Machine
from edgenet.target import Cpu
from edgenet.zoo.named import NamedNetwork, named

NETWORKS = ("v1-0.25-32", "v1-0.25-64", "v2-0.35-32", "v2-0.35-64")


def machine(name: str, core: str = "Cortex-A72", clock: int = 1500) -> Machine:
    return Machine(name=name, cpu=Cpu("aarch64", core, 4, ("asimd",), clock), memory_gb_s=10.0)


def network(name: str) -> NamedNetwork:
    found = named(name)
    assert found is not None
    return found


def figure(
    board: Machine, name: str, slower: float = 1.0, kernels: str = "tflite", precision: str = "fp32"
) -> Figure:
    """A time that is ``slower`` times its roofline."""
    work = work_of_named(network(name))
    roof = roofline_ms(work, board, precision, 4, Shape())
    assert roof is not None
    return Figure(board, network(name), precision, kernels, 4, slower * roof, "published", "made")


def figures(*boards: Machine, slower: float = 2.0, kernels: str = "tflite") -> tuple[Figure, ...]:
    """Every network on every board."""
    return tuple(figure(board, name, slower, kernels) for board in boards for name in NETWORKS)
