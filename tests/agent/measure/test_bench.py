"""The measuring loops, with a clock that only moves when the model runs: nothing here depends on time."""

import gc
import itertools

import numpy as np
import pytest
from edgenet_agent import preprocess, tasks
from edgenet_agent.measure import bench
from edgenet_agent.measure.frames import Frames

READER = tasks.reader({"output": {"dtype": "int8"}, "labels": ["cat", "dog", "owl"]})
SPEC = {"size": [2, 2], "resize": "none", "interpolation": "bilinear"}


class Clock:
    def __init__(self, costs):
        self.now, self.costs, self.calls = 100.0, costs, 0

    def __call__(self):
        return self.now

    def call(self):
        self.now += self.costs(self.calls)
        self.calls += 1


def limits(**protocol):
    return bench.Limits(protocol)


def test_every_run_is_kept_as_it_was():
    clock = Clock(lambda n: 1.0 + n)
    samples, runs, stride = bench.measure(
        clock.call, limits(min_runs=4, max_seconds=1e9), lambda *_: None, clock
    )
    assert (list(samples), runs, stride) == ([1.0, 2.0, 3.0, 4.0], 4, 1)


def test_runs_and_seconds_must_both_be_reached():
    clock = Clock(lambda n: 1.0)
    assert bench.measure(clock.call, limits(min_runs=3, min_seconds=9.5), lambda *_: None, clock)[1] == 10
    assert bench.measure(clock.call, limits(min_runs=30, min_seconds=9.5), lambda *_: None, clock)[1] == 30


def test_a_slow_model_stops_at_max_seconds():
    clock = Clock(lambda n: 10.0)
    assert bench.measure(clock.call, limits(min_runs=1000, max_seconds=60), lambda *_: None, clock)[1] == 6


def test_samples_fit_one_frame(monkeypatch):
    monkeypatch.setattr(bench, "MAX_RUNS", 7)
    clock = Clock(lambda n: 1.0 + n)
    samples, runs, stride = bench.measure(
        clock.call, limits(min_runs=100, max_seconds=1e9), lambda *_: None, clock
    )
    assert runs == 100
    assert len(samples) < 7
    assert [second % stride for second in samples] == [0] * len(samples), "every stride-th run, evenly"
    assert samples[-1] > 100 - 2 * stride
    assert 2 * 8 * 500000 <= 8 << 20


def test_warm_up_goes_on_until_steady():
    clock = Clock(lambda n: 2.0 if n < 20 else 1.0)
    told = bench.warm_up(clock.call, limits(warmup_s=20), clock)
    assert told["steady"]
    assert clock.calls == told["runs"]
    falling = Clock(lambda n: 0.9**n + 0.001)
    told = bench.warm_up(falling.call, limits(warmup_s=0.5), falling)
    assert not told["steady"]
    assert 1.5 <= told["seconds"] < 4


def test_no_warm_up_is_one_call():
    clock = Clock(lambda n: 1.0)
    assert bench.warm_up(clock.call, limits(), clock) == {"seconds": 1.0, "runs": 1, "steady": False}


class Model:
    """Counts and answers the class that the first pixel says."""

    def __init__(self):
        self.invocations = 0

    def set_input(self, pixels):
        self.pixels = pixels

    def invoke(self):
        self.invocations += 1

    def output(self):
        return np.eye(3, dtype=np.int8)[self.pixels[0, 0, 0, 0]]


def image(value):
    return preprocess.encode_ppm(np.full((2, 2, 3), value, np.uint8))


def frames(*values):
    return Frames([image(value) for value in values], SPEC)


def test_pipeline_goes_from_bytes_to_label():
    pipeline = bench.Pipeline(Model(), frames(0, 2), READER)
    labels = []
    for _ in range(3):
        pipeline()
        labels.append(pipeline.label)
    assert labels == ["cat", "owl", "cat"]
    parts = pipeline.parts_ms(3)
    assert set(parts) == {"decode", "fit", "invoke", "post"}
    assert all(ms > 0 for ms in parts.values())


