"""Published figures: complete, ordered as they must be, and of networks that edgenet builds."""

from __future__ import annotations

import numpy as np
import pytest

from edgenet.library import names
from edgenet.published import (
    expected_drift,
    published_accuracies,
    published_accuracy,
    published_latencies,
)
from edgenet.zoo import mobilenet_v1, mobilenet_v2, mobilenet_v3
from edgenet.zoo.named import FAMILIES, NamedNetwork

V1 = {(alpha, side) for alpha in (1.0, 0.75, 0.5, 0.25) for side in (224, 192, 160, 128)}
V2 = {(alpha, side) for alpha in (1.0, 0.75, 0.5, 0.35) for side in (224, 192, 160, 128, 96)}
NETWORKS = {
    "v1": V1,
    "v2": V2 | {(1.4, 224), (1.3, 224)},
    "v3-large": {(1.0, 224), (0.75, 224)},
    "v3-small": {(1.0, 224), (0.75, 224)},
}
# Millions of parameters, 1,001 classes, from the same pages; V2 without batch normalization, V1 rounded up.
# V3-small's are the paper's (arXiv 1905.02244v5): the page still has 2.9 and 2.4, of its first version.
MILLIONS = {
    ("v1", 1.0): 4.24,
    ("v1", 0.75): 2.59,
    ("v1", 0.5): 1.34,
    ("v1", 0.25): 0.47,
    ("v2", 1.4): 6.06,
    ("v2", 1.3): 5.34,
    ("v2", 1.0): 3.47,
    ("v2", 0.75): 2.61,
    ("v2", 0.5): 1.95,
    ("v2", 0.35): 1.66,
    ("v3-large", 1.0): 5.4,
    ("v3-large", 0.75): 4.0,
    ("v3-small", 1.0): 2.5,
    ("v3-small", 0.75): 2.0,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_published_network_of_a_family_is_there_once(family: str) -> None:
    found = [(row.alpha, row.resolution) for row in published_accuracies() if row.family == family]
    assert sorted(found) == sorted(NETWORKS[family])


def test_figures_of_the_papers_pages() -> None:
    first = published_accuracy("v1", 1.0, 224)
    assert first is not None
    assert (first.top1, first.top5, first.int8_top1, first.int8_top5) == (0.709, 0.899, 0.697, 0.895)
    assert "mobilenet_v1.md" in first.source
    large = published_accuracy("v3-large", 1.0, 224)
    assert large is not None
    assert (large.top1, large.top5, large.int8_top1) == (0.752, None, 0.739)
    assert published_accuracy("v1", 0.35, 224) is None


@pytest.mark.parametrize("family", FAMILIES)
def test_wider_and_larger_networks_are_more_accurate(family: str) -> None:
    rows = [row for row in published_accuracies() if row.family == family]
    for row in rows:
        for other in rows:
            if other is not row and other.alpha >= row.alpha and other.resolution >= row.resolution:
                assert other.top1 > row.top1
                assert (other.top5 or 1.0) > (row.top5 or 0.0)


def test_shares_are_shares_and_8_bits_are_never_better() -> None:
    for row in published_accuracies():
        assert 0.4 < row.top1 < (row.top5 or 1.0) < 1.001
        assert row.int8_top1 is None or row.top1 - 0.03 < row.int8_top1 < row.top1
        assert (row.int8_top1 is None) or row.int8_source


@pytest.mark.parametrize(("family", "alpha"), MILLIONS)
def test_the_zoo_builds_the_networks_whose_parameters_were_published(family: str, alpha: float) -> None:
    build = {"v1": mobilenet_v1, "v2": mobilenet_v2}.get(family)
    size = "small" if family == "v3-small" else "large"
    proto = build(alpha, 32, 1001) if build else mobilenet_v3(size, alpha, 32, 1001)  # type: ignore[arg-type]
    plain = ("kernel", "bias") if family == "v2" else ("kernel", "bias", "gamma", "beta")
    numbers = sum(int(np.prod(item.dims)) for item in proto.graph.initializer if item.name.endswith(plain))
    assert abs(numbers / 1e6 - MILLIONS[family, alpha]) < (0.012 if build else 0.09)


def test_latencies_are_of_boards_and_networks_that_there_are() -> None:
    rows = published_latencies()
    targets = {row.machine.name for row in rows} & set(names("target"))
    assert {"raspberry-pi-zero-2w", "raspberry-pi-3b-plus", "raspberry-pi-4", "raspberry-pi-5"} <= targets
    assert {"jetson-nano", "jetson-tx2-nx", "jetson-orin-nano", "jetson-agx-orin"} <= targets
    for row in rows:
        assert row.family in FAMILIES
        assert row.precision in ("fp32", "fp16", "int8")
        assert row.backend in ("", "tflite", "onnxruntime", "tensorrt")
        assert row.ms > 0
        assert row.source
        assert row.machine.cpu.clock_mhz > 0
        assert row.threads <= row.machine.cpu.cores
        assert row.network == NamedNetwork(row.family, row.alpha, row.resolution).name


def test_a_figure_measured_at_another_clock_says_so() -> None:
    pi4 = {row.runtime: row for row in published_latencies() if row.machine.name == "raspberry-pi-4"}
    assert pi4["xnnpack"].machine.cpu.clock_mhz == 1500
    assert pi4["ncnn"].machine.cpu.clock_mhz == 1800


def test_what_int8_is_expected_to_cost_is_the_mean_of_what_was_measured() -> None:
    drift = expected_drift("v1", "int8")
    assert drift is not None
    assert drift.delta_pp == round((-0.5 - 0.3 + 0.0) / 3, 2)
    half = 100 * 1.959964 * ((0.048 + 0.021 + 0.016) / 1000) ** 0.5 / 3
    assert drift.interval_pp == pytest.approx((-0.8 / 3 - half, -0.8 / 3 + half), abs=0.01)
    assert drift.images == 1000
    assert "v1-0.75-224" in drift.source


def test_nothing_is_expected_where_nothing_was_measured() -> None:
    assert expected_drift("v3-large", "int8") is None
    assert expected_drift("v1", "fp16") is None
    small = expected_drift("v3-small", "int8")
    assert small is not None
    assert "signs" in small.source
