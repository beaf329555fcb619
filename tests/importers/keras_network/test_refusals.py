"""Layers that are not read: each is named, with the reason and what its user can do."""

from __future__ import annotations

import marshal
from pathlib import Path

import numpy as np
import pytest

from edgenet.errors import ModelError
from tests.importers.keras_files import L, placeholder, read, write


def mean(source: str) -> L:
    return L("GlobalAveragePooling2D", "mean", (source,))


def lambda_layer(trace: Path) -> L:
    code = marshal.dumps(compile(f"open({str(trace)!r}, 'w').close()", "x", "exec"))
    return L(
        "Lambda",
        "mine",
        ("pixels",),
        {"function": {"class_name": "__lambda__", "config": {"code": code.hex()}}},
    )


def test_the_code_in_a_file_is_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = write(tmp_path / "m", (placeholder(8, 8, 3), lambda_layer(trace), mean("mine")))
    with pytest.raises(
        ModelError, match=r"'mine' \(Lambda\) contains custom code.*never runs: replace it with layers"
    ):
        read(path)
    assert not trace.exists()


REFUSED = {
    "class of the user's own": (
        L("Swishy", "own", ("pixels",), module="my.layers"),
        r"'own' \(Swishy\) is a custom class.*model\.export\(",
    ),
    "registered class": (
        L("Mine>Swishy", "own", ("pixels",)),
        r"'own' \(Swishy\) is a custom class",
    ),
    "unknown": (
        L("Permute", "turn", ("pixels",), {"dims": [2, 1, 3]}),
        r"'turn' \(Permute\) is a layer that edgenet does",
    ),
    "attention": (
        L("MultiHeadAttention", "look", ("pixels",)),
        "belongs to no network that edgenet supports: give a conv",
    ),
    "pruned": (L("PruneLowMagnitude", "prune", ("pixels",)), r"'prune'.*strip_pruning\(model\)"),
    "aware of quantization": (
        L("QuantizeWrapperV2", "q", ("pixels",)),
        "save the model before quantize_model",
    ),
    "quantized": (
        L("Conv2D", "q", ("pixels",), {"dtype": {"class_name": "QuantizedDTypePolicy", "config": {}}}),
        r"was quantized by Keras: save the model before model\.quantize\(\)",
    ),
    "channels first": (
        L("ZeroPadding2D", "pad", ("pixels",), {"padding": 1, "data_format": "channels_first"}),
        "is channels_first, and only channels_last is read",
    ),
    "flattened channels first": (
        L("Flatten", "flat", ("pixels",), {"data_format": "channels_first"}),
        "'flat' .*is channels_first",
    ),
    "activation": (
        L(
            "Activation",
            "act",
            ("pixels",),
            {"activation": {"class_name": "function", "config": "mine>curve"}},
        ),
        r"'act' \(Activation\) has the activation 'mine>curve', which edgenet does not know",
    ),
    "axis": (L("Softmax", "soft", ("pixels",), {"axis": 1}), "'soft' .*another axis than the last"),
    "padding": (L("MaxPooling2D", "max", ("pixels",), {"padding": "causal"}), "'max' .*has padding = causal"),
    "resizing": (
        L("Resizing", "size", ("pixels",), {"height": 4, "width": 4, "crop_to_aspect_ratio": True}),
        "'size' .*crop_to_aspect_ratio",
    ),
    "no setting": (
        L("Conv2D", "conv", ("pixels",)),
        "'conv' .*has filters = None, not an integer from 1: save the model",
    ),
    "setting of a wrong type": (
        L("ZeroPadding2D", "pad", ("pixels",), {"padding": [[1, "a"], 2]}),
        "'pad' .*has padding = .*pixels at each side",
    ),
    "shape that does not fit": (
        L(
            "Conv2D",
            "conv",
            ("pixels",),
            {"filters": 4, "kernel_size": 1, "use_bias": False},
            {"kernel": np.ones((1, 1, 2, 4))},
        ),
        "'conv' .*: kernel is 1x1x2x4, not 1x1x3x4",
    ),
    "weights that are not there": (
        L("Conv2D", "conv", ("pixels",), {"filters": 4, "kernel_size": 1}, {"kernel": np.ones((1, 1, 3, 4))}),
        r"'conv' \(Conv2D\) has 1 weights in the file, not 2",
    ),
    "window larger than the map": (
        L("MaxPooling2D", "max", ("pixels",), {"pool_size": 9}),
        "has a window of 9, and the map has 8",
    ),
    "absurd size": (
        L("UpSampling2D", "up", ("pixels",), {"size": 1 << 20}),
        "layer 'up' would give 8388608x8388608x3",
    ),
    "absurd padding": (
        L("ZeroPadding2D", "pad", ("pixels",), {"padding": 60_000}),
        "layer 'pad' would give 120008x",
    ),
    "nothing given": (L("ReLU", "relu", ("nobody",)), "nothing gives what layer 'relu' takes"),
    "itself": (L("ReLU", "relu", ("relu",)), "nothing gives what layer 'relu' takes"),
    "numbers without end": (
        L("Rescaling", "s", ("pixels",), {"scale": 1e400}),
        "'s' .*has the constant inf, no numbers",
    ),
    "numbers beyond float32": (
        L("Rescaling", "s", ("pixels",), {"scale": 1e300}),
        r"'s' .*has the constant 1e\+300, no numbers",
    ),
}


@pytest.mark.parametrize(("layer", "message"), REFUSED.values(), ids=REFUSED)
def test_a_layer_is_refused_by_name_with_what_to_do(layer: L, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "m", (placeholder(8, 8, 3), layer, mean(layer.name)))
    with pytest.raises(ModelError, match=message) as caught:
        read(path)
    assert caught.value.remedy


def test_what_the_user_of_keras_2_is_told_runs_in_keras_2(tmp_path: Path) -> None:
    path = write(
        tmp_path / "m", (placeholder(8, 8, 3), L("Permute", "turn", ("pixels",)), mean("turn")), "2.h5"
    )
    with pytest.raises(ModelError, match="python -m tf2onnx.convert --keras FILE --output model.onnx"):
        read(path)
