"""What a prompt and a notebook show of the public types is short and escaped."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenet.imageset import ImageSet
from edgenet.library import names
from edgenet.model import Model
from edgenet.protocol import Protocol
from edgenet.recipe import Recipe
from edgenet.record import Record
from edgenet.steps.compile import compile
from edgenet.steps.quantize import quantize_model
from edgenet.target import Target
from tests.conftest import CHEAP
from tests.reports import DRIFT, report


def records(value: object) -> list[Record]:
    """A record and all records within it."""
    if isinstance(value, Record):
        return [value, *(found for item in vars(value).values() for found in records(item))]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
    return [found for item in items for found in records(item)]


def test_every_representation_fits_a_line(model_file: Path, photos: Path) -> None:
    made = quantize_model(model_file, CHEAP, photos)
    bundle = compile(made, "local", "tflite", "int8").bundle
    worst = {**DRIFT, "worst": DRIFT["worst"] * 50}
    shown = [
        *(made, bundle, made.golden, Model.load(model_file), ImageSet.load(photos)),
        *records(report(runs=3000, drift=worst)),
        *records(bundle.manifest),
        *(Target.load(name) for name in names("target")),
        *(Recipe.load(name) for name in names("recipe")),
        *(Protocol.load(name) for name in names("protocol")),
    ]
    assert len(shown) > 60
    long = {type(item).__name__: len(repr(item)) for item in shown if len(repr(item)) >= 300}
    assert not long
    assert all(type(item).__name__ in repr(item) for item in shown)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a' onload='x", "<img src=http://x>"])
def test_a_notebooks_table_is_escaped_and_needs_nothing(text: str, model_file: Path) -> None:
    table = report().to_table()
    table["bundle"]["model"] = table["device"]["name"] = text
    found = type(report()).from_table(table, "r")._repr_html_()
    assert text not in found
    assert "p50 2.0" in found or "p50 1.9" in found
    assert len(found) < 3000
    bundle = compile(model_file, "local", "onnxruntime", "fp32").bundle
    assert bundle.digest[:12] in bundle._repr_html_()
    assert "http" not in bundle._repr_html_()
