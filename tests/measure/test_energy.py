"""Joules a frame from recorded boards; the long run, the threads and the starts from injected courses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from edgenet.agent.facts import cpu, sensors
from edgenet.devices.answers import Loaded
from edgenet.drift import Drift
from edgenet.facts import Facts
from edgenet.measure.cold_start import cold_start
from edgenet.measure.energy import energy
from edgenet.measure.steady_state import settled
from edgenet.measure.thread_sweep import sweep
from edgenet.measure.verdict import judge
from edgenet.measured import Sensors
from edgenet.protocol import Protocol
from edgenet.views.sections import threads
from tests import reports
from tests.boards import recorded

DRIFT = Drift.from_table(reports.DRIFT)


def readings(name: str, folder: Path, scale: float = 1.0) -> dict[str, Any]:
    """What a recorded board's sensors say, its power times ``scale``."""
    here = recorded.load(name, folder)
    reading = sensors.read(here.root, here.run)
    if "power_w" in reading:
        reading["power_w"] *= scale
    return reading


def bench(before: dict[str, Any], busy: dict[str, Any], **changes: Any) -> Any:
    during = [{**busy, "stage": "model", "stage_s": at + 0.5} for at in range(8)]
    values = {
        "model_ms": np.full(200, 20.0),
        "pipeline_ms": np.empty(0),
        "warmup": {},
        "stride": {},
        "sensors": Sensors.from_table(
            {"before": before, "idle": [before] * 6, "during": during, "after": before}
        ),
    }
    return SimpleNamespace(**{**values, **changes})


@pytest.mark.parametrize(
    ("name", "source"),
    [("pi-5", "sum of 12 PMIC rails"), ("orin-nano", "VDD_IN"), ("jetson-nano", "POM_5V_IN")],
)
def test_joules_a_frame_of_recorded_boards(name: str, source: str, tmp_path: Path) -> None:
    """A frame of 20 ms at two and a half times the waiting board's power costs 1.5 x idle x 0.02 s."""
    idle = readings(name, tmp_path / "idle")
    got = energy(bench(idle, readings(name, tmp_path / "busy", 2.5)))
    assert got.joules_per_frame == pytest.approx(1.5 * idle["power_w"] * 0.02)
    assert got.model.total_joules_per_frame == pytest.approx(2.5 * idle["power_w"] * 0.02)
    assert got.idle_w == pytest.approx(idle["power_w"])
    assert got.rate_hz == pytest.approx(1.0)
    assert got.source == source
    assert "1.0 times a second" in got.summary


def test_without_a_sensor_there_is_a_reason(tmp_path: Path) -> None:
    board = readings("pi-4", tmp_path)
    assert energy(bench(board, board)).absent
    powered = readings("orin-nano", tmp_path / "o")
    unread = bench(powered, powered)
    unread.sensors = replace(unread.sensors, idle=())
    assert "idle_s" in energy(unread).absent


