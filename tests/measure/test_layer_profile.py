"""Layers: cut files and profiles in the names of the user's model, and injected noise that must be found."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from edgenet.agent.tflite.cut import Cut
from edgenet.devices.answers import RuntimeLayer
from edgenet.devices.session import BenchResult, Session
from edgenet.errors import DeviceError
from edgenet.graph.layers import Layer, find, layers, quantized_tensors
from edgenet.measure.layer_profile import sqnr_db, timed, undisturbed
from edgenet.model import Model
from edgenet.protocol import Protocol
from edgenet.report import Report
from edgenet.steps.compile import compile
from edgenet.steps.deploy import deploy
from edgenet.steps.profile import profile
from tests.graph.given.nets import Style, network
from tests.graph.small import graph

SHORT = Protocol("short", "s", 0.02, 0.05, 5, 5.0, 1, True, 0.0, layers_s=0.2)
BACKENDS = ("onnxruntime", "tflite")


@pytest.fixture(scope="module")
def reports(
    model: Model, photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Report]:
    """Every build of the small model, measured on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGENET_HOME", str(tmp_path_factory.mktemp("home")))
        found = {}
        for backend in BACKENDS:
            for precision in ("fp32", "int8"):
                bundle = compile(model, "local", backend, precision, calibration=photos)
                path = bundle.write(tmp_path_factory.mktemp("b") / "b.edgenet")
                deploy(path)
                found[backend, precision] = profile(path, "local", SHORT)
        return found


def test_every_layer_of_the_user_is_timed_once(reports: dict[Any, Report], model: Model) -> None:
    weighted = [layer.name for layer in layers(model.proto) if layer.op == "Conv"]
    assert len(weighted) == 28
    for report in reports.values():
        named = [row.name for row in report.layers]
        assert [name for name in named if name in weighted] == weighted
        assert len(named) == len(set(named))
        assert math.isclose(sum(row.share for row in report.layers), 1.0)
        assert report.layer_facts is not None
        assert report.layer_facts.sum_ms == pytest.approx(sum(row.ms for row in report.layers))


def test_what_the_layers_leave_over_is_named(reports: dict[Any, Report]) -> None:
    """ONNX Runtime's layers are part of profiled runs, which take longer; cut files need no profiler."""
    for (backend, _), report in reports.items():
        about = report.layer_facts
        assert about is not None
        assert about.rest_ms == pytest.approx(about.whole_ms - about.sum_ms)
        if backend == "onnxruntime":
            assert about.sum_ms < about.profiled_ms
            assert f"{about.profiled_ms:.3g} ms while it is profiled" in about.summary
        else:
            assert about.profiled_ms is None
            assert "the fastest run" in about.summary


def test_the_multiply_adds_are_the_users(reports: dict[Any, Report]) -> None:
    totals = {sum(row.macs or 0 for row in report.layers) for report in reports.values()}
    assert len(totals) == 1
    assert totals.pop() > 3e6


def test_both_runtimes_lose_the_same_in_each_layer(reports: dict[Any, Report]) -> None:
    """The scales are the same, so the noise is: by cut files in one, by extra outputs in the other."""
    noise = [
        {row.name: row.sqnr_db for row in reports[backend, "int8"].layers if row.sqnr_db}
        for backend in BACKENDS
    ]
    assert set(noise[0]) == set(noise[1])
    assert len(noise[0]) >= 28
    for name, value in noise[0].items():
        assert value == pytest.approx(noise[1][name], abs=0.5), name
        assert 5 < value < 80