def test_run_gives_both_stages_and_what_the_board_felt():
    told = []
    protocol = {"min_runs": 5, "min_seconds": 0, "warmup_s": 0}
    facts, samples = bench.run(Model(), frames(1), READER, protocol, lambda *event: told.append(event))
    assert facts["runs"] == {"model": 5, "pipeline": 5}
    assert len(samples) == 10
    assert facts["label"] == "dog"
    assert set(facts["parts_ms"]) == {"decode", "fit", "invoke", "post"}
    others = {"other_cpu", "other_memory_mb", "page_faults"}
    assert {"before", "idle", "during", "after"} | others == set(facts["sensors"])


def test_without_the_pipeline():
    facts, samples = bench.run(
        Model(), frames(1), READER, {"min_runs": 5, "pipeline": False}, lambda *_: None
    )
    assert facts["runs"] == {"model": 5}
    assert len(samples) == 5
    assert "parts_ms" not in facts


def test_the_collector_does_not_run_while_measuring():
    class Watching(Model):
        def invoke(self):
            assert not gc.isenabled()

    bench.run(Watching(), frames(1), READER, {"min_runs": 3}, lambda *_: None)
    assert gc.isenabled()


def test_the_collector_is_back_after_a_failure():

    class Broken(Model):
        def invoke(self):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        bench.run(Broken(), frames(1), READER, {}, lambda *_: None)
    assert gc.isenabled()


def test_the_fastest_of_many_calls():
    clock = Clock(lambda n: 5.0 if n == 0 else 1.0 + n % 3)
    assert bench.fastest(clock.call, 0, 6, clock) == 1000.0


def test_other_programs_are_seen(monkeypatch):
    told = iter([100.0, 103.0])
    monkeypatch.setattr(bench.sensors, "other_cpu_s", lambda: next(told))
    facts, _ = bench.run(Model(), frames(1), READER, {"min_runs": 3, "pipeline": False}, lambda *_: None)
    assert facts["sensors"]["other_cpu"] > 10, "three seconds within a few milliseconds"


def test_memory_that_others_take_is_told_without_our_own(monkeypatch):
    there = itertools.chain([1000.0, 700.0], itertools.repeat(900.0))
    monkeypatch.setattr(bench.sensors, "read", lambda *_: {"memory_available_mb": next(there)})
    monkeypatch.setattr(bench.memory, "rss_mb", lambda: 50.0)
    monkeypatch.setattr(bench.memory, "peak_mb", lambda: 90.0)
    faults = iter([7, 19])
    monkeypatch.setattr(bench.memory, "page_faults", lambda: next(faults))
    # The model runs until the watch has read once: before, during, after.
    protocol = {"min_runs": 1, "min_seconds": bench.PROGRESS_S * 1.5, "pipeline": False}
    facts, _ = bench.run(Model(), frames(1), READER, protocol, lambda *_: None)
    assert facts["sensors"]["other_memory_mb"] == 300.0 - 40.0
    assert facts["sensors"]["page_faults"] == 12


def test_memory_that_is_not_told_is_absent(monkeypatch):
    monkeypatch.setattr(bench.sensors, "read", lambda *_: {})
    monkeypatch.setattr(bench.memory, "page_faults", lambda: None)
    facts, _ = bench.run(Model(), frames(1), READER, {"min_runs": 3, "pipeline": False}, lambda *_: None)
    assert facts["sensors"]["other_memory_mb"] is None
    assert "page_faults" not in facts["sensors"]


def test_the_waiting_board_is_read_only_where_it_tells_its_power(monkeypatch):
    monkeypatch.setattr(bench, "IDLE_S", 0.001)
    assert bench._idle({}, 1.0) == []
    assert len(bench._idle({"power_w": 2.0}, 0.004)) == 4


def test_the_pipeline_may_run_longer_than_the_model():
    protocol = {"min_runs": 1, "min_seconds": 0.0, "pipeline_s": 0.2, "max_seconds": 5.0}
    facts, samples = bench.run(Model(), frames(0, 2), READER, protocol, lambda *_: None)
    assert facts["runs"]["model"] == 1
    assert sum(samples[1:]) > 0.15


def test_a_pipeline_longer_than_the_limit_is_still_measured_so_long():
    assert bench.Limits({"max_seconds": 1.0}).at_least(3.0).most == 3.0
    assert bench.Limits({"min_seconds": 2.0}).at_least(0.0).seconds == 2.0
