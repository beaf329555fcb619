"""What the TensorRT backend writes: the graph of each form, held to the float model in ONNX Runtime."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from edgenet.backend import load_backend
from edgenet.backends.tensorrt import QDQ_FORMATS, form_of, write
from edgenet.errors import LibraryError, PlanError, UnsupportedError
from edgenet.graph.evaluate import Evaluator
from edgenet.graph.passes.prepare import prepare
from edgenet.model import Model
from edgenet.preprocessing import Preprocessing
from edgenet.quantize.quantizer import quantize
from edgenet.recipe import Recipe
from edgenet.steps.plan import options, plan_for
from edgenet.target import Target
from tests.conftest import CHEAP, CLASSES, SIZE, smooth_images

SIDE = 16


def pixels(count: int = 6, side: int = SIZE) -> list[np.ndarray]:
    return [image[None] for image in smooth_images(count, rows=side, columns=side)]


@pytest.fixture(scope="module")
def prepared(model: Model) -> Model:
    return prepare(model)


@pytest.fixture(scope="module")
def int8(prepared: Model) -> Model:
    return quantize(prepared, Recipe.load(CHEAP), pixels())[0]


def half(model: Model) -> Model:
    return model.with_proto(model.proto, precision="fp16")


def run(data: bytes, image: np.ndarray) -> np.ndarray:
    entry = onnx.load_model_from_string(data).graph.input[0].type.tensor_type.elem_type
    return Evaluator(data).row(image.astype(helper.tensor_dtype_to_np_dtype(entry)))


def answers(data: bytes, side: int = SIZE) -> np.ndarray:
    return np.stack([run(data, image) for image in pixels(side=side)])


class Written:
    """A written graph, read back."""

    def __init__(self, data: bytes) -> None:
        self.proto = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(data), strict_mode=True)
        self.graph = self.proto.graph
        self.constants = {item.name: numpy_helper.to_array(item) for item in self.graph.initializer}

    def producer(self, name: str) -> NodeProto | None:
        return next((node for node in self.graph.node if name in node.output), None)

    def of(self, kind: str) -> list[NodeProto]:
        return [node for node in self.graph.node if node.op_type == kind]

    def kind(self, name: str) -> str:
        """The operator that makes a tensor, or "constant"."""
        node = self.producer(name)
        return node.op_type if node else "constant"


def residual_model(relu: bool = False) -> Model:
    """conv → relu6 → conv ─ Add(skip) ─ conv → pool → flatten, as MobileNetV2 has it."""
    generator = np.random.default_rng(5)
    weights = {}

    def conv(name: str, source: str, inputs: int, outputs: int, size: int, group: int = 1) -> NodeProto:
        shape = (outputs, inputs // group, size, size)
        scale = 1.0 / np.sqrt(np.prod(shape[1:]))
        weights[f"{name}/w"] = generator.normal(0, scale, shape).astype(np.float32)
        weights[f"{name}/b"] = generator.normal(0, 0.1, outputs).astype(np.float32)
        parts = [source, f"{name}/w", f"{name}/b"]
        pads = [size // 2] * 4
        return helper.make_node("Conv", parts, [name], name=name, pads=pads, group=group)

    weights["low"], weights["six"] = np.array(0, np.float32), np.array(6, np.float32)
    nodes = [
        conv("stem", "image", 3, 8, 3),
        helper.make_node("Clip", ["stem", "low", "six"], ["stem/a"], name="stem/a"),
        conv("expand", "stem/a", 8, 16, 1),
        helper.make_node("Clip", ["expand", "low", "six"], ["expand/a"], name="expand/a"),
        conv("depth", "expand/a", 16, 16, 3, group=16),
        helper.make_node("Clip", ["depth", "low", "six"], ["depth/a"], name="depth/a"),
        conv("project", "depth/a", 16, 8, 1),
        helper.make_node("Add", ["stem/a", "project"], ["sum"], name="sum"),
        *([helper.make_node("Relu", ["sum"], ["sum/a"], name="sum/a")] if relu else []),
        conv("head", "sum/a" if relu else "sum", 8, CLASSES, 1),
        helper.make_node("GlobalAveragePool", ["head"], ["pool"], name="pool"),
        helper.make_node("Flatten", ["pool"], ["scores"], name="flat", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "residual",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, CLASSES])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    table = {"size": [SIDE, SIDE], "resize": "stretch", "mean": [0.0] * 3, "std": [255.0] * 3}
    table |= {"color": "rgb", "interpolation": "bilinear"}
    return Model(
        proto=onnx.shape_inference.infer_shapes(proto),
        name="residual",
        digest="0" * 64,
        preprocessing=Preprocessing.from_table(table, "test"),
        labels=(),
        label_offset=0,
        output="logits",
    )


class TestForms:
    @pytest.mark.parametrize("form", QDQ_FORMATS)
    def test_fp32_is_the_model(self, prepared: Model, form: str) -> None:
        expected = answers(prepared.proto.SerializeToString())
        assert np.abs(answers(write(prepared, form)) - expected).max() < 1e-5 * np.ptp(expected)

    @pytest.mark.parametrize("form", QDQ_FORMATS)
    @pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
    def test_every_parser_reads_the_ends(
        self, prepared: Model, int8: Model, form: str, precision: str
    ) -> None:
        model = {"fp32": prepared, "fp16": half(prepared), "int8": int8}[precision]
        written = Written(write(model, form))
        entry, out = written.graph.input[0].type.tensor_type, written.graph.output[0].type.tensor_type
        assert entry.elem_type == (TensorProto.FLOAT if form == "8" else TensorProto.UINT8)
        assert [dim.dim_value for dim in entry.shape.dim] == [1, SIZE, SIZE, 3]
        assert out.elem_type == TensorProto.FLOAT
        assert [item.version for item in written.proto.opset_import] == [13]
        readers = [node.op_type for node in written.graph.node if "pixels" in node.input]
        assert readers == (["Transpose"] if form == "8" else ["Cast"])

    def test_fp16_is_typed_in_the_newer_form_only(self, prepared: Model) -> None:
        typed, plain = Written(write(half(prepared), "10")), Written(write(half(prepared), "8"))
        inner = {item.type.tensor_type.elem_type for item in typed.graph.value_info}
        assert inner == {TensorProto.FLOAT16}
        assert {value.dtype for value in typed.constants.values()} == {np.dtype(np.float16)}
        assert {value.dtype for value in plain.constants.values()} == {np.dtype(np.float32)}

    def test_fp16_keeps_the_answers(self, prepared: Model) -> None:
        expected = answers(prepared.proto.SerializeToString())
        assert np.abs(answers(write(half(prepared), "10")) - expected).max() < 0.02 * np.ptp(expected)

    def test_fp16_refuses_a_weight_that_is_too_large(self, prepared: Model) -> None:
        proto = onnx.ModelProto()
        proto.CopyFrom(prepared.proto)
        conv = next(node for node in proto.graph.node if node.op_type == "Conv")
        weights = next(item for item in proto.graph.initializer if item.name == conv.input[1])
        weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) * 1e9, weights.name))
        with pytest.raises(UnsupportedError, match="float16 ends at 65504"):
            write(half(prepared.with_proto(proto)), "10")


class TestInt8:
    def test_both_forms_give_the_same_bits(self, int8: Model) -> None:
        assert np.array_equal(answers(write(int8, "8")), answers(write(int8, "10")))

    def test_it_stays_near_the_float_model(self, prepared: Model, int8: Model) -> None:
        expected = answers(prepared.proto.SerializeToString())
        canonical = np.abs(answers(int8.proto.SerializeToString()) - expected).max()
        found = np.abs(answers(write(int8, "10")) - expected).max()
        assert found < max(2.5 * canonical, 0.1 * np.ptp(expected))

    @pytest.mark.parametrize("form", QDQ_FORMATS)
    def test_everything_is_symmetric(self, int8: Model, form: str) -> None:
        written = Written(write(int8, form))
        pairs = written.of("QuantizeLinear") + written.of("DequantizeLinear")
        assert pairs
        for node in pairs:
            zero = written.constants[node.input[2]]
            assert zero.dtype == np.int8
            assert not zero.any()

    @pytest.mark.parametrize("form", QDQ_FORMATS)
    def test_convolutions_read_int8_and_float_biases(self, int8: Model, form: str) -> None:
        written = Written(write(int8, form))
        convolutions = written.of("Conv")
        assert len(convolutions) == 28
        for conv in convolutions:
            assert written.kind(conv.input[0]) == written.kind(conv.input[1]) == "DequantizeLinear"
            assert written.constants[conv.input[2]].dtype == np.float32
            weights = written.producer(conv.input[1])
            assert weights is not None
            scales = written.constants[weights.input[1]]
            assert scales.shape == (len(written.constants[conv.input[2]]),)
            assert written.kind(weights.input[0]) == ("QuantizeLinear" if form == "8" else "constant")

    def test_no_pair_between_a_convolution_and_its_activation(self, int8: Model) -> None:
        written = Written(write(int8, "10"))
        activations = written.of("Relu") + written.of("Clip")
        assert len(activations) == 27
        assert {written.kind(node.input[0]) for node in activations} == {"Conv"}

    def test_the_scores_stay_float(self, int8: Model) -> None:
        written = Written(write(int8, "10"))
        flatten = written.producer(written.graph.output[0].name)
        assert flatten is not None
        assert (flatten.op_type, written.kind(flatten.input[0])) == ("Flatten", "Conv")

    def test_pixels_lose_nothing(self, int8: Model) -> None:
        """A mean of 127.5 is centered at 128: pixel - 128 is the int8 value itself."""
        written = Written(write(int8, "10"))
        first = written.of("QuantizeLinear")[0]
        assert written.constants[first.input[1]] == 1.0
        assert written.kind(first.input[0]) == "Add"

    @pytest.mark.parametrize("relu", [False, True])
    def test_a_residual_add_reads_the_convolution_itself(self, relu: bool) -> None:
        prepared = prepare(residual_model(relu))
        model = quantize(prepared, Recipe.load(CHEAP), pixels(side=SIDE))[0]
        data = write(model, "10")
        written = Written(data)
        (add,) = [node for node in written.of("Add") if node.name == "sum"]
        assert sorted(written.kind(name) for name in add.input) == ["Conv", "DequantizeLinear"]
        after = [node.op_type for node in written.graph.node if add.output[0] in node.input]
        assert after == (["Relu"] if relu else ["QuantizeLinear"])
        expected = answers(prepared.proto.SerializeToString(), SIDE)
        assert np.abs(answers(data, SIDE) - expected).max() < 0.15 * np.ptp(expected)


class TestPlanning:
    @pytest.mark.parametrize("board", ["jetson-nano", "jetson-tx2-nx"])
    def test_int8_is_refused_where_the_gpu_has_none(self, board: str) -> None:
        with pytest.raises(PlanError, match="no int8 arithmetic") as caught:
            plan_for(Target.load(board), "tensorrt", "int8")
        assert caught.value.remedy == "choose --precision fp32 or fp16"

    def test_the_gpu_decides_even_where_the_file_allows_it(self) -> None:
        nano = Target.load("jetson-nano")
        generous = replace(nano.backends["tensorrt"], precisions=("fp32", "fp16", "int8"), refused={})
        target = replace(nano, backends={**nano.backends, "tensorrt": generous})
        with pytest.raises(PlanError, match=r"compute capability 5\.3 has no int8"):
            plan_for(target, "tensorrt", "int8")

    def test_fp16_is_the_default(self) -> None:
        decided = plan_for(Target.load("jetson-orin-nano"), "tensorrt")
        assert (decided.precision, decided.built, decided.recipe) == ("fp16", "device", None)
        assert decided.why == ("fp16 is the default of tensorrt",)

    def test_versions(self) -> None:
        assert {form_of(v) for v in ("8.2", "8.2.1.8", "8.6.2", "tensorrt 8.5.2.2")} == {"8"}
        assert {form_of(v) for v in ("10.3", "10.16.1", "11.4.1", "tensorrt-rtx 1.7.1.116")} == {"10"}
        for version in ("8.0.1", "7.1", "9.3", "12.0", "", "tensorrt-rtx 2.0", "x.y"):
            with pytest.raises(PlanError, match="outside 8.2 to 8.6, 10 and 11"):
                form_of(version)

    def test_a_version_outside_is_refused(self) -> None:
        nano = Target.load("jetson-nano")
        old = replace(nano.backends["tensorrt"], versions=("8.0.1",))
        with pytest.raises(PlanError, match=r"TensorRT 8\.0\.1 is outside"):
            plan_for(replace(nano, backends={**nano.backends, "tensorrt": old}), "tensorrt", "fp16")

    def test_a_bundle_carries_the_forms_of_its_board(self, prepared: Model) -> None:
        backend = load_backend("tensorrt")
        made = {
            name: backend.lower(prepared, Target.load(name)) for name in ("jetson-nano", "jetson-orin-nano")
        }
        nano, orin = made["jetson-nano"], made["jetson-orin-nano"]
        assert nano.build == {"precision": "fp32", "graphs": {"8": "model.onnx"}, "dla_core": None}
        assert (nano.input_dtype, dict(nano.more)) == ("float32", {})
        assert orin.build is not None
        assert orin.build["graphs"] == {"8": "model.trt8.onnx", "10": "model.onnx"}
        assert (orin.input_dtype, list(orin.more)) == ("uint8", ["model.trt8.onnx"])

    def test_every_board_with_tensorrt_names_its_versions(self) -> None:
        from edgenet.library import names

        boards = [Target.load(name) for name in names("target")]
        with_it = [board for board in boards if "tensorrt" in board.backends]
        assert len(with_it) >= 8
        assert all(board.backends["tensorrt"].versions for board in with_it)
        possible = {
            o.precision for o in options(Target.load("rtx-laptop")) if o.backend == "tensorrt" and o.possible
        }
        assert possible == {"fp32", "fp16", "int8"}

    def test_dla(self) -> None:
        def asked(name: str, core: int, *versions: str) -> Target:
            board = Target.load(name)
            support = replace(board.backends["tensorrt"], dla_core=core, versions=versions)
            return replace(board, backends={**board.backends, "tensorrt": support})

        decided = asked("jetson-xavier-nx", 0, "8.5")
        assert plan_for(decided, "tensorrt", "fp16").precision == "fp16"
        for target, words in (
            (asked("jetson-orin-nano", 0, "8.5"), "DLA core 0 is asked for and there are 0"),
            (asked("jetson-xavier-nx", 2, "8.5"), "DLA core 2 is asked for and there are 2"),
            (asked("jetson-agx-orin", 0, "8.5", "10.3"), "TensorRT 8 only"),
        ):
            with pytest.raises(PlanError, match=words):
                plan_for(target, "tensorrt", "fp16")
        with pytest.raises(PlanError, match="does not run int8"):
            plan_for(decided, "tensorrt", "int8")

    def test_a_wrong_dla_core_in_a_file(self, tmp_path) -> None:  # type: ignore[no-untyped-def]
        path = tmp_path / "b.toml"
        text = 'name = "b"\ntitle = "B"\nverified = false\n[cpu]\nmachine = "aarch64"\n'
        path.write_text(text + '[backends.tensorrt]\nprecisions = ["fp16"]\ndla_core = "zero"\n')
        with pytest.raises(LibraryError, match="dla_core"):
            Target.load(str(path))
