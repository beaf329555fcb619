"""Several bundles of one model on one board: the faster one is kept, and only if it is faster for sure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgenet.bundle import Bundle
from edgenet.devices.connect import connect
from edgenet.errors import DataError
from edgenet.model import Model
from edgenet.steps import fastest
from edgenet.steps.compile import compile


@pytest.fixture(scope="module")
def bundles(model: Model) -> list[Bundle]:
    return [compile(model, "local", backend, "fp32").bundle for backend in ("tflite", "onnxruntime")]


def current() -> str | None:
    with connect("local") as agent:
        return agent.deployments().current


def test_what_is_kept_follows_from_what_was_measured(home: Path, bundles: list[Bundle]) -> None:
    found = fastest.deploy_fastest([*bundles, bundles[0]])
    first, other = (found.rounds_ms[bundle.digest] for bundle in bundles)
    assert (len(first), len(other)) == (fastest.ROUNDS, fastest.ROUNDS)
    assert min(first + other) > 0
    kept = bundles[1] if max(other) < min(first) else bundles[0]
    assert found.deployment.digest == kept.digest == current()
    assert found.deployment.changed
    assert len(found.why) == 1


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ((2.0, 2.1, 2.2), (1.0, 1.1, 1.99), 1),
        ((2.0, 2.1, 2.2), (1.0, 1.1, 2.01), 0),
        ((2.0, 2.1, 2.2), (3.0, 3.1, 3.2), 0),
    ],
)
def test_only_beyond_noise(
    home: Path,
    bundles: list[Bundle],
    monkeypatch: pytest.MonkeyPatch,
    first: tuple[float, ...],
    second: tuple[float, ...],
    kept: int,
) -> None:
    rounds: Iterator[float] = (value for pair in zip(first, second, strict=True) for value in pair)
    monkeypatch.setattr(fastest, "_median_ms", lambda *_: next(rounds))
    found = fastest.deploy_fastest(bundles)
    assert found.deployment.digest == bundles[kept].digest == current()
    assert found.rounds_ms == {bundles[0].digest: first, bundles[1].digest: second}
    assert ("replaces" if kept else "is not faster beyond noise") in found.why[0]


def test_two_models(home: Path, model: Model, bundles: list[Bundle]) -> None:
    other = compile(replace(model, digest="1" * 64), "local", "tflite", "fp32").bundle
    with pytest.raises(DataError, match="not builds of one model"):
        fastest.deploy_fastest([bundles[0], other])
    assert current() is None