def test_a_cut_file_is_the_files_beginning(reports: dict[Any, Report], model: Model, photos: Path) -> None:
    """Against the schema's own reader, and the whole cut gives the whole's answer to the bit."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter

    data = compile(model, "local", "tflite", "int8", calibration=photos).bundle.artifact
    graph = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0)).subgraphs[0]
    cut = Cut(data)
    assert cut.names == [graph.tensors[item.outputs[0]].name.decode() for item in graph.operators]
    for count in (1, 7, len(cut.names)):
        part = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(cut.until(count), 0)).subgraphs[0]
        assert len(part.operators) == count
        assert list(part.outputs) == list(graph.operators[count - 1].outputs)
    assert cut.until(len(cut.names)) == data
    interpreter = Interpreter(model_content=cut.until(3), num_threads=1)
    interpreter.allocate_tensors()
    assert interpreter.get_output_details()[0]["name"] == cut.names[2]


def test_an_output_put_behind_a_file_is_an_output(model: Model) -> None:
    from edgenet.agent.runtimes.onnxruntime import with_output

    name = next(node.output[0] for node in model.proto.graph.node if node.op_type == "Conv")
    more = onnx.load(io.BytesIO(with_output(model.proto.SerializeToString(), name)))
    assert [item.name for item in more.graph.output] == [model.proto.graph.output[0].name, name]
    assert len(more.graph.node) == len(model.proto.graph.node)


def test_names_of_runtimes_lead_to_the_users() -> None:
    known = layers(chain(["conv_1", "conv_10"]))
    for said, meant in (
        ("conv_1", "conv_1"),
        ("conv_1_token_3", "conv_1"),
        ("conv_10_token_3", "conv_10"),
        ("conv_1_relu_out_nchwc", "conv_1"),
        ("conv_10_relu_out/int8", "conv_10"),
    ):
        layer = find(said, known)
        assert layer is not None
        assert layer.name == meant
    assert find("ReorderOutput_token_9", known) is None
    assert find("conv_100", known) is None


def chain(names: list[str]) -> onnx.ModelProto:
    """Convolutions 1x1 with a Relu each."""
    nodes, value, weights = [], "x", []
    for name in names:
        weights.append(onnx.numpy_helper.from_array(np.ones((2, 2, 1, 1), np.float32), f"{name}_w"))
        nodes.append(helper.make_node("Conv", [value, f"{name}_w"], [f"{name}_out"], name))
        nodes.append(helper.make_node("Relu", [f"{name}_out"], [f"{name}_relu_out"], f"{name}_relu"))
        value = f"{name}_relu_out"
    image = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 2, 4, 4])
    end = helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT, [1, 2, 4, 4])
    graph = helper.make_graph(nodes, "g", [image], [end], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def test_a_layer_counts_what_it_reads_and_writes() -> None:
    (first, _) = layers(chain(["a", "b"]))
    assert first.macs == 2 * 2 * 16
    assert first.values == 32 + 4 + 32
    assert first.tensors == ("a_out", "a_relu_out")


def test_times_until_a_layer_never_fall() -> None:
    assert undisturbed([1.0, 3.0, 2.0, 4.0]) == [1.0, 2.0, 2.0, 4.0]
    rows = [RuntimeLayer(name=f"{name}_out", op=3, until_ms=ms) for name, ms in (("a", 1.0), ("b", 0.9))]
    bench: Any = SimpleNamespace(layers=rows)
    got = timed(bench, layers(chain(["a", "b"])), "int8")
    assert [row.ms for row in got] == [0.9, 0.0]
    assert [row.name for row in got] == ["a", "b"]
    assert got[0].gmac_s == pytest.approx(64 / 0.9e-3 / 1e9)
    assert got[0].gb_s == pytest.approx(68 / 0.9e-3 / 1e9)


@pytest.mark.parametrize("wanted", [10.0, 25.0, 40.0])
def test_noise_of_a_known_size_is_found(wanted: float) -> None:
    generator = np.random.default_rng(1)
    truth = generator.normal(0, 1, (1, 8, 16, 16))
    scaled = truth * np.arange(1, 9).reshape(1, 8, 1, 1)
    sigma = np.sqrt((truth**2).mean() * 10 ** (-wanted / 10))
    noise = generator.normal(0, sigma, truth.shape) * np.arange(1, 9).reshape(1, 8, 1, 1)
    got = sqnr_db([scaled + noise], [truth])
    assert got == pytest.approx(wanted, abs=0.6), "equalized channels count as they are"
    assert sqnr_db([scaled], [truth]) == 120.0
    assert sqnr_db([scaled[:, :4]], [truth]) is None
    assert sqnr_db([truth], [np.zeros_like(truth)]) is None


def test_scales_of_a_quantized_graph_are_read(model: Model, photos: Path) -> None:
    bundle = compile(model, "local", "onnxruntime", "int8", calibration=photos).bundle
    found = quantized_tensors(onnx.load_model_from_string(bundle.artifact))
    assert len(found) >= 28
    assert all(scale > 0 for _, scale, _ in found)


def test_a_name_that_moves_the_cursor_is_told_without_it(
    model: Model, photos: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A board's own words, too: what cannot be printed is replaced before it becomes a report."""
    from edgenet.steps import board_run as module

    known = module.layers

    def evil(layer: Layer) -> Layer:
        named = [f"\x1b[2J{name}" for name in (layer.name, *layer.reads)]
        return replace(layer, name=named[0], reads=tuple(named[1:]))

    monkeypatch.setattr(module, "layers", lambda proto: [evil(item) for item in known(proto)])
    bundle = compile(model, "local", "onnxruntime", "fp32", calibration=photos).bundle
    deploy(bundle, "local")
    names = [row.name for row in profile(bundle, "local", SHORT).layers]
    assert any(name.startswith("\ufffd[2J") for name in names)


