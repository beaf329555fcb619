"""A manifest that says everything, for tests that need a bundle but no network."""

from __future__ import annotations

from typing import Any

DIGEST = "0" * 64


def manifest(
    name: str = "m", backend: str = "tflite", file: str = "model.tflite", reference: str = "reference.onnx"
) -> dict[str, Any]:
    """What ``compile`` would write of an int8 classifier of five classes, 8x8 pixels, without its files."""
    return {
        "tool": "edgenet 0",
        "model": {
            "name": name,
            "digest": DIGEST,
            "output": "logits",
            "task": "classification",
            "settings": {},
        },
        "target": "local",
        "backend": backend,
        "precision": "int8",
        "built": "host",
        "artifact": {
            "file": file,
            "sha256": DIGEST,
            "size": 1,
            "input": {"dtype": "uint8", "layout": "NHWC", "color": "rgb", "shape": [1, 8, 8, 3]},
            "output": {
                "meaning": "logits",
                "classes": 5,
                "dtype": "int8",
                "scale": 0.5,
                "zero_point": -3,
                "label": False,
            },
            "build": None,
        },
        "preprocessing": {
            "size": [8, 8],
            "color": "rgb",
            "resize": "stretch",
            "interpolation": "bilinear-antialias",
            "mean": [127.5, 127.5, 127.5],
            "std": [127.5, 127.5, 127.5],
        },
        "labels": list("abcde"),
        "label_offset": 0,
        "reference": {"file": reference, "precision": "fp32"},
        "recipe": {"name": "int8-minmax"},
        "calibration": {"images": 2, "skipped": 0, "digest": DIGEST},
        "quantization": {"images": 2},
        "golden": {"source": "synthetic", "images": []},
        "conversion": {"images": 1, "agreement": 1.0, "max_abs": 0.0},
    }
