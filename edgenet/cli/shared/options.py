"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from edgenet.drift import CLASSIFICATION
from edgenet.importers.framework import FRAMEWORK_PYTHON

__all__ = [
    "bundle_argument",
    "cache_option",
    "device_option",
    "embedded_option",
    "json_option",
    "protocol_option",
    "python_option",
]

_F = TypeVar("_F", bound=Callable[..., Any])


def bundle_argument(function: _F) -> _F:
    """The bundle that a command works on."""
    return click.argument("bundle", type=click.Path(exists=True, dir_okay=False), metavar="BUNDLE")(function)


def device_option(function: _F) -> _F:
    """The board a command talks to."""
    return click.option(
        "--device",
        default="local",
        show_default=True,
        envvar="EDGENET_DEVICE",
        show_envvar=True,
        metavar="D",
        help="The board: local, user@host[:port], or an alias of your ssh config.",
    )(function)


def protocol_option(default: str) -> Callable[[_F], _F]:
    """How a command measures."""
    return click.option(
        "--protocol",
        default=default,
        show_default=True,
        metavar="P",
        help="How to measure: a name of profiles/protocols, or a TOML file.",
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
        help="Compute everything anew and keep nothing; else results are shared in EDGENET_CACHE.",
    )(function)


def embedded_option(function: _F) -> _F:
    """Which of the models that travel with edgenet."""
    return click.option(
        "--task",
        default=CLASSIFICATION,
        show_default=True,
        metavar="T",
        help="Of the embedded model: classification tells signs apart, detection finds them in scenes.",
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
        help="The Python with TensorFlow or torch, for a SavedModel or .pt2; default: the first found.",
    )(function)


def _set_python(_context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value:
        os.environ[FRAMEWORK_PYTHON] = value
