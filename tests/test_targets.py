"""Target files: what they say is typed, and what nobody reads is refused, not planned without."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgenet.errors import EdgenetError, LibraryError
from edgenet.facts import Facts
from edgenet.library import Table, names
from edgenet.steps.plan import options
from edgenet.steps.probe import target_text
from edgenet.target import Gpu, Target
from edgenet.text import plain

NANO = (Path(__file__).parents[1] / "targets/jetson-nano.toml").read_text()


def read(text: str) -> Target:
    return Target.from_table(Table(tomllib.loads(text), "mine.toml"))


@pytest.mark.parametrize("name", names("target"))
def test_every_target_is_read_whole(name: str) -> None:
    target = Target.load(name)
    assert target.name == name
    assert set(target.extra) <= {"soc", "sensors", "camera"}


def test_the_parts_of_a_target_are_typed() -> None:
    nano = Target.load("jetson-nano")
    assert nano.gpu == Gpu("Maxwell, 128 cores", ("5.3",), 0)
    assert nano.identity.modules == ("p3448",)
    assert nano.memory_gb_s == 25.6
    assert "glibc 2.27" in nano.system.images[0]
    assert Target.load("rtx-laptop").gpu == Gpu("RTX", ("7.5", "8.6", "8.9", "12.0"), 0)
    assert Target.load("local").gpu is None


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("compute_capability", "compute_capabilty", r"\[gpu\]: does not .*mean 'compute_capability'"),
        ("clock_mhz", "clock_mzh", r"\[cpu\]: does not know 'clock_mzh'.*'clock_mhz'"),
        ("memory_gb_s", "memory_gbs", "does not know 'memory_gbs'.*'memory_gb_s'"),
        ("images", "image", r"\[os\]: does not know 'image'.*'images'"),
        ("refused", "refuses", "does not know 'refuses'.*'refused'"),
        ("soc =", "fans =", "^$"),
        ("[extra.sensors]", "[sensors]", "does not know 'sensors'.*free text belongs under"),
        ('"5.3"', '"Maxwell"', "'Maxwell' is no compute capability"),
        ('"5.3"', "5.3", "compute_capability = 5.3 is not a str"),
        ("25.6", "nan", "memory_gb_s = nan is not a number from 0 up"),
        ("cores = 4", "cores = -4", "cores = -4 is not a number from 0 up"),
        ("[2048, 4096]", '[2048, "big"]', "memory_mb holds 'big'"),
        ('built = "device"', 'built = "there"', "built = 'there'"),
        ('int8 = "its GPU generation has no int8 arithmetic"', "int8 = true", "int8 = True is no reason"),
    ],
)  # fmt: skip
def test_what_a_target_does_not_know_is_refused(right: str, wrong: str, message: str) -> None:
    text = NANO.replace(right, wrong, 1)
    assert text != NANO
    if message == "^$":
        assert "fans" in read(text).extra, "free text has its place"
        return
    with pytest.raises(LibraryError, match=message):
        read(text)


def test_a_misspelt_gpu_is_no_longer_planned_as_one_that_has_int8() -> None:
    """It once was: a GPU of no known capability was taken for one that can."""
    text = NANO.replace('refused = { int8 = "its GPU generation has no int8 arithmetic" }', "")
    text = text.replace('precisions = ["fp32", "fp16"]', 'precisions = ["fp32", "fp16", "int8"]')
    (int8,) = (o for o in options(read(text)) if (o.backend, o.precision) == ("tensorrt", "int8"))
    assert not int8.possible
    with pytest.raises(LibraryError, match="did you mean 'compute_capability'"):
        read(text.replace("compute_capability", "compute_capabilty"))


told = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
line = st.text(st.characters(), max_size=9)
BOARD = {
    "board": st.none() | line,
    "os": st.none() | line,
    "machine": st.none() | line,
    "cpu": st.none() | line,
    "l4t": st.none() | line,
    "glibc": st.none() | line,
    "clock_max_mhz": st.none() | st.integers(0, 10_000_000),
    "memory_mb": st.none() | st.floats(0, 1e12) | st.integers(0, 10**12),
    "isa": st.lists(line, max_size=3),
    "emulated": st.booleans(),
}


@given(st.fixed_dictionaries({"cores": st.integers(1, 65_536)}, optional=BOARD))
def test_whatever_a_board_says_its_saved_target_is_read_back(told: dict[str, Any]) -> None:
    assert read(target_text("mine", Facts.from_table(plain(told)))).name == "mine"


def test_a_board_cannot_write_lines_of_its_own_into_a_target() -> None:
    name = 'x\nname = "yours"\n'
    target = read(target_text("mine", Facts(cores=1, machine="aarch64", cpu=name)))
    assert (target.name, target.cpu.core) == ("mine", name)


@given(st.recursive(told, lambda inner: st.dictionaries(st.sampled_from(("name", "cpu", "isa")), inner)))
def test_no_value_of_a_target_ends_in_a_traceback(value: Any) -> None:
    table = tomllib.loads(NANO)
    for key in (*table, "threads", "gpu"):
        try:
            Target.from_table(Table({**table, key: value}, "mine.toml"))
        except EdgenetError as error:
            assert "\n" not in str(error)  # noqa: PT017 (what is raised is half of the property)
