"""Factors of channels, worked out by hand on a network of a few channels."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgenet.graph.graph import Graph
from edgenet.graph.passes.equalize import channel_groups
from edgenet.graph.passes.split_channels import depthwise_chains
from edgenet.quantize import equalization
from edgenet.quantize.calibration.channel_statistics import ChannelStatistics
from edgenet.quantize.equalization import (
    EqualizationResult,
    _balancing,
    _noise,
    balance,
    equalize,
    equalize_channels,
    split_channels,
    watched,
)
from edgenet.recipe import Recipe

# The largest weights of rows are 1 and 4, of columns 4 and 1.
MADE = np.array([[1.0, -0.30517578], [0.70710678, -4.0]])
READ = np.array([[4.0, 0.27182818], [-1.41421356, -1.0]])


def network(act: str, made: np.ndarray, *read: np.ndarray, top: float = 6.0, more: int = 0) -> Graph:
    """x → Conv (one, or several that are added) → activation → convolutions that are added."""
    channels = len(made)
    kernels = {"a0": made} | {f"a{number}": made[::-1] / 2 for number in range(1, more + 1)}
    kernels |= {f"b{number}": kernel for number, kernel in enumerate(read)}
    nodes, constants = (
        [],
        [numpy_helper.from_array(np.float32(value), name) for name, value in (("0", 0), ("top", top))],
    )
    for name, kernel in kernels.items():
        shaped = kernel.astype(np.float32)
        shaped = spread(shaped, 3 if name.startswith("b") else 1) if shaped.ndim == 2 else shaped
        constants += [
            numpy_helper.from_array(shaped, f"{name}/w"),
            numpy_helper.from_array(np.ones(len(kernel), np.float32), f"{name}/b"),
        ]
        if name == "b0":
            nodes += tail(act, more)
        source = "x" if name.startswith("a") else "act"
        options = {"group": channels} if shaped.shape[1] == 1 < channels else {}
        options |= {"pads": [side // 2 for side in shaped.shape[2:]] * 2}
        nodes.append(helper.make_node("Conv", [source, f"{name}/w", f"{name}/b"], [name], **options))
    last = "b0"
    for number in range(1, len(read)):
        nodes.append(helper.make_node("Sigmoid", [f"b{number}"], [f"s{number}"]))
        nodes.append(helper.make_node("Add", [last, f"s{number}"], [f"y{number}"]))
        last = f"y{number}"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 4, 4]) for name in ("x", last)
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
    return Graph(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]))


def spread(center: np.ndarray, size: int) -> np.ndarray:
    """[outputs, inputs, size, size] with these weights in the middle and smaller ones around, off every grid.

    Rows of halves are on one, and stay there: around them there is nothing.
    """
    around = np.random.default_rng(5).uniform(-0.9, 0.9, (*center.shape, size, size))
    around[:, :, size // 2, size // 2] = 1.0
    made = center[:, :, None, None] * around
    for row in np.flatnonzero((2 * center == np.round(2 * center)).all(axis=1)):
        made[row] = 0
        made[row, :, size // 2, size // 2] = center[row]
    return made.astype(np.float32)


def tail(act: str, more: int) -> list[NodeProto]:
    nodes, last = [], "a0"
    for number in range(1, more + 1):
        nodes.append(helper.make_node("Add", [last, f"a{number}"], [f"sum{number}"]))
        last = f"sum{number}"
    return [*nodes, helper.make_node(act, [last, "0", "top"] if act == "Clip" else [last], ["act"])]


def statistics(low: list[float], high: list[float]) -> ChannelStatistics:
    seen = ChannelStatistics("t", len(low))
    seen.low, seen.high = np.array(low, float), np.array(high, float)
    return seen


def kernel(graph: Graph, output: str) -> np.ndarray:
    (conv,) = (node for node in graph.nodes if node.output[0] == output)
    weights = graph.constants[conv.input[1]]
    return weights[:, :, weights.shape[2] // 2, weights.shape[3] // 2]


def scaled(graph: Graph, made: np.ndarray, read: np.ndarray) -> list[float]:
    """The factors that the kernels show, the same on both sides."""
    factors = (kernel(graph, "a0") / made)[:, 0]
    assert kernel(graph, "a0") == pytest.approx(made * factors[:, None], rel=1e-6)
    assert kernel(graph, "b0") == pytest.approx(read / factors[None, :], rel=1e-6)
    return [float(value) for value in factors]


class TestFillingTheRange:
    @pytest.mark.parametrize(
        ("act", "seen", "factors"),
        [
            ("Clip", {"act": ([0, 0], [3, 1.5])}, [2, 4]),
            # What is not limited fills what the largest has.
            ("Relu", {"act": ([0, 0], [3, 1.5])}, [1, 2]),
            # The larger side of zero, of all that belongs together.
            ("Relu", {"act": ([0, 0], [1, 2]), "a0": ([-4, 0], [1, 2])}, [1, 2]),
            # What exceeds the limit meets it.
            ("Clip", {"act": ([0, 0], [6, 1]), "a0": ([-8, 0], [7, 1])}, [1, 6]),
            # 0.01 % of the range is nothing.
            ("Clip", {"act": ([0, 0], [3, 0.00055])}, [2, 1]),
            ("Clip", {"act": ([0, 0], [3, 0.00065])}, [2, 6 / 0.00065]),
        ],
    )
    def test_every_channel_gets_the_factor_that_it_lacks(self, act: str, seen: dict, factors: list) -> None:
        graph, shaped = network(act, MADE, READ), EqualizationResult()
        equalize(graph, {name: statistics(*item) for name, item in seen.items()}, shaped)
        assert scaled(graph, MADE, READ) == pytest.approx(factors, rel=1e-6)
        assert shaped.limits == ({"act": 6.0} if act == "Clip" else {})
        assert (shaped.equalized, shaped.reused) == (len(seen), 0)

    def test_exactly_a_ten_thousandth_is_nothing(self) -> None:
        graph = network("Clip", MADE, READ, top=1.0)
        equalize(graph, {"act": statistics([0, 0], [0.5, 1e-4])}, EqualizationResult())
        assert scaled(graph, MADE, READ) == pytest.approx([2, 1])

    @pytest.mark.parametrize(("on_grid", "factors"), [((0, 1), [1, 1]), ((0,), [2, 4])])
    def test_one_reader_on_a_grid_is_enough_and_half_of_its_rows_is_not(
        self, on_grid: tuple[int, ...], factors: list[float]
    ) -> None:
        """Halves are integer numbers of steps; what is spread is not."""
        other = READ.copy()
        for row in on_grid:
            other[row] = [0.5, 1.0]
        graph = network("Clip", MADE, READ, other)
        equalize(graph, {"act": statistics([0, 0], [3, 1.5])}, EqualizationResult())
        assert scaled(graph, MADE, READ) == pytest.approx(factors)


class TestBalancing:
    def factors(self, graph: Graph, weight: float, *seen: ChannelStatistics) -> list[float]:
        (group,) = (group for group in channel_groups(graph) if "act" in group.tensors)
        return [float(value) for value in _balancing(graph, group, seen, weight)]

    @pytest.mark.parametrize(
        ("weight", "factors"),
        [
            # Wanted is sqrt(4/1) and sqrt(1/4), the room 8/2 and 8/8: level 2, and 2 * wanted fits as it is.
            (1.0, [4, 1]),
            (0.0, [4, 1]),
        ],
    )
    def test_where_both_wishes_agree(self, weight: float, factors: list[float]) -> None:
        graph = network("Relu", MADE, READ)
        assert self.factors(graph, weight, statistics([0, 0], [2, 8])) == pytest.approx(factors)

    def test_halfway_between_weights_and_range(self) -> None:
        """Room 1 and 4, wanted 2 and 1/2, level 2: sqrt(1 * 4) and sqrt(4 * 1), then the largest 8 again."""
        graph = network("Relu", MADE, READ)
        assert self.factors(graph, 0.5, statistics([0, 0], [8, 2])) == pytest.approx([1, 1])
        # By weights alone 4 and 1 of a range of 8 and 2: 32 is four times too much.
        assert self.factors(graph, 1.0, statistics([0, 0], [8, 2])) == pytest.approx([1, 0.25])
        assert self.factors(graph, 0.0, statistics([-8, 0], [3, 2])) == pytest.approx([1, 4])

    def test_behind_a_relu6_no_channel_leaves_its_room(self) -> None:
        """Rooms 3, 1, 1.5 and 6/5; wanted 2, 1/2, 1 and 1/2; level (1.5 * 2 * 1.5 * 2.4)**(1/4) = 1.8128."""
        made, read = off_grid([1, 4, 1, 4]), off_grid([4, 1, 1, 1]).T
        graph = network("Clip", made, read)
        level = (1.5 * 2 * 1.5 * 2.4) ** 0.25
        assert level == pytest.approx(1.8128, abs=1e-4)
        seen = statistics([0] * 4, [2, 6, 4, 5])
        assert self.factors(graph, 1.0, seen) == pytest.approx([3, 1, 1.5, level / 2], rel=1e-5)
        half = [math.sqrt(room * level * wish) for room, wish in ((3, 2), (1.5, 1), (1.2, 0.5))]
        expected = [min(half[0], 3), 1, min(half[1], 1.5), min(half[2], 1.2)]
        assert self.factors(graph, 0.5, seen) == pytest.approx(expected, rel=1e-5)

    def test_what_carries_nothing_is_left_alone(self) -> None:
        """No value, no weight where it is made, none where it is read; the fourth as if it were alone."""
        made, read = off_grid([0.5, 0, 0.5, 0.5]), off_grid([0.25, 0.25, 0, 0.25]).T
        graph = network("Relu", made, read)
        assert self.factors(graph, 1.0, statistics([0] * 4, [0, 3, 2, 1])) == pytest.approx([1, 1, 1, 3])
        assert self.factors(graph, 1.0, statistics([0] * 4, [0, 3, 2, 0])) == [1, 1, 1, 1]
        top = network("Clip", made, read, top=1.0)
        assert self.factors(top, 1.0, statistics([0] * 4, [1e-4, 0, 0, 0.5])) == pytest.approx([1, 1, 1, 2])

    def test_all_makers_and_readers_count(self) -> None:
        """The second maker has half the weights of the other row; a depthwise reader has channels in rows."""
        own = np.array([[[9.0, -1]], [[0.5, 0.3]]]).reshape(2, 1, 1, 2) * 1.0
        own = np.concatenate([np.zeros((2, 1, 1, 1)), own], axis=3)
        graph = network("Relu", MADE, READ, own, more=1)
        # Made 2 and 4, read 9 and 1; the room is 4 and 1.
        wanted = np.array([math.sqrt(9 / 2), 1 / 2])
        level = math.sqrt(4 / wanted[0] * 1 / wanted[1])
        mixed = level * wanted
        expected = mixed * 8 / max(2 * mixed[0], 8 * mixed[1])
        assert self.factors(graph, 1.0, statistics([0, 0], [2, 8])) == pytest.approx(expected)
        both = statistics([0, 0], [1, 8]), statistics([-2, 0], [0, 1])
        assert self.factors(graph, 1.0, *both) == pytest.approx(expected), "the largest of all tensors"

    def test_a_ten_thousandth_of_the_limit_is_nothing(self) -> None:
        graph = network("Clip", MADE, READ)
        assert self.factors(graph, 1.0, statistics([0, 0], [0.00055, 3])) == pytest.approx([1, 2])

    def test_eight_rounds_and_then_it_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls, real = [], equalization.scale_channels
        monkeypatch.setattr(equalization, "scale_channels", lambda *given: calls.append(1) or real(*given))
        graph, shaped = network("Relu", MADE, READ), EqualizationResult()
        seen = {"act": statistics([0, 0], [2, 8])}
        balance(graph, seen, shaped)
        assert scaled(graph, MADE, READ) == pytest.approx([4, 1])
        assert seen["act"].high == pytest.approx([8, 8])
        assert (len(calls), shaped.equalized, shaped.limits) == (8, 1, {})
        limited, both = EqualizationResult(), {name: statistics([0, 0], [2, 6]) for name in ("a0", "act")}
        balance(network("Clip", MADE, READ), both, limited)
        assert (limited.equalized, limited.limits) == (2, {"act": 6.0})
        graph = network("Relu", MADE, READ)
        balance(graph, {"act": statistics([0, 0], [8, 2])}, EqualizationResult())
        assert scaled(graph, MADE, READ) == pytest.approx([1, 0.25]), "by weights alone"


def off_grid(largest: list[float]) -> np.ndarray:
    """A square kernel with so large weights in its rows: at odd shares of each."""
    size = len(largest)
    shares = 0.9 * np.random.default_rng(3).uniform(0.1, 0.9, (size, size))
    shares[:, 0] = -1.0
    return shares * np.array(largest)[:, None]


@pytest.mark.parametrize(("how", "factors"), [("range", [2, 4]), ("weights", [2, 1]), ("none", [1, 1])])
def test_a_recipe_says_how(how: str, factors: list[float]) -> None:
    """Of a range of 6: 3 and 1.5 are filled by 2 and 4. By weights the second has no room and is let be."""
    made, read = MADE, READ * np.array([4.0, 0.25])
    graph = network("Clip", made, read)
    recipe = replace(Recipe.load("int8-minmax"), equalize=how, reuse_dead=False, balance=1.0)
    shaped = equalize_channels(
        graph, {"act": statistics([0, 0], [3, 6] if how == "weights" else [3, 1.5])}, recipe
    )
    assert scaled(graph, made, read) == pytest.approx(factors)
    assert shaped.equalized == (how != "none")


def test_the_noise_of_a_lane_by_hand() -> None:
    """Behind it 1 and 4 + 9 of squares; in it 1 + 9 and 16; ranges 2, 3 outside and 5, 7 inside."""
    constants = {
        "leave": np.array([[1.0, 2], [0, 3]]).reshape(2, 2, 1, 1),
        "filters": np.array([[1.0, 3], [4, 0]]).reshape(2, 1, 1, 2),
    }
    lane = SimpleNamespace(
        inner="in",
        outer="out",
        leave=SimpleNamespace(input=["x", "leave"]),
        filters=SimpleNamespace(input=["x", "filters"]),
    )
    inner, outer = statistics([0, 0], [5, 7]), statistics([0, 0], [2, 3])
    noise = _noise(SimpleNamespace(constants=constants), lane, inner, outer, {})
    assert noise.tolist() == [4 + 10 * 25, 13 * (9 + 16 * 49)]


def test_the_noise_of_a_lane_by_what_it_does_to_the_answers() -> None:
    inner, outer = statistics([0, -1], [5, 1]), statistics([0, 0], [2, 3])
    lane = SimpleNamespace(inner="in", outer="out")
    curvature = {"in": np.array([2.0, 3.0]), "out": np.array([0.0, 7.0])}
    noise = _noise(SimpleNamespace(), lane, inner, outer, curvature)
    assert 12 * 255**2 * noise == pytest.approx([2 * 25, 3 * 4 + 7 * 9])


@pytest.mark.parametrize(
    ("noise", "factors"),
    [({}, [2, 1]), ({"act": 1.0, "z": 99.0}, [5 / 3, 1]), ({"act": 9.0, "z": 91.0}, [2, 1])],
)
def test_room_is_left_where_it_adds_little_noise(noise: dict[str, float], factors: list[float]) -> None:
    """3 of 6 may become 6, or 3.6 may; what meets the limit has no more room."""
    made, read = MADE, READ
    graph = network("Clip", made, read)
    equalize(graph, {"act": statistics([0, 0], [3, 6])}, EqualizationResult(), 0.0, 0.2, noise)
    assert scaled(graph, made, read) == pytest.approx(factors)


class TestDeadChannels:
    """x → Conv → Relu → depthwise → Relu → Conv, three channels."""

    def lane(self) -> Graph:
        generator, nodes, constants, last = np.random.default_rng(1), [], [], "x"
        for name, group in (("enter", 1), ("filters", 3), ("leave", 1)):
            weights = generator.uniform(0.1, 1, (3, 3 // group, 1, 1)).astype(np.float32)
            constants += [
                numpy_helper.from_array(weights, f"{name}/w"),
                numpy_helper.from_array(np.ones(3, np.float32), f"{name}/b"),
            ]
            nodes.append(helper.make_node("Conv", [last, f"{name}/w", f"{name}/b"], [name], group=group))
            last = name
            if name != "leave":
                last = f"{name}/act"
                nodes.append(helper.make_node("Relu", [name], [last]))
        ends = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 4, 4]) for name in ("x", "leave")
        ]
        graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
        return Graph(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]))

    def split(self, seen: dict[str, ChannelStatistics]) -> EqualizationResult:
        graph, shaped = self.lane(), EqualizationResult()
        assert len(depthwise_chains(graph)) == 1
        split_channels(graph, seen, shaped)
        return shaped

    def test_one_dead_channel_carries_one_copy(self) -> None:
        seen = {
            "enter/act": statistics([0, 0, 0], [1, 1, 9]),
            "filters/act": statistics([0, 0, 0], [1, 0, 9]),
        }
        shaped = self.split(seen)
        assert shaped.reused == 1
        assert sorted(shaped.shifts) == ["enter", "filters"]
        assert seen["filters/act"].high.tolist() == [1, 9, 9], "the noisiest is copied"
        assert seen["enter/act"].high.tolist() == [1, 9, 9]

    @pytest.mark.parametrize(
        ("inner", "outer"),
        [(None, [1, 0, 9]), ([1, 1, 9], None), ([1, 1, 9], [1, 2, 9]), ([0, 0, 0], [0, 0, 0])],
    )
    def test_nothing_is_copied_without_statistics_without_dead_and_without_live_ones(
        self, inner: list[float] | None, outer: list[float] | None
    ) -> None:
        given = {"enter/act": inner, "filters/act": outer}
        shaped = self.split({name: statistics([0] * 3, high) for name, high in given.items() if high})
        assert (shaped.reused, shaped.shifts) == (0, {})

    def test_what_is_watched(self) -> None:
        """What an activation alone reads is one operator with it."""
        assert watched(self.lane()) == ["enter/act", "filters/act"]
        for act in ("Relu", "Clip"):
            assert watched(network(act, MADE, READ)) == ["act"]

    def test_a_noisy_lane_is_filled_up_where_noise_is_known(self) -> None:
        for tile, curvature, channels in ((4, True, 4), (4, False, 3), (3, True, 3), (0, True, 3)):
            seen = {
                "enter/act": statistics([0, 0, 0], [1, 1, 9]),
                "filters/act": statistics([0, 0, 0], [1, 1, 9]),
            }
            known = dict.fromkeys(seen, np.ones(3)) if curvature else {}
            graph, shaped = self.lane(), EqualizationResult(curvature=known)
            split_channels(graph, seen, shaped, tile)
            assert graph.shape("filters/act")[1] == channels == len(seen["filters/act"].high)
            assert shaped.reused == channels - 3
            if channels == 4:  # the last is copied: half of the gradient each
                assert shaped.curvature["enter/act"].tolist() == [1, 1, 0.25, 0.25]
