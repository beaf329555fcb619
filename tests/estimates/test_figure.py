"""Published and recorded times as figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgenet.estimates.figure import RECORDED, published_figures, recorded_figures
from edgenet.published import published_latencies
from tests.reports import report

FACTS = {"cores": 4, "clock_max_mhz": 1700, "machine": "aarch64", "cpu": "Cortex-A72", "board": "Pi"}


def written(folder: Path, name: str, **changes: Any) -> Path:
    made = report(p50=12.5).to_table()
    made["bundle"] |= {"model": "v1-0.25-128"} | changes.pop("bundle", {})
    made["device"] = {"name": "pi", "target": "raspberry-pi-4", "facts": FACTS} | changes.pop("device", {})
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**made, **changes}))
    return path


def test_published_ones_are_all_but_those_of_gpus() -> None:
    found = published_figures()
    assert len(found) == sum(not row.gpu for row in published_latencies())
    kernels = {item.kernels for item in found}
    assert {"tflite", "ncnn"} <= kernels
    assert not kernels & {"xnnpack", "tensorrt", "ncnn-vulkan"}


def test_a_report_of_a_named_network_counts_at_the_clock_the_board_told(tmp_path: Path) -> None:
    path = written(tmp_path, "a")
    (found,), left = recorded_figures([path])
    assert left == ()
    assert (found.network.name, found.kernels, found.precision, found.kind) == (
        "v1-0.25-128", "tflite", "int8", RECORDED,
    )  # fmt: skip
    assert found.ms == pytest.approx(12.5, abs=0.05)
    assert (found.machine.name, found.core, found.machine.cpu.clock_mhz) == (
        "raspberry-pi-4", "Cortex-A72", 1700,
    )  # fmt: skip
    assert found.source == str(path)


def test_a_report_of_this_machine_counts_by_what_it_told(tmp_path: Path) -> None:
    device = {"target": "local", "facts": {**FACTS, "cpu": "Some CPU", "isa": ["avx2"], "machine": "x86_64"}}
    (found,), _ = recorded_figures([written(tmp_path, "a", device=device)])
    assert (found.machine.name, found.core, found.machine.cpu.isa) == ("Pi", "Some CPU", ("avx2",))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"bundle": {"model": "flowers"}}, "no network of the papers"),
        ({"verdict": {"state": "THROTTLED", "reasons": [], "limits": []}}, "THROTTLED"),
        ({"verdict": {"state": "EMULATED", "reasons": [], "limits": []}}, "EMULATED"),
        ({"bundle": {"backend": "tensorrt"}}, "GPU"),
        ({"bundle": {"precision": "int8-dynamic"}}, "int8-dynamic"),
        ({"device": {"target": "local", "facts": {"cores": 4}}}, "clock"),
        ({"device": {"target": "nowhere"}}, "nowhere"),
        ({"device": {"facts": {}}}, "cores"),
        ({"schema": 99}, "schema"),
        ({"kind": "estimated"}, "ESTIMATED"),
    ],
)
def test_other_reports_are_left_out_with_the_reason(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    path = written(tmp_path, "a", **changes)
    found, (left,) = recorded_figures([path])
    assert found == ()
    assert str(path) in left
    assert why in left
