"""Fleets' reports made by hand, for what reads, compares and shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgenet.fleet_report import DONE, FAILED, SCHEMA, UNREACHABLE, FleetBoard, FleetReport
from edgenet.report import Report
from tests.reports import CALM, report

PI: dict[str, Any] = {
    "board": "Raspberry Pi 4 Model B Rev 1.5", "cpu": "Cortex-A72", "cores": 4, "python": "3.11.2",
    "clock_max_mhz": 1800, "clock_s": 1.7e9, "os": "Debian GNU/Linux 12", "kernel": "6.6.31",
    "runtimes": {"tflite": "2.14.0"},
}  # fmt: skip


def one(
    p50: float = 20.0,
    seed: int = 0,
    *,
    target: str = "raspberry-pi-4",
    facts: Mapping[str, Any] | None = None,
    heat: float = 55.0,
    governor: str = "performance",
    **changes: Any,
) -> Report:
    """A report of a board, whose samples lie around ``p50`` ms."""
    calm = {**CALM, "temperature_c": heat, "governor": governor}
    sensors = {"before": calm, "during": [{**calm, "time_s": 2.0}], "after": {**calm, "time_s": 3.0}}
    device = {"name": "b", "target": target, "facts": {**PI, **(facts or {})}}
    return report(p50, seed, **{"device": device, "sensors": sensors, **changes})


def board(name: str, found: Report | None = None, **changes: Any) -> FleetBoard:
    """A board with its report, or one that was not reached."""
    lost: dict[str, Any] = {
        "state": UNREACHABLE, "exit_code": 3, "reason": "no route to host", "remedy": "switch it on",
    }  # fmt: skip
    known: dict[str, Any] = {"state": DONE, "exit_code": 0, "report": found} if found else lost
    target = found.device.target if found else None
    values = {"board": name, "device": f"pi@{name}", "seconds": 9.0, "target": target, **known, **changes}
    return FleetBoard(**values)


def fleet(boards: Sequence[FleetBoard] | None = None, at: float = 1.75e9) -> FleetReport:
    """Of given boards; else six Pi 4 of which one is slow, two Pi 5, one that failed and one that is away."""
    return FleetReport(schema=SCHEMA, at=at, boards=tuple(_some() if boards is None else boards))


def _some() -> list[FleetBoard]:
    throttled = {"state": "THROTTLED", "reasons": ["the board reported: throttled"], "limits": []}
    five = {"board": "Raspberry Pi 5 Model B Rev 1.0", "clock_max_mhz": 2400}
    slow = one(31.0, 9, heat=82.0, governor="powersave", verdict=throttled)
    return [
        *(board(f"kitchen-{at}", one(20.0 + at / 50, at), tags=("kitchen",)) for at in range(5)),
        board("kitchen-hot", slow, tags=("kitchen", "south")),
        *(board(f"hall-{at}", one(7.0 + at, at, target="raspberry-pi-5", facts=five)) for at in range(2)),
        board(
            "cellar", state=FAILED, exit_code=1, reason="the card is full", remedy="edgenet prune --keep 1"
        ),
        board("shelf", tags=("spare",)),
    ]
