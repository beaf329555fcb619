"""The demo's bundles are made once."""

from __future__ import annotations

import pytest

from edgenet import cache
from edgenet.steps import embedded_bundles as module
from edgenet.steps.embedded_bundles import embedded_bundles


def test_they_are_made_once_and_again_where_they_are_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [bundle.digest for bundle in embedded_bundles()]
    compile = module.compile
    monkeypatch.setattr(module, "compile", None)
    kept = embedded_bundles()
    assert [bundle.manifest.precision for bundle in kept] == ["int8", "fp32"]
    assert [bundle.digest for bundle in kept] == made
    files = list((cache._folder() / "bundles").iterdir())
    assert len(files) == 2
    for path in files:
        path.write_bytes(path.read_bytes()[:-100])
    monkeypatch.setattr(module, "compile", compile)
    assert [bundle.digest for bundle in embedded_bundles()] == made
