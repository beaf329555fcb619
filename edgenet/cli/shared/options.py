"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from edgenet.cli.shared.names import BACKEND, MODEL, PRECISION, PROTOCOL, RECIPE, TASK
from edgenet.devices.index import INDEX, Index
from edgenet.drift import CLASSIFICATION
from edgenet.errors import DeviceError
from edgenet.importers.framework import FRAMEWORK_PYTHON

__all__ = [
    "backend_option",
    "bundles_argument",
    "cache_option",
    "embedded_option",
    "index_option",
    "json_option",
    "labels_option",
    "max_drift_option",
    "model_argument",
    "offline_option",
    "precision_option",
    "preprocessing_option",
    "protocol_option",
    "python_option",
    "recipe_option",
]

_F = TypeVar("_F", bound=Callable[..., Any])


def bundles_argument(function: _F) -> _F:
    """The bundles that a command works on; several are builds of one model."""
    return click.argument(
        "bundles", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False), metavar="BUNDLE..."
    )(function)


def model_argument(function: _F) -> _F:
    """The model that a command works on, in any form."""
    return click.argument("model", type=MODEL, metavar="MODEL")(function)


def backend_option(function: _F) -> _F:
    """The runtime."""
    return click.option(
        "--backend",
        type=BACKEND,
        metavar="B",
        help="The runtime: onnxruntime, tflite or tensorrt.  [default: the board's first]",
    )(function)


def precision_option(function: _F) -> _F:
    """Of weights and activations."""
    return click.option(
        "--precision",
        type=PRECISION,
        metavar="P",
        help="fp32, fp16, int8 or int8-dynamic.  [default: the board's]",
    )(function)


def recipe_option(function: _F) -> _F:
    """How to quantize."""
    return click.option(
        "--recipe",
        type=RECIPE,
        metavar="R",
        help="How to quantize: a name that edgenet recipes lists, or a TOML file.  [default: by precision]",
    )(function)


def max_drift_option(function: _F) -> _F:
    """A limit that quantizing works towards."""
    return click.option(
        "--max-drift",
        type=click.FloatRange(min=0, min_open=True),
        metavar="PP",
        help="Percentage points of top-1 that int8 may lose; layers stay in float until it is kept.",
    )(function)


def preprocessing_option(function: _F) -> _F:
    """Another card."""
    return click.option(
        "--preprocessing",
        metavar="F",
        help="The card: how to feed the model.  [default: MODEL.toml beside it]",
    )(function)


def labels_option(function: _F) -> _F:
    """Class names."""
    return click.option("--labels", metavar="F", help="Class names: text, CSV, JSON or a label map.")(
        function
    )


def protocol_option(default: str) -> Callable[[_F], _F]:
    """How a command measures."""
    return click.option(
        "--protocol",
        default=default,
        show_default=True,
        type=PROTOCOL,
        metavar="P",
        help="How to measure: a name that edgenet protocols lists, or a TOML file.",
    )


def json_option(function: _F) -> _F:
    """One JSON document on stdout instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(
        function
    )


def cache_option(function: _F) -> _F:
    """Nothing shared with other calls."""
    return click.option(
        "--no-cache",
        is_flag=True,
        help="Compute everything again, and keep nothing in the cache (EDGENET_CACHE).",
    )(function)


def embedded_option(function: _F) -> _F:
    """Which of the models that travel with edgenet."""
    return click.option(
        "--task",
        default=CLASSIFICATION,
        show_default=True,
        type=TASK,
        metavar="T",
        help="The embedded model's task: classification (of road signs) or detection (of signs in scenes).",
    )(function)


def python_option(function: _F) -> _F:
    """The Python that converts a model which only its framework reads; handed on in the environment."""
    return click.option(
        "--python",
        envvar=FRAMEWORK_PYTHON,
        show_envvar=True,
        metavar="P",
        expose_value=False,
        callback=_set_python,
        help="The Python with TensorFlow or torch that converts a SavedModel or .pt2.  [default: the first "
        "found]",
    )(function)


def offline_option(function: _F) -> _F:
    """Nothing is fetched on the way."""
    return click.option(
        "--offline",
        is_flag=True,
        envvar="EDGENET_OFFLINE",
        show_envvar=True,
        help="Use no network: send only runtimes that edgenet wheelhouse fetched before.",
    )(function)


def index_option(function: _F) -> _F:
    """A package index of the user's own; handed on in the environment, to all that fetches runtimes."""
    return click.option(
        "--index",
        envvar=INDEX,
        show_envvar=True,
        metavar="URL",
        expose_value=False,
        callback=_set_index,
        help="A package index of your own, for wheels that edgenet has not pinned, such as numpy for a "
        "32-bit Raspberry Pi. Their sha256 is recorded when they are first used.",
    )(function)


def _set_index(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if not value:
        return
    try:
        Index.parse(value)
    except DeviceError as error:
        raise click.BadParameter(f"{error.what}; {error.remedy}", context, parameter) from None
    os.environ[INDEX] = value


def _set_python(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value:
        os.environ[FRAMEWORK_PYTHON] = value
