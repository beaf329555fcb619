"""MobileNetV2 against the figures its authors published.

Sources: tensorflow/models research/slim/nets/mobilenet/README.md (million multiply-adds and parameters, 1001
classes; its parameters are kernels and biases, without batch normalization), Sandler et al., arXiv
1801.04381, Table 2, and torchvision's documentation of ``MobileNet_V2_Weights`` (num_params, 1000 classes).
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from edgenet.errors import ModelError
from edgenet.graph.cost import cost
from edgenet.zoo import mobilenet_v2
from edgenet.zoo.mobilenet_v2 import weight_shapes
from edgenet.zoo.network import rounded_depth

PUBLISHED = {
    (1.4, 224): (582, 6.06),
    (1.3, 224): (509, 5.34),
    (1.0, 224): (300, 3.47),
    (1.0, 192): (221, 3.47),
    (1.0, 160): (154, 3.47),
    (1.0, 128): (99, 3.47),
    (1.0, 96): (56, 3.47),
    (0.75, 224): (209, 2.61),
    (0.5, 224): (97, 1.95),
    (0.35, 224): (59, 1.66),
}


@pytest.mark.parametrize(("alpha", "resolution"), PUBLISHED)
def test_multiply_adds_and_parameters_of_the_published_models(alpha: float, resolution: int) -> None:
    macs, parameters = PUBLISHED[alpha, resolution]
    assert abs(cost(mobilenet_v2(alpha, resolution, 1001)).macs / 1e6 - macs) < 1
    shapes = weight_shapes(alpha, 1001).items()
    plain = sum(int(np.prod(shape)) for name, shape in shapes if name.endswith(("kernel", "bias")))
    assert abs(plain / 1e6 - parameters) < 0.011


def test_trained_parameters_are_torchvisions() -> None:
    assert cost(mobilenet_v2(1.0, 224, 1000)).parameters == 3_504_872


def test_the_layers_are_those_of_table_2() -> None:
    model = mobilenet_v2()
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("Conv") == 53
    assert kinds.count("Add") == 10
    assert kinds.count("Clip") == 35  # no activation behind a projection
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim][1:3] for v in graph.value_info}
    assert [shapes[f"block{number}/project/bn"] for number in (1, 3, 6, 10, 13, 16, 17)] == [
        *([16, 112], [24, 56], [32, 28], [64, 14], [96, 14], [160, 7], [320, 7])
    ]
    assert shapes["last/relu6"] == [1280, 7]


@pytest.mark.parametrize(("depth", "rounded"), [(3, 8), (11.2, 16), (18, 24), (33.6, 32), (44.8, 48)])
def test_depths_are_rounded_as_slim_rounds_them(depth: float, rounded: int) -> None:
    assert rounded_depth(depth) == rounded


def test_it_runs_and_the_seed_decides_the_bytes() -> None:
    first, again, other = (mobilenet_v2(0.35, 96, 7, seed=seed) for seed in (3, 3, 4))
    data = first.SerializeToString(deterministic=True)
    assert data == again.SerializeToString(deterministic=True)
    assert data != other.SerializeToString(deterministic=True)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 96, 96)).astype(np.float32)
    (logits,) = session.run(["logits"], {"input": image})
    assert logits.shape == (1, 7)
    assert logits.std() > 1e-2


def test_weights_given_are_weights_stored() -> None:
    weights = {name: np.full(shape, 0.5) for name, shape in weight_shapes(0.35, 3).items()}
    stored = mobilenet_v2(0.35, 64, 3, weights=weights).graph.initializer
    assert all(np.all(onnx.numpy_helper.to_array(item) == 0.5) for item in stored if item.name in weights)
    with pytest.raises(ModelError, match="block4/project/kernel has shape"):
        mobilenet_v2(0.35, 64, 3, weights=weights | {"block4/project/kernel": np.ones(3)})


@pytest.mark.parametrize(
    ("numbers", "words"), [((0, 224), "width"), ((1, 31), "resolution"), ((1, 96, 0), "0 cl")]
)
def test_out_of_range(numbers: tuple[int, ...], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        mobilenet_v2(*numbers)
