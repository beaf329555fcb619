"""Short rounds on a board that is a double: turns, throttling, cells that fail and a cable that is pulled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgenet.bundle import Bundle
from edgenet.errors import ConnectionLost, DeviceError
from edgenet.frame import Frame
from edgenet.measured import Reading, Sensors
from edgenet.model import Model
from edgenet.protocol import Protocol
from edgenet.report import latency
from edgenet.steps.compile import compile
from edgenet.sweeps import screening
from edgenet.sweeps.long_run import sustained
from edgenet.sweeps.screening import Screening, ScreenJob, Turn, screen
from tests.reports import report


class Board:
    """An agent that runs whatever it gets; each bench takes the next of ``script``: ms, or what it raises."""

    name = "pi"

    def __init__(self, script: list[Any], emulated: bool = False) -> None:
        self.script, self.benched, self.emulated = script, [], emulated
        self.throttled: tuple[str, ...] = ()

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None: ...

    def facts(self) -> Any:
        return SimpleNamespace(cores=4, emulated=self.emulated)

    def open(self, _digest: None, threads: int, manifest: Any) -> Any:
        self.opened = (manifest["name"], threads)
        loaded = SimpleNamespace(decodes=("jpeg", "ppm"))
        return SimpleNamespace(loaded=loaded, bench=self.bench, replay=self.replay, close=lambda: None)

    def replay(self, images: list[bytes]) -> Iterator[Any]:
        name, _ = self.opened
        golden = self.golden[name]
        assert len(images) == len(golden)
        return (SimpleNamespace(output=row) for row in golden)

    def bench(self, rules: Any, frames: Any, frame: Frame) -> Any:
        assert frames
        assert str(frame) == "jpeg 160x120"
        step = self.script.pop(0)
        self.benched.append(self.opened)
        if isinstance(step, Exception):
            raise step
        ms, throttled = step if isinstance(step, tuple) else (step, ())
        now = Reading(throttled_now=throttled or None)
        return SimpleNamespace(
            model_ms=np.full(20, ms / 2),
            pipeline_ms=np.full(20, float(ms)),
            memory_mb={"peak": 50.0},
            sensors=Sensors(after=now),
        )


@pytest.fixture(scope="module")
def bundles(model: Model, photos: Path) -> list[bytes]:
    return [
        compile(model, "local", backend, "fp32", calibration=photos).data
        for backend in ("tflite", "onnxruntime")
    ]


@pytest.fixture
def on(bundles: list[bytes], monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(board: Board, *turns: tuple[int, int]) -> Screening:
        parsed = [Bundle.parse(data) for data in bundles]
        board.golden = {bundle.name: bundle.array("golden/artifact.npy") for bundle in parsed}  # type: ignore[attr-defined]
        monkeypatch.setattr(screening, "connect", lambda device: board)
        monkeypatch.setattr(screening, "REST_S", 0.0)
        monkeypatch.setattr(screening, "brought", lambda agent, bundle, *_: {"name": bundle.name})
        cells = tuple(Turn(bundles[index], 0, rounds) for index, rounds in turns)
        return screen(ScreenJob("pi", cells, Protocol.load("screening"), Frame(160, 120)))

    return run


def test_cells_take_turns(on: Any) -> None:
    board = Board([10.0, 20.0, 11.0, 21.0, 12.0])
    found = on(board, (0, 3), (1, 2))
    assert [name for name, _ in board.benched] == [board.benched[i % 2][0] for i in range(4)] + [
        board.benched[0][0]
    ]
    assert [cell.rounds_ms for cell in found.cells] == [(10.0, 11.0, 12.0), (20.0, 21.0)]
    assert all(cell.identical and cell.ran and cell.threads == 4 for cell in found.cells)
    assert found.cells[0].memory_mb == 50.0
    assert found.cells[0].p99_ms == pytest.approx(12.0)


def test_a_round_in_which_the_board_throttled_is_repeated_once_and_then_marked(on: Any) -> None:
    hot = (30.0, ("throttled",))
    once = on(Board([hot, 10.0, 11.0]), (0, 2))
    assert once.cells[0].rounds_ms == (10.0, 11.0)
    assert once.cells[0].throttled == ()
    always = on(Board([hot, hot, hot]), (0, 2))
    assert always.cells[0].rounds_ms == (30.0, 30.0)
    assert always.cells[0].throttled == ("throttled",)


def test_a_cell_that_fails_leaves_the_others(on: Any) -> None:
    found = on(Board([DeviceError("it died", "take another"), 20.0, 21.0]), (0, 2), (1, 2))
    assert found.cells[0].failure == "it died; take another"
    assert not found.cells[0].ran
    assert found.cells[1].rounds_ms == (20.0, 21.0)


def test_a_pulled_cable_keeps_the_rounds_that_were_done(on: Any) -> None:
    found = on(Board([10.0, ConnectionLost("pi: gone", "look")]), (0, 2), (1, 2))
    assert found.lost
    assert found.cells[0].rounds_ms == (10.0,)
    assert (found.cells[1].ran, found.cells[1].failure) == (False, None)
    with pytest.raises(ConnectionLost):
        on(Board([ConnectionLost("pi: gone", "look")]), (0, 2))


def test_an_emulated_board_runs_each_once_and_tells_no_times(on: Any) -> None:
    board = Board([900.0, 800.0], emulated=True)
    found = on(board, (0, 3), (1, 3))
    assert len(board.benched) == 2
    assert all(
        cell.ran and cell.identical and not cell.rounds_ms and cell.p99_ms is None for cell in found.cells
    )


def test_what_a_long_run_sustains_is_its_second_half() -> None:
    """A board that settles at 50 ms after it began with 20; the interval holds the mean and is narrow."""
    samples = np.concatenate([np.full(400, 20.0), np.random.default_rng(0).normal(50.0, 1.0, 400)])
    made = report(pipeline_ms={**latency(samples).to_table(), "parts": {"invoke": 1.0}})
    found = sustained(made)
    assert found is not None
    assert found.fps == pytest.approx(20.0, rel=0.01)
    assert found.interval[0] < 20.0 < found.interval[1]
    assert found.interval[1] - found.interval[0] < 0.3
    assert sustained(report(pipeline_ms=None)) is None
    assert sustained(report(verdict={"state": "EMULATED", "reasons": [], "limits": []})) is None
