"""Where a verdict turns: each limit of a measurement on both of its sides."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgenet.drift import Loss
from edgenet.measure.verdict import judge
from edgenet.report import Verdict
from tests.measure.test_drift import bench, measured

CALM: dict[str, Any] = {"throttled_now": [], "temperature_c": 50.0}


def judged(**changes: Any) -> Verdict:
    return judge(bench(**{"pipeline_ms": np.full(100, 40.0), **changes}), measured(), None, None)


def halves(first: float, second: float, each: int = 50) -> np.ndarray:
    return np.concatenate([np.full(each, first), np.full(each, second)])


@pytest.mark.parametrize(
    ("samples", "shift"),
    [
        (halves(10.0, 10.49), None),
        (halves(10.0, 10.51), "+5.1 %"),
        (halves(10.0, 9.51), None),
        (halves(10.0, 9.49), "-5.1 %"),
        (halves(10.0, 10.51, each=10), "+5.1 %"),
        (halves(10.0, 10.51, each=10)[1:], None),
    ],
)
def test_the_median_may_move_by_five_percent_within_twenty_runs_and_more(
    samples: np.ndarray, shift: str | None
) -> None:
    got = judged(model_ms=samples)
    assert got.state == ("NOISY" if shift else "VALID")
    expected = f"the median moved by {shift} from the first to the second half"
    assert got.reasons == ((expected,) if shift else ())


@pytest.mark.parametrize(("outlier", "noisy"), [(59.5, False), (60.5, True)])
def test_the_mean_may_exceed_the_median_by_ten_percent(outlier: float, noisy: bool) -> None:
    """98 runs of 10 ms and one of 60 in each half: 11 ms."""
    half = np.array([10.0] * 49 + [outlier])
    got = judged(model_ms=np.concatenate([half, half]))
    expected = "interruptions made the mean 10 % longer than the median"
    assert got.reasons == ((expected,) if noisy else ())


@pytest.mark.parametrize(
    ("sensors", "reason"),
    [
        ({"other_cpu": 0.1}, None),
        ({"other_cpu": 0.11}, "other programs kept 0.11 of a core busy"),
        ({"page_faults": 10}, None),
        (
            {"page_faults": 11},
            "memory was short: 11 times the model's process waited for a page from storage",
        ),
        # A tenth of what was available, and no more than 256 MB.
        ({"available": 1000.0, "other_memory_mb": 100.0}, None),
        (
            {"available": 1000.0, "other_memory_mb": 101.0},
            "other programs took 101 of 1000 MB of available memory",
        ),
        ({"available": 10000.0, "other_memory_mb": 256.0}, None),
        (
            {"available": 10000.0, "other_memory_mb": 257.0},
            "other programs took 257 of 10000 MB of available memory",
        ),
        ({"other_memory_mb": 9000.0}, None),
        ({"available": 1000.0}, None),
    ],
)
def test_what_other_programs_may_do(sensors: dict[str, Any], reason: str | None) -> None:
    before = {**CALM, "memory_available_mb": sensors.pop("available", None)}
    got = judged(sensors={"before": before, "during": [CALM], "after": CALM, **sensors})
    assert got.state == ("NOISY" if reason else "VALID")
    assert got.reasons == ((reason,) if reason else ())


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        ([[600, 1000], [500, 950]], None),
        ([[600, 1000], [600, 949]], "the fastest core ran between 949 and 1000 MHz"),
        ([[0], [0]], None),
        ([[1], [0]], "the fastest core ran between 0 and 1 MHz"),
        ([None, [1000]], None),
    ],
)
def test_the_clock_of_the_fastest_core_may_fall_by_five_percent(rows: list[Any], note: str | None) -> None:
    during = [{**CALM, "cpu_mhz": row} for row in rows]
    got = judged(sensors={"before": CALM, "during": during, "after": CALM})
    assert got.state == "VALID", "it is told, and it is no fault"
    assert got.notes == ((note,) if note else ())


@pytest.mark.parametrize("governor", ["powersave", "performance", None])
def test_a_governor_that_follows_the_load_is_told(governor: str | None) -> None:
    got = judged(sensors={"before": {**CALM, "governor": governor}, "during": [CALM], "after": CALM})
    note = "the governor is powersave: the clock follows the load"
    assert got.notes == ((note,) if governor == "powersave" else ())


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_throttling_is_told_once_and_under_voltage_comes_first(moment: str) -> None:
    hot = {"throttled_now": ["throttled", "under-voltage", "throttled", "something else"]}
    sensors: dict[str, Any] = {"before": CALM, "during": [CALM], "after": CALM}
    sensors[moment] = [hot, hot] if moment == "during" else hot
    got = judged(sensors=sensors, warmup={"model": {"steady": False}})
    assert got.state == "UNDERVOLT"
    reported = ("the board reported: throttled", "the board reported: under-voltage")
    assert got.reasons == (*reported, "model: the warm-up did not become steady")
    assert judged(sensors={"other_cpu": None}).state == "VALID", "nothing was read"


def test_throttling_alone_is_no_under_voltage() -> None:
    hot = {"throttled_now": ["frequency capped"]}
    assert judged(sensors={"before": CALM, "during": [hot], "after": CALM}).state == "THROTTLED"


def test_what_meets_its_bound_is_within_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 8 to 10 is a quarter; 2, 2, 2 and 6 have a median of 2 and a mean of 3."""
    monkeypatch.setattr("edgenet.measure.verdict.DRIFT_OF_MEDIAN", 0.25)
    assert judged(model_ms=halves(8.0, 10.0)).state == "VALID"
    monkeypatch.setattr("edgenet.measure.verdict.DISTURBED", 0.5)
    assert judged(model_ms=np.array([2.0, 2, 2, 6])).state == "VALID"
    (reason,) = judged(model_ms=np.array([2.0, 2, 2, 6.8])).reasons
    assert reason == "interruptions made the mean 60 % longer than the median"


