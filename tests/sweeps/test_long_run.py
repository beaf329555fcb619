"""A finalist's long run: the better of two, and what it sustained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from edgenet.errors import DeviceError
from edgenet.frame import Frame
from edgenet.protocol import Protocol
from edgenet.report import Report, latency
from edgenet.sweeps import long_run
from edgenet.sweeps.long_run import LongJob, run_long, sustained
from tests.reports import report

JOB = LongJob(b"", "local", 1, Protocol.load("real-time"), Frame(640, 480), None)


def ran(state: str, spread: float = 0.1, **changes: Any) -> Report:
    samples = np.random.default_rng(1).normal(30.0, spread, 400)
    pipeline = {**latency(samples).to_table(), "parts": {"invoke": 1.0}}
    return report(**{"pipeline_ms": pipeline, "verdict": {"state": state}, **changes})


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (ran("VALID"), ran("VALID", 0.01), 0),
        (ran("NOISY"), ran("VALID", 5.0), 1),
        (ran("NOISY"), ran("NOISY", 5.0), 0),
        (ran("NOISY", 5.0), ran("NOISY"), 1),
        (ran("NOISY"), ran("NOISY", pipeline_ms=None), 0),
        (ran("NOISY", pipeline_ms=None), ran("NOISY", 5.0), 1),
        (ran("NOISY"), DeviceError("gone", "look"), 0),
    ],
)
def test_of_two_runs_the_better_is_kept(
    monkeypatch: pytest.MonkeyPatch, first: Report, second: Report | DeviceError, kept: int
) -> None:
    given: Iterator[Report | DeviceError] = iter((first, second))

    def once(job: LongJob) -> Report:
        found = next(given)
        if isinstance(found, DeviceError):
            raise found
        return found

    monkeypatch.setattr(long_run, "_once", once)
    assert run_long(JOB) is (first, second)[kept]


def test_sustained_is_of_the_last_half_and_its_interval_holds_the_mean() -> None:
    samples = np.r_[np.full(200, 10.0), np.random.default_rng(2).normal(50.0, 1.0, 200)]
    found = sustained(ran("VALID", pipeline_ms={**latency(samples).to_table(), "parts": {}}))
    assert found is not None
    low, high = found.interval
    assert low < 20.0 < high
    assert high - low < 0.4
    assert sustained(ran("VALID", pipeline_ms=None)) is None
