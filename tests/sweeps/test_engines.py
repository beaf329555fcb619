"""Which engine works on a sweep's jobs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from edgenet.errors import PlanError
from edgenet.sweeps import engines
from edgenet.sweeps.engine import Here
from edgenet.sweeps.engines import engine_for
from edgenet.sweeps.same_edgenet import different
from tests.sweeps import jobs

WITH = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="needs the extra sweep")


@WITH
def test_processes_where_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is started before the first job."""
    from edgenet.sweeps.on_dask import OnDask

    monkeypatch.setattr(engines, "usable_threads", lambda: 4)
    for engine in (
        engine_for(None, None, []),
        engine_for(None, 2, ["pi"]),
        engine_for("tcp://h:1", None, []),
    ):
        assert isinstance(engine, OnDask)
        assert list(engine.run(jobs.square, [])) == []
        engine.close()
    assert isinstance(engine_for(None, 1, []), Here)
    monkeypatch.setattr(engines, "usable_threads", lambda: 1)
    assert isinstance(engine_for(None, None, []), Here)


@pytest.mark.parametrize("name", engines.NEEDED)
def test_without_the_extra_one_after_another(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda item: None if item == name else find(item))
    monkeypatch.setattr(engines, "usable_threads", lambda: 4)
    engine = engine_for(None, None, ["pi"])
    assert isinstance(engine, Here)
    assert [item.value for item in engine.run(jobs.square, [1, 2, 3])] == [1, 4, 9]
    for asked in (("tcp://lab:8786", None), (None, 3)):
        with pytest.raises(PlanError, match=rf'needs Dask .*{name}.*pip install "edgenet\[sweep\]"'):
            engine_for(*asked, [])


def test_a_sweep_that_needs_no_cluster_does_not_load_one() -> None:
    code = "import sys; from edgenet.sweeps.engines import engine_for; engine_for(None, 1, [])"
    code += "; print('distributed' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_makes_results_others_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"edgenet": "0.1.0", "sources": "a", "machine": "x86_64", "numpy": "2.0"}
    monkeypatch.setattr("edgenet.sweeps.same_edgenet.made_by", lambda: here)
    assert different("w", here) == ("", "")
    cases = {
        "edgenet": ("w has edgenet 9, and here it is 0.1.0", "install the same edgenet there"),
        "sources": (
            "w has another edgenet of the same version 0.1.0: its files differ",
            "install the same edgenet there",
        ),
        "machine": (
            "w runs on 9, and here it is x86_64: their last bits differ",
            "use workers of one kind of machine",
        ),
        "numpy": ("w has numpy 9, and here it is 2.0", "install the same numpy there"),
    }
    for name, told in cases.items():
        assert different("w", here | {name: "9"}) == told
    assert different("w", {"edgenet": "0.1.0", "sources": "a", "machine": "x86_64"})[0].startswith(
        "w has numpy none"
    )


@WITH
@pytest.mark.parametrize(
    "address", ["nonsense", "lab:8786", "carrier://pigeon:1", "http://lab:8786", "tcp://lab", ""]
)
def test_an_address_is_one(address: str) -> None:
    with pytest.raises(PlanError, match="no address of a scheduler: write it as tcp://HOST:8786"):
        engine_for(address, None, [])
