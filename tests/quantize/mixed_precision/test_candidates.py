"""Layers in float: what each one's rounding costs, the sets that are offered, the limit, the graphs."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgenet.backend import load_backend
from edgenet.errors import DriftError, LibraryError, PlanError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.graph import Graph
from edgenet.graph.passes.prepare import prepare
from edgenet.graph.qdq.insert import activations
from edgenet.graph.qdq.integer_mean import integer_mean
from edgenet.graph.qdq.onnxruntime import QDQ_FORMATS, int8_outputs, to_qdq_format
from edgenet.graph.segments import Step, steps
from edgenet.model import Model
from edgenet.quantize.mixed_precision.candidates import Choice, Times, choices, kept_by
from edgenet.quantize.mixed_precision.search import Attempt, drift_budget_search
from edgenet.quantize.mixed_precision.sensitivity import Sources, sensitivity
from edgenet.quantize.quantizer import quantize
from edgenet.quantize.rounding.round_to_nearest import nearest
from edgenet.recipe import Recipe
from edgenet.steps.compile import compile
from edgenet.steps.plan import limited, plan_for
from edgenet.target import Target
from edgenet.tasks.classification import Classification
from tests.conftest import smooth_images

TASK = Classification("logits")
PIXELS = [image[None] for image in smooth_images(16, 0, 64, 64)]
QUICK = replace(Recipe.load("int8-fast"), rounding_images=8, positions=64, sweeps=1)
HEAD = ("stem/conv", "block1/depthwise/conv", "block1/pointwise/conv")
LAST = "classifier/conv"


@pytest.fixture(scope="module")
def headed(model: Model) -> Model:
    """The first three convolutions and the last one in float."""
    return quantize(prepare(model), replace(QUICK, float_layers=(*HEAD, LAST)), PIXELS)[0]


def chain(count: int) -> list[Step]:
    names = ["pixels", *[f"t{index}" for index in range(count)]]
    return [Step(after, (before,), (), None) for before, after in itertools.pairwise(names)]


def test_the_offered_sets_are_the_best_ones() -> None:
    """Held to every subset of a chain of eight."""
    generator = np.random.default_rng(3)
    parts = chain(8)
    names = [step.output for step in parts]
    sources = Sources(*(dict(zip(names, generator.uniform(0, 1, 8), strict=True)) for _ in "wt"))
    int8 = dict(zip(names, generator.uniform(1, 2, 8), strict=True))
    real = {name: value + generator.uniform(0, 2) for name, value in int8.items()}
    times = Times(int8, real, dict.fromkeys(names, 0.3))

    def rate(chosen: frozenset[str]) -> tuple[float, float]:
        noise = sum(sources.weights[name] for name in names if name not in chosen)
        time = sum(real[name] if name in chosen else int8[name] for name in names)
        for name, reader in zip(names, [*names[1:], None], strict=True):
            both = name in chosen and (reader is None or reader in chosen)
            noise += 0 if both else sources.tensors[name]
            time += 0.3 if reader is not None and (name in chosen) != (reader in chosen) else 0
        return time / sum(int8.values()), noise

    every = [
        rate(frozenset(name for bit, name in enumerate(names) if number >> bit & 1)) for number in range(256)
    ]
    offered = choices(parts, sources, times)
    assert offered[0].steps == frozenset()
    assert offered[-1].noise == 0
    assert len(offered) > 4
    for choice in offered:
        time, noise = rate(choice.steps)
        assert (choice.time, choice.noise) == (pytest.approx(time), pytest.approx(noise))
        assert not [other for other in every if other[0] < time - 1e-9 and other[1] < noise - 1e-9]


def test_an_activation_stays_float_only_between_float_layers() -> None:
    parts = [Step("a", ("pixels",), (), None), Step("b", ("a",), (), None), Step("c", ("a", "b"), (), None)]
    assert kept_by(parts, ["a", "b"]).tensors == set()
    assert kept_by(parts, ["a", "b", "c"]).tensors == {"a", "b", "c"}
    assert kept_by(parts, ["c"]).tensors == {"c"}


def attempt(steps_kept: str, noise: float, loss: float) -> Attempt:
    line = {"agreement": 1.0, "expected_loss_pp": loss}
    return Attempt(Choice(frozenset(steps_kept), 1.0 + len(steps_kept), noise), line, steps_kept)


def test_the_limit_is_kept_by_the_fastest_set_that_does() -> None:
    """Loss is twice what the noise promises: one set is tried in vain."""
    offered = [attempt(kept, noise, 0).choice for kept, noise in (("", 10), ("a", 5), ("ab", 2), ("abc", 1))]
    losses = {"a": 0.9, "ab": 0.4, "abc": 0.2}
    made: list[str] = []

    def make(choice: Choice) -> Attempt:
        made.append("".join(sorted(choice.steps)))
        return attempt(made[-1], choice.noise, losses[made[-1]])

    tried = drift_budget_search(0.6, attempt("", 10, 1.0), lambda: offered, make)
    assert made == ["a", "ab"]
    assert tried[-1].result == "ab"
    assert drift_budget_search(1.0, attempt("", 10, 1.0), list, make) == [attempt("", 10, 1.0)]
    with pytest.raises(DriftError, match=r"cannot be quantized within 0.1 pp.* lose 0.20 pp") as caught:
        drift_budget_search(0.1, attempt("", 10, 1.0), lambda: offered, make)
    assert caught.value.exit_code == 4
    assert "--max-drift 0.2" in caught.value.remedy


@pytest.mark.parametrize(("middle", "used"), [(0.5, "ab"), (0.7, "abc")])
def test_between_a_set_that_fails_and_one_that_holds_another_is_tried(middle: float, used: str) -> None:
    """One set was less than hoped for, so the next one tried is far beyond: the middle may do."""
    offered = [attempt(kept, noise, 0).choice for kept, noise in (("", 10), ("a", 5), ("ab", 4), ("abc", 1))]
    losses = {"a": 1.9, "ab": middle, "abc": 0.1}
    tried = drift_budget_search(
        0.6,
        attempt("", 10, 1.0),
        lambda: offered,
        lambda choice: attempt(kept := "".join(sorted(choice.steps)), choice.noise, losses[kept]),
    )
    assert tried[-1].result == used
    assert {item.result for item in tried} == {"", "a", "ab", "abc"}


def test_sources_find_the_layer_that_was_spoilt(model: Model) -> None:
    graph = Graph(prepare(model).proto)
    integer_mean(graph)
    parts = steps(graph, [name for name in activations(graph) if name != "pixels/centered"])
    ranges = {step.output: (0.0, 6.0) for step in parts} | {parts[-1].output: (-8.0, 8.0)}
    result = nearest(graph, ranges, QUICK)
    told: list[tuple[int, int]] = []

    def measured() -> Sources:
        return sensitivity(TASK, graph, parts, PIXELS[:4], result, {}, 48, lambda *item: told.append(item))

    before = measured()
    assert told[-1] == (len(parts), len(parts))
    spoilt = parts[7]
    assert spoilt.conv is not None
    weights = result.weights[spoilt.conv.output[0]]
    weights.values[:] = weights.values // 16 * 16
    result.tensors[parts[3].output] = replace(result.tensors[parts[3].output], scale=0.3)
    after = measured()
    assert after.weights[spoilt.output] > 4 * before.weights[spoilt.output]
    assert after.tensors[parts[3].output] > 4 * before.tensors[parts[3].output]
    others = [name for name in before.weights if name != spoilt.output]
    assert all(after.weights[name] == before.weights[name] for name in others)


def test_layers_in_float_are_float(headed: Model) -> None:
    """Four kernels float, the three first activations without Q/DQ between them, float scores."""
    graph = Graph(headed.proto)
    convs = [node for node in graph.nodes if node.op_type == "Conv"]
    assert [node.name for node in convs if node.input[1] in graph.constants] == [*HEAD, LAST]
    kinds = Counter(node.op_type for node in graph.nodes)
    assert kinds["QuantizeLinear"] == 30 - 2 - 2  # two activations, the scores before and after Flatten
    assert kinds["Clip"] == 2
    assert int8_outputs(graph) is None


@pytest.mark.parametrize("form", QDQ_FORMATS)
def test_onnxruntime_leaves_float_weights_alone(headed: Model, form: str) -> None:
    """Its optimizer rounds them per tensor where Q/DQ stands around; held to the graph as it is written."""
    graph = Graph(headed.proto)
    to_qdq_format(graph, form)
    proto = graph.proto()
    written, run = Evaluator(headed.proto, optimize=False), Evaluator(proto)
    for item in PIXELS[:3]:
        expected, got = written.row(item), run.row(item)
        assert np.abs(got - expected).max() < 0.02 * np.ptp(expected)


def test_both_runtimes_run_what_was_mixed(headed: Model, tmp_path: Path) -> None:
    """Int8 and float layers in one artifact, each runtime with its own defaults."""
    board, answers = Target.load("local"), []
    for name in ("onnxruntime", "tflite"):
        lowering = load_backend(name)
        artifact = lowering.lower(headed, board)
        assert artifact.output.dtype == "float32"
        (tmp_path / artifact.file).write_bytes(artifact.data)
        session = lowering.open(tmp_path / artifact.file)
        answers.append(np.stack([session.run(item) for item in PIXELS[:4]]))
    assert np.abs(answers[0] - answers[1]).max() < 0.02 * np.ptp(answers[0])


def test_all_layers_in_float_leave_no_rounding(model: Model) -> None:
    prepared = prepare(model)
    recipe = replace(QUICK, rounding_images=4, equalize="range", float_layers=tuple(_names(prepared)))
    session = Evaluator(quantize(prepared, recipe, PIXELS)[0].proto)
    for item in PIXELS[:3]:
        expected = Evaluator(prepared.proto).row(item)
        assert np.abs(session.row(item) - expected).max() < 0.01 * np.ptp(expected)


def _names(prepared: Model) -> list[str]:
    graph = Graph(prepared.proto)
    integer_mean(graph)
    names = [name for name in activations(graph) if name != "pixels/centered"]
    return [step.name for step in steps(graph, names)]


def test_max_drift_is_worked_towards_and_told(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """A random network changes no answer, so the divergence stands in for what it loses."""
    monkeypatch.setattr(
        Classification, "expected_loss", lambda task, wanted, got: 1e3 * task.divergence(wanted)(got)
    )
    quick = replace(QUICK, rounding_images=4, equalize="range", max_drift=1e9)
    loss = quantize(prepare(model), quick, PIXELS)[1].attempts[0]["expected_loss_pp"]
    account = quantize(prepare(model), replace(quick, max_drift=0.4 * loss), PIXELS)[1]
    first, last = account.attempts[0], account.attempts[-1]
    assert first["float_steps"] == 0 < last["float_steps"]
    assert first["expected_loss_pp"] == loss
    assert last["expected_loss_pp"] <= 0.4 * loss
    assert last["estimated_time"] > 1
    kept = [layer["name"] for layer in account.layers if layer.get("weights") == "float"]
    assert 0 < len(kept) <= last["float_steps"]


def test_an_unknown_layer_is_named(model: Model) -> None:
    with pytest.raises(LibraryError, match="no layer .classifier-conv.: did you mean classifier/conv"):
        quantize(prepare(model), replace(QUICK, float_layers=("classifier-conv",)), PIXELS)


def test_a_backend_that_takes_whole_int8_networks_refuses_first() -> None:
    recipe = Recipe.load("int8-mixed")
    assert plan_for(Target.load("local"), "onnxruntime", "int8", recipe).recipe == "int8-mixed"
    with pytest.raises(PlanError, match="some may stay float") as caught:
        plan_for(Target.load("jetson-orin-nano"), "tensorrt", "int8", recipe)
    assert "--backend onnxruntime or tflite" in caught.value.remedy


def test_recipe_and_precision_must_be_of_one_mind() -> None:
    board = Target.load("local")
    assert plan_for(board, "onnxruntime", None, Recipe.load("fp16")).precision == "fp16"
    assert plan_for(board, "onnxruntime", "int8-dynamic").recipe == "int8-dynamic"
    with pytest.raises(PlanError, match="recipe fp16 makes fp16, not int8: choose precision=.fp16."):
        plan_for(board, "onnxruntime", "int8", Recipe.load("fp16"))
    decided = plan_for(board, "onnxruntime", "int8")
    assert limited(decided, None, 0.5).max_drift == 0.5
    with pytest.raises(PlanError, match="a drift limit is for int8"):
        limited(plan_for(board, "onnxruntime", "fp16"), None, 0.5)


@pytest.mark.parametrize("backend", ["onnxruntime", "tflite"])
@pytest.mark.parametrize(("name", "share", "error"), [("fp16", 0.55, 0.01), ("int8-dynamic", 0.35, 0.1)])
def test_smaller_weights_float_activations(
    model: Model, photos: Path, name: str, share: float, error: float, backend: str
) -> None:
    recipe = replace(Recipe.load(name), rounding_images=16, positions=128, sweeps=1)
    whole = compile(model, "local", backend, "fp32", calibration=photos).bundle
    small = compile(model, "local", backend, None, recipe, photos).bundle
    assert small.manifest.precision == name
    assert len(small.artifact) < share * len(whole.artifact)
    exact, got = (item.array("golden/artifact.npy") for item in (whole, small))
    assert got.dtype == np.float32
    assert np.abs(got - exact).max() < error * np.ptp(exact)
    assert not np.array_equal(got, exact)


def test_int8_dynamic_by_nearest_needs_no_images(model: Model) -> None:
    recipe = replace(Recipe.load("int8-dynamic"), rounding="nearest")
    bundle = compile(model, "local", "onnxruntime", "int8-dynamic", recipe).bundle
    assert bundle.manifest.calibration is None
    stored = {item.data_type for item in onnx.load_model_from_string(bundle.artifact).graph.initializer}
    assert onnx.TensorProto.INT8 in stored
