"""MobileNetV3 against the figures its authors published.

Sources: Howard et al., arXiv 1905.02244, Tables 1 to 3; tensorflow/models
research/slim/nets/mobilenet/README.md (million multiply-adds and parameters; its rows of the small
model do not fit Table 2 and are not used); torchvision's documentation of ``MobileNet_V3_*_Weights``
(num_params, exact, 1000 classes).
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest

from edgenet.errors import ModelError
from edgenet.graph.cost import cost
from edgenet.zoo import mobilenet_v3
from edgenet.zoo.mobilenet_v3 import Size, weight_shapes

# (size, alpha, minimalistic): million multiply-adds and parameters.
PUBLISHED = {
    ("large", 1.0, False): (217, 5.4),
    ("large", 0.75, False): (155, 4.0),
    ("large", 1.0, True): (209, 3.9),
    ("small", 1.0, False): (56, 2.5),
    ("small", 0.75, False): (44, 2.0),
    ("small", 1.0, True): (None, 2.0),
}
TORCHVISION = {"large": 5_483_032, "small": 2_542_856}


@pytest.mark.parametrize(("size", "alpha", "minimalistic"), PUBLISHED)
def test_multiply_adds_and_parameters_of_the_published_models(
    size: Size, alpha: float, minimalistic: bool
) -> None:
    macs, parameters = PUBLISHED[size, alpha, minimalistic]
    figures = cost(mobilenet_v3(size, alpha, 224, 1001, minimalistic=minimalistic))
    assert abs(figures.parameters / 1e6 - parameters) < 0.1
    assert macs is None or abs(figures.macs / 1e6 - macs) < 1


@pytest.mark.parametrize("size", TORCHVISION)
def test_trained_parameters_are_torchvisions(size: Size) -> None:
    assert cost(mobilenet_v3(size)).parameters == TORCHVISION[size]


# Size: convolutions, squeeze-excites, hard-swishes, residual adds, depth and side of each block.
LAYERS = {
    "large": (64, 8, 21, 10, [(16, 112), (24, 56), (40, 28), (80, 14), (112, 14), (160, 7)]),
    "small": (54, 9, 19, 6, [(16, 56), (24, 28), (40, 14), (48, 14), (96, 7)]),
}


@pytest.mark.parametrize("size", LAYERS)
def test_the_layers_are_those_of_the_paper(size: Size) -> None:
    convolutions, squeezes, swishes, adds, stages = LAYERS[size]
    graph = onnx.shape_inference.infer_shapes(mobilenet_v3(size)).graph
    kinds = [node.op_type for node in graph.node]
    assert kinds.count("Conv") == convolutions
    assert kinds.count("HardSigmoid") == kinds.count("Mul") == squeezes
    assert (kinds.count("HardSwish"), kinds.count("Add")) == (swishes, adds)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim][1:3] for v in graph.value_info}
    found = [tuple(shapes[name]) for name in shapes if name.endswith("project/bn")]
    assert list(dict.fromkeys(found)) == stages


def test_minimalistic_has_no_squeeze_no_swish_and_no_wide_kernel() -> None:
    graph = mobilenet_v3("small", minimalistic=True).graph
    assert {node.op_type for node in graph.node} == {
        *("Conv", "BatchNormalization", "Relu", "Add", "GlobalAveragePool", "Flatten")
    }
    assert max(tensor.dims[2] for tensor in graph.initializer if len(tensor.dims) == 4) == 3


@pytest.mark.parametrize("size", LAYERS)
def test_it_runs_and_the_seed_decides_the_bytes(size: Size) -> None:
    first, again, other = (mobilenet_v3(size, 0.35, 64, 7, seed=seed) for seed in (3, 3, 4))
    data = first.SerializeToString(deterministic=True)
    assert data == again.SerializeToString(deterministic=True)
    assert data != other.SerializeToString(deterministic=True)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 64, 64)).astype(np.float32)
    (logits,) = session.run(["logits"], {"input": image})
    assert logits.shape == (1, 7)
    assert logits.std() > 1e-3


def test_squeeze_excite_has_a_quarter_of_the_channels() -> None:
    shapes = weight_shapes("large")
    assert shapes["block4/se/squeeze/kernel"] == (24, 72, 1, 1)
    assert shapes["block4/se/excite/bias"] == (72,)


def test_out_of_range() -> None:
    with pytest.raises(ModelError, match="no MobileNetV3 'medium'"):
        mobilenet_v3("medium")
    with pytest.raises(ModelError, match="width multiplier"):
        mobilenet_v3("small", 5)
