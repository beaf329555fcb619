"""TFLite's schema: names, numbers and builders of tables, as flatc makes them from schema.fbs.

LiteRT's package carries it (tensorflow/lite/schema/schema.fbs). Machines for which there is no LiteRT,
Macs with Intel processors and Windows on Arm, get the package ``tflite``, which holds nothing else.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

from edgenet.errors import EdgenetError

__all__ = ["has_litert", "schema"]


def has_litert() -> bool:
    """Whether LiteRT is installed, and TFLite files can run here."""
    return importlib.util.find_spec("ai_edge_litert") is not None


@functools.cache
def schema() -> Any:
    """The module: enums such as ``TensorType``, classes of tables, functions such as ``TensorStart``.

    Raises:
        EdgenetError: Neither package is installed.
    """
    try:
        if has_litert():
            from ai_edge_litert import schema_py_generated

            return schema_py_generated
        import tflite

        return tflite
    except ImportError:
        raise EdgenetError(
            "TFLite files can be neither read nor written: their schema is not installed",
            "python -m pip install tflite",
        ) from None