def test_an_unknown_warmup_is_no_noise() -> None:
    assert judged(warmup={"model": {"steady": None}}).state == "VALID"


@pytest.mark.parametrize(
    ("pipeline", "limit", "name", "value", "passed"),
    [
        (np.full(100, 40.0), 25.0, "pipeline FPS", 25.0, True),
        (np.full(100, 40.0), 25.1, "pipeline FPS", 25.0, False),
        (np.array([40.0, 60.0]), 20.0, "pipeline FPS", 20.0, True),
        (np.full(1, 40.0), 25.0, "pipeline FPS", 25.0, True),
        (np.empty(0), 100.0, "model FPS", 100.0, True),
    ],
)
def test_a_limit_of_fps_is_met_by_itself(
    pipeline: np.ndarray, limit: float, name: str, value: float, passed: bool
) -> None:
    (got,) = judge(bench(pipeline_ms=pipeline), measured(), limit, None).limits
    assert (got.name, got.limit, got.value, got.passed, got.note) == (name, limit, value, passed, None)


def test_an_emulated_board_meets_no_limit_of_fps() -> None:
    (got,) = judge(bench(pipeline_ms=np.full(100, 40.0)), measured(), 1.0, None, emulated=True).limits
    assert (got.value, got.passed, got.note) == (None, False, "an emulated board cannot settle this")


@pytest.mark.parametrize(
    ("lost", "interval", "limit", "passed", "settled"),
    [
        (0.5, None, 0.5, True, True),
        (0.51, None, 0.5, False, True),
        # The limit lies within the interval; its upper end settles it.
        (0.75, (0.5, 1.0), 0.5, False, False),
        (0.75, (0.5, 1.0), 0.99, True, False),
        (0.75, (0.5, 1.0), 1.0, True, True),
        (0.75, (0.5, 1.0), 0.49, False, True),
    ],
)
def test_a_limit_of_drift_is_met_by_itself(
    lost: float, interval: tuple[float, float] | None, limit: float, passed: bool, settled: bool
) -> None:
    loss = Loss("top-1 lost (pp)", lost, interval)
    drift: Any = SimpleNamespace(lost=lambda: loss, images=200, nothing=None)
    (got,) = judge(bench(), drift, None, limit).limits
    note = "200 images cannot settle this: the loss lies between 0.50 and 1.00 pp"
    assert (got.name, got.value, got.passed, got.images) == ("top-1 lost (pp)", lost, passed, 200)
    assert got.note == (None if settled else note)


def test_a_limit_says_where_nothing_could_be_lost() -> None:
    loss = Loss("boxes lost (pp)", 0.0, None)
    drift: Any = SimpleNamespace(lost=lambda: loss, images=200, nothing="the float model shows no box")
    (got,) = judge(bench(), drift, None, 0.5).limits
    assert (got.passed, got.note) == (True, "the float model shows no box")