def test_throttling_that_a_board_recorded_is_named(tmp_path: Path) -> None:
    calm = readings("pi-5", tmp_path / "calm")
    recorded.load("pi-4", tmp_path)
    (tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled").write_text("20004\n")
    here = recorded.load("pi-5", tmp_path / "other")
    hot = sensors.read(str(tmp_path), here.run)
    assert hot["throttled_now"] == ["throttled"]
    assert judge(bench(calm, hot), DRIFT, None, None).state == "THROTTLED"
    assert judge(bench(calm, calm), DRIFT, None, None).state == "VALID"


def test_a_noisy_neighbor_is_named() -> None:
    run = bench({}, {})
    run.sensors = replace(run.sensors, other_cpu=0.62)
    got = judge(run, DRIFT, None, None)
    assert (got.state, got.reasons) == ("NOISY", ("other programs kept 0.62 of a core busy",))


@pytest.mark.parametrize(
    ("available", "taken", "reasons"),
    [
        (200.0, 19.0, []),
        (200.0, 21.0, ["other programs took 21 of 200 MB of available memory"]),
        (8000.0, 255.0, []),
        (8000.0, 300.0, ["other programs took 300 of 8000 MB of available memory"]),
        (None, 300.0, []),
    ],
)
def test_a_memory_hog_is_named(available: float | None, taken: float, reasons: list[str]) -> None:
    run = bench({"memory_available_mb": available}, {})
    run.sensors = replace(run.sensors, other_memory_mb=taken)
    got = judge(run, DRIFT, None, None)
    assert (got.state, list(got.reasons)) == ("NOISY" if reasons else "VALID", reasons)


def test_pages_read_again_from_storage_are_named() -> None:
    run = bench({}, {})
    run.sensors = replace(run.sensors, page_faults=10)
    assert judge(run, DRIFT, None, None).state == "VALID"
    run.sensors = replace(run.sensors, page_faults=240)
    (reason,) = judge(run, DRIFT, None, None).reasons
    assert reason == "memory was short: 240 times the model's process waited for a page from storage"


def test_clocks_that_move_are_noted_but_no_fault() -> None:
    run = bench({"governor": "ondemand"}, {"cpu_mhz": [600, 1500]})
    slow = replace(run.sensors.during[3], cpu_mhz=(600, 1000))
    run.sensors = replace(run.sensors, during=(*run.sensors.during, slow))
    got = judge(run, DRIFT, None, None)
    assert got.state == "VALID"
    assert list(got.notes) == [
        "the governor is ondemand: the clock follows the load",
        "the fastest core ran between 1000 and 1500 MHz",
    ]


def test_processor_time_of_others_is_read_from_proc_stat(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("cpu  100 20 30 9000 50 4 6 40 7 8\ncpu0 1 2 3\n")
    monkeypatch.setattr(sensors.os, "sysconf", lambda _: 100)
    own = sensors.os.times()
    assert sensors.other_cpu_s(str(tmp_path)) == pytest.approx(2.0 - own.user - own.system, abs=0.1)
    assert sensors.other_cpu_s(str(tmp_path / "none")) is None


LONG = Protocol("sustained", "s", 0.0, 600.0, 10, 1200.0, 0, False, 0.0)


def test_a_board_that_gets_hot_settles_lower() -> None:
    """50 FPS for 200 s, then 35: the level and the moment are found, whatever the stride."""
    course = np.concatenate([np.full(10_000, 20.0), np.full(14_000, 1000 / 35)])
    for stride in (1, 4):
        got = settled(bench({}, {}, model_ms=course[::stride], stride={"model": stride}), LONG)
        assert got is not None
        assert got.first_fps == pytest.approx(50, rel=0.01)
        assert got.settled_fps == pytest.approx(35, rel=0.01)
        assert got.ratio == pytest.approx(0.7, rel=0.01)
        assert 200 <= got.settled_after_s <= 230
    assert settled(bench({}, {}), LONG) is None


class Opened:
    """A session that takes 8 ms over the threads, but not under 3 ms."""

    starts = 0
    on: ClassVar[list[list[int] | None]] = []

    def __init__(self, threads: int, on: list[int] | None) -> None:
        Opened.starts += 1
        Opened.on.append(on)
        self._ms = max(8.0 / threads, 3.0)
        first = 50.0 if Opened.starts == 1 else 5.0
        times = {"start_ms": 40.0, "import_ms": 100.0, "load_ms": first, "first_run_ms": 10.0}
        self.loaded = Loaded(runtime_version="1", memory_mb={}, **times)

    def bench(self, *_: Any) -> Any:
        return SimpleNamespace(model_ms=np.full(40, self._ms))

    def close(self) -> None:
        del self.loaded


def test_the_fewest_threads_that_are_fastest_win() -> None:
    opener: Any = Opened
    got = sweep(opener, Facts(cores=4), [], lambda *_: None)
    assert [row.threads for row in got.tried] == [1, 2, 3, 4]
    assert got.best == 3
    many = sweep(opener, Facts(cores=12), [], lambda *_: None)
    assert [row.threads for row in many.tried] == [1, 2, 4, 6, 8, 12]
    assert {row.on for row in many.tried} == {None}


def test_where_cores_differ_threads_run_on_the_strongest(tmp_path: Path) -> None:
    """An RK3588: cores 0 to 3 are small, 4 to 7 are strong (its device tree's capacities and clocks)."""
    recorded.write_tree(recorded.HERE / "rk3588/cpu.txt", tmp_path)
    told = {**cpu.facts(str(tmp_path)), "cores": 8}
    assert told["clusters"] == [
        {"cores": [4, 5, 6, 7], "cpu": "Cortex-A76", "capacity": 1024, "max_mhz": 2400},
        {"cores": [0, 1, 2, 3], "cpu": "Cortex-A55", "capacity": 397, "max_mhz": 1800},
    ]
    opener: Any = Opened
    Opened.on.clear()
    got = sweep(opener, Facts.from_table(told), [], lambda *_: None)
    assert [row.cores for row in got.tried][::3] == [(4,), (4, 5, 6, 7), (4, 5, 6, 7, 0, 1, 2)]
    assert [list(row.cores or ()) for row in got.tried] == Opened.on
    on = {row.threads: row.on for row in got.tried}
    assert (on[2], on[6]) == ("2 × Cortex-A76", "4 × Cortex-A76, 2 × Cortex-A55")
    assert got.chosen.cores == (4, 5, 6)
    assert threads(got.tried[5]) == "6 threads on 4 × Cortex-A76, 2 × Cortex-A55"


def test_cores_that_may_not_be_used_are_not_named(tmp_path: Path) -> None:
    recorded.write_tree(recorded.HERE / "rk3588/cpu.txt", tmp_path)
    opener: Any = Opened
    got = sweep(opener, Facts.from_table({**cpu.facts(str(tmp_path)), "cores": 6}), [], lambda *_: None)
    assert {row.on for row in got.tried} == {None}


def test_cold_starts_tell_the_first_apart() -> None:
    Opened.starts = 0
    opener: Any = Opened
    got = cold_start(opener, 1, 4, lambda *_: None)
    assert got.first_ms == 200.0
    assert (got.p50_ms, got.max_ms) == (155.0, 155.0)
