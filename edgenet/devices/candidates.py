"""Which runtimes can be sent to a board, from its facts alone."""

from __future__ import annotations

from edgenet.devices.first_use import kept
from edgenet.devices.index import Index
from edgenet.devices.needs import remedy
from edgenet.devices.pins import Pin, fitting, refused
from edgenet.devices.platform import Platform
from edgenet.errors import DeviceError
from edgenet.facts import Facts

__all__ = ["candidates", "fits", "machine_of"]

NARROW = 32
# A 64-bit kernel's machine, as wheels for a 32-bit Python on it call theirs.
_NARROW = {"aarch64": "armv7l", "armv8l": "armv7l", "x86_64": "i686"}
# ARM11's core designs ("CPU implementer" and "CPU part"): Armv6, whatever the kernel calls the machine.
_ARMV6 = ("0x41 0xb02", "0x41 0xb36", "0x41 0xb56", "0x41 0xb76")


def candidates(backend: str, facts: Facts, index: Index | None = None) -> list[Pin]:
    """The pins that fit a board and find there all that they import, best first.

    Args:
        backend: A backend's name.
        facts: The board's, from ``Agent.facts``.
        index: The user's own, which may give what the board lacks.

    Returns:
        Each with what the board lacks for it; the index has to give it, or gave it before.

    Raises:
        DeviceError: None fits, or what fits lacks something there; it says why.
    """
    pins, able = fitting(backend, _platform(backend, facts)), []
    for pin in pins:
        lacking = tuple(need for need in pin.needs if need.lacking(facts))
        if not lacking or index or kept([need.text for need in lacking], pin.platform):
            able.append(pin._replace(lacking=lacking))
    if able:
        return able
    lacked = next(need for need in pins[0].needs if need.lacking(facts))
    raise DeviceError(f"{pins[0].name} {lacked.lacking(facts)}", remedy(lacked, facts))


def fits(backend: str, facts: Facts) -> bool:
    """Whether there is a runtime for a board's system and processor, all that it imports being there."""
    try:
        return bool(fitting(backend, _platform(backend, facts)))
    except DeviceError:
        return False


def machine_of(facts: Facts) -> str:
    """What a board's programs are made for: of a 32-bit Python on a 64-bit kernel, the 32-bit machine."""
    machine = str(facts.machine)
    return _NARROW.get(machine, machine) if facts.python_bits == NARROW else machine


def _platform(backend: str, facts: Facts) -> Platform:
    if facts.system != "Linux" or facts.python_implementation != "cpython":
        raise refused(backend, f"{facts.python_implementation} on {facts.system} is not supported")
    if facts.glibc is None:
        raise refused(backend, "the board's C library is not glibc, and wheels need glibc")
    machine = machine_of(facts)
    if machine.startswith("armv6") or any(part in _ARMV6 for part in facts.cpu_parts):
        core = f" ({facts.cpu})" if facts.cpu else ""
        raise DeviceError(
            f"no runtime for {backend} fits this board: its processor{core} is Armv6, and every runtime "
            "needs Armv7 or newer",
            "use a Raspberry Pi Zero 2 W, 3 or newer: a Pi 1 and a Zero without the 2 cannot run one",
        )
    return Platform(".".join(str(facts.python).split(".")[:2]), machine, facts.glibc)
