"""The fastest of several ways is found and kept, for each case."""

from __future__ import annotations

from edgenet.agent.resample.trial import CASES, ROUNDS, Trial


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_fastest_stays() -> None:
    clock, seen = Clock(), []

    def way(name: str, seconds: dict[str, float]):
        def run(case: str) -> str:
            seen.append(name)
            clock.now += seconds[case]
            return case.upper()

        return run

    trial = Trial(way("one", {"a": 1.0, "b": 3.0}), way("other", {"a": 2.0, "b": 2.0}), clock=clock)
    for case, best in (("a", "one"), ("b", "other")):
        assert [trial(case, case) for _ in range(2 * ROUNDS)] == [case.upper()] * 2 * ROUNDS
        assert seen == ["one", "other"] * ROUNDS
        seen.clear()
        assert {trial(case, case) for _ in range(5)} == {case.upper()}
        assert seen == [best] * 5
        seen.clear()


def test_one_slow_call_does_not_decide() -> None:
    clock, times = Clock(), iter([9.0, 2.0, 1.0, 2.0, 1.0, 2.0])

    def run(case: str) -> None:
        clock.now += next(times, 0.0)

    def other(case: str) -> None:
        clock.now += next(times, 0.0)

    trial = Trial(run, other, clock=clock)
    for _ in range(2 * ROUNDS):
        trial("a", "a")
    assert trial._cases["a"] is run


def test_not_every_case_is_remembered() -> None:
    trial = Trial(lambda: 1, lambda: 1)
    for case in range(3 * CASES):
        trial(case)
    assert len(trial._cases) <= CASES
