"""Keras' MobileNets through the exporters of TensorFlow and Keras, with the answers of Keras.

python with_tensorflow.py PICTURES.npz FOLDER

Run by exporters.py, in an environment with tensorflow, keras and tf2onnx. Weights are random, and batch
normalization is given statistics.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from cases import Cases

CLASSES, RNG = 10, np.random.default_rng(0)


def lively(net: Any) -> Any:
    """With statistics as training leaves them."""
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            size = layer.get_weights()[0].shape
            small = [RNG.normal(0, 0.3, size) for _ in range(2)]
            layer.set_weights([RNG.uniform(0.5, 1.5, size), *small, RNG.uniform(0.5, 1.5, size)])
    return net


def transfer(shape: tuple[int, int, int], units: int, activation: str) -> Any:
    """The form of the transfer-learning tutorial: augmentation, Rescaling, a base, a head."""
    base = lively(keras.applications.MobileNetV2(shape, alpha=0.35, include_top=False, weights=None))
    inputs = keras.Input(shape)
    out = keras.layers.RandomRotation(0.1)(keras.layers.RandomFlip("horizontal")(inputs))
    out = base(keras.layers.Rescaling(1 / 127.5, -1.0)(out), training=False)
    out = keras.layers.Dropout(0.2)(keras.layers.GlobalAveragePooling2D()(out))
    return keras.Model(inputs, keras.layers.Dense(units, activation=activation)(out))


def nets(shape: tuple[int, int, int]) -> list[tuple[str, Any, bool, str]]:
    """(name, model, whether it takes pixels, output)."""
    apps, how = keras.applications, {"input_shape": shape, "weights": None, "classes": CLASSES}
    made = [
        ("Keras MobileNet", lively(apps.MobileNet(alpha=0.25, **how)), False, "probabilities"),
        ("Keras MobileNetV2", lively(apps.MobileNetV2(alpha=0.35, **how)), False, "probabilities"),
        ("transfer learning", transfer(shape, 5, "softmax"), True, "probabilities"),
        ("binary", transfer(shape, 1, "sigmoid"), True, "sigmoid"),
        ("multilabel", transfer(shape, 4, "sigmoid"), True, "sigmoid"),
    ]
    for size, build in (("Small", apps.MobileNetV3Small), ("Large", apps.MobileNetV3Large)):
        for inside in (False, True):
            net = lively(build(include_preprocessing=inside, **how))
            made.append((f"Keras V3 {size}{', preprocessing' * inside}", net, inside, "probabilities"))
    return made


def forms(net: Any, pixels: np.ndarray[Any, Any]) -> dict[str, tuple[str, Callable[[Path], Any]]]:
    """Form → suffix, and what writes the file."""

    def lite(file: Path, **settings: Any) -> None:
        tool = tf.lite.TFLiteConverter.from_keras_model(net)
        for key, value in settings.items():
            setattr(tool, key, value)
        file.write_bytes(tool.convert())

    def through_tf2onnx(file: Path) -> None:
        spec = (tf.TensorSpec((1, *net.input_shape[1:]), tf.float32, name="input"),)
        call = tf.function(lambda x: net(x, training=False), input_signature=spec)
        tf2onnx.convert.from_function(call, input_signature=spec, opset=15, output_path=str(file))

    samples = lambda: ([picture[None]] for picture in pixels)  # noqa: E731
    whole = {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "representative_dataset": samples,
    }
    return {
        "h5": (".h5", net.save),
        "keras": (".keras", net.save),
        "model.export": (".onnx", lambda file: net.export(file, format="onnx", verbose=False)),
        "tf2onnx": (".onnx", through_tf2onnx),
        "SavedModel": ("", lambda file: net.export(file, verbose=False)),
        "TFLite": (".tflite", lite),
        "TFLite float16": (
            ".tflite",
            lambda file: lite(file, optimizations=[tf.lite.Optimize.DEFAULT], target_spec=_half()),
        ),
        "TFLite int8": (".tflite", lambda file: lite(file, **whole)),
    }


def _half() -> Any:
    spec = tf.lite.TargetSpec()
    spec.supported_types = [tf.float16]
    return spec


def main(pictures: str, folder: Path) -> None:
    """All models in all forms."""
    pixels = np.load(pictures)["pixels"].astype(np.float32)
    cases = Cases(folder)
    for name, net, takes_pixels, output in nets(pixels.shape[1:]):
        scale = 1.0 if takes_pixels else 127.5
        fed = pixels if takes_pixels else pixels / 127.5 - 1
        answers = np.asarray(net(fed, training=False))
        for form, (suffix, write) in forms(net, fed).items():
            file = folder / f"{name}-{form}{suffix}".replace(" ", "-").replace(",", "")
            mean = 0.0 if takes_pixels else 127.5
            case = {"model": name, "form": form, "mean": mean, "std": scale, "output": output}
            cases.add(case, file, partial(write, file), answers)
    cases.save()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