def chained(*reads: tuple[str, ...]) -> list[Layer]:
    """Layers "0", "1" … that read these."""
    return [Layer(str(at), "Conv", (str(at),), (str(at),), 1, 1, read) for at, read in enumerate(reads)]


def test_a_layer_reads_the_rows_before_it_through_those_without_a_row() -> None:
    """0 → 1 → 2 + 0 → 3: the sum 2 was folded into 1, so that 3 reads both of what was added."""
    known = chained((), ("0",), ("1", "0"), ("2",))
    told = [RuntimeLayer(name=name, ms=1.0) for name in ("0", "1", "quantize", "3")]
    bench = SimpleNamespace(layers=told)
    rows = timed(bench, known, "int8")  # type: ignore[arg-type]
    assert [row.reads for row in rows] == [(), ("0",), None, ("1", "0")]


def test_many_branches_without_rows_are_walked_once() -> None:
    """60 layers that each read the two before: a walk of every way would never end."""
    known = chained((), ("0",), *((str(at - 1), str(at - 2)) for at in range(2, 60)))
    bench = SimpleNamespace(layers=[RuntimeLayer(name=name, ms=1.0) for name in ("0", "59")])
    rows = timed(bench, known, "int8")  # type: ignore[arg-type]
    assert rows[1].reads == ("0",)


def test_what_a_board_measures_must_be_a_measurement(
    model: Model, photos: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = compile(model, "local", "onnxruntime", "fp32", calibration=photos).bundle
    deploy(bundle, "local")
    told = Session.bench

    def bench(self: Session, *rest: Any) -> BenchResult:
        return replace(told(self, *rest), memory_mb={"peak": math.nan})

    monkeypatch.setattr(Session, "bench", bench)
    with pytest.raises(DeviceError, match=r"not a measurement, local: memory_mb.peak is nan, not a number"):
        profile(bundle, "local", SHORT)


def test_a_pair_belongs_to_the_layer_that_it_rounds() -> None:
    """Of a model that came quantized: no layer of its own for what rounds, its result is dequantized."""
    found = layers(network(Style(mean=0, std=255, input_scale=1 / 255)).proto)
    assert [item.op for item in found] == [
        "Conv", "Conv", "Conv", "Add", "Conv", "GlobalAveragePool", "Flatten", "Gemm",
    ]  # fmt: skip
    assert all(not name.startswith("quantizelinear") for item in found for name in item.tensors)
    assert any(name.startswith("quantizelinear") for name in found[0].names)
    assert found[-1].tensors[-1] == "scores"


def test_a_residual_reads_both_of_its_branches() -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], "first"),
        helper.make_node("Relu", ["a"], ["b"], "relu"),
        helper.make_node("Conv", ["b", "w"], ["c"], "second"),
        helper.make_node("Add", ["c", "b"], ["y"], "sum"),
    ]
    proto = graph(nodes, {"w": np.ones((3, 3, 1, 1))}).proto()
    assert {layer.name: layer.reads for layer in layers(proto)} == {
        "first": (), "second": ("first",), "sum": ("second", "first"),
    }  # fmt: skip
