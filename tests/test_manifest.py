"""A manifest with right digests and wrong contents is refused in one line that names the field."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.arrays import array_bytes
from edgenet.bundle import Bundle, pack
from edgenet.errors import BundleError
from edgenet.manifest import Manifest, TensorSpec
from edgenet.tasks.classification import Classification
from tests.manifests import manifest
from tests.test_bundle import remanifest, rezip

FILES = {"model.tflite": b"artifact", "reference.onnx": b"reference"}
LISTED = {name: {"sha256": "0" * 64, "size": len(data)} for name, data in FILES.items()}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The manifest with one value in another's place."""
    whole = copy.deepcopy({**manifest(), "schema": 1, "files": LISTED})
    *above, last = path.split(".")
    part: Any = whole
    for key in above:
        part = part[key]
    part[last] = value
    return whole


def test_there_and_back_is_the_same_table() -> None:
    whole = {**manifest(), "schema": 1, "files": LISTED}
    assert Manifest.parse(whole, "x").to_table() == whole


def test_a_manifest_without_a_task_is_of_a_classifier() -> None:
    whole = {**manifest(), "schema": 1, "files": LISTED}
    del whole["model"]["task"], whole["model"]["settings"]
    assert Manifest.parse(whole, "x").task == Classification("logits", tuple("abcde"))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("model.task", "poetry", "model.task is 'poetry', not binary or classification or "),
        ("model.task", ["a"], "model.task is"),
        ("artifact.output.meaning", "embedding", "meaning is 'embedding', not logits or probabilities"),
        ("model.name", ["a"], r"model\.name is \['a'\], not text"),
        ("model.name", "a\x1b]0;x", "model.name is .*not printable text"),
        ("model.output", "odds", "model.output is 'odds', not logits or probabilities"),
        ("artifact", 7, "artifact is 7, not a table"),
        ("artifact.output", None, "artifact.output is None, not a table"),
        ("artifact.output.scale", float("inf"), "artifact.output.scale is inf"),
        ("artifact.output.scale", 1e38, "artifact.output.scale is 1e\\+38"),
        ("artifact.output.scale", 0, "artifact.output.scale is 0, not a number above 0"),
        ("artifact.output.scale", None, "artifact.output.scale is None, not what int8 has"),
        ("artifact.output.zero_point", 1e400, "artifact.output.zero_point is inf, not an integer"),
        ("artifact.output.classes", "5", "artifact.output.classes is '5', not an integer"),
        ("artifact.output.classes", 10**9, "artifact.output.classes is 1000000000"),
        ("artifact.file", "other", "'other', not a manifest whose files are all in the bundle"),
        ("artifact.input.shape", [1, 9, 8, 3], "artifact.input is"),
        ("artifact.input.shape", [1, 8, 8], "artifact.input.shape is .*not 4 values"),
        ("reference", {"file": []}, r"reference\.file is \[\], not text"),
        ("golden.images", [{"file": "x", "pixels_sha256": "0" * 64}], "'x', not a manifest whose files"),
        ("golden", {}, r"no 'golden\.source' in it"),
        ("labels", "abcde", "labels is 'abcde', not a list"),
        ("labels", ["a"], "labels is '1 labels for 5 classes', not one of each class"),
        ("label_offset", True, "label_offset is True, not an integer"),
        ("preprocessing", {}, "has no 'size'"),
        ("preprocessing.std", [0, 1, 1], "std must be positive"),
        ("conversion.agreement", 1.5, "conversion.agreement is 1.5"),
    ],
)
def test_wrong_contents_are_named(path: str, value: Any, message: str) -> None:
    with pytest.raises(BundleError, match=message) as refused:
        Manifest.parse(changed(path, value), "x.edgenet")
    assert str(refused.value).startswith("x.edgenet: ")
    assert "\n" not in str(refused.value)


def test_deep_json_and_false_array_headers_are_no_traceback() -> None:
    data = pack(manifest(), {**FILES, "golden/artifact.npy": array_bytes(np.zeros(3))})
    deep = b'{"schema": 1, "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(BundleError, match="is not JSON"):
        Bundle.parse(rezip(data, {"manifest.json": deep}))
    forged = Bundle.parse(data).files["golden/artifact.npy"].replace(b"(3,)", b"(9,)")
    bundle = Bundle.parse(pack(manifest(), {**FILES, "golden/artifact.npy": forged}))
    with pytest.raises(BundleError, match="claims another size"):
        bundle.array("golden/artifact.npy")


def test_short_reprs() -> None:
    assert repr(Bundle.parse(pack(manifest(), FILES))).startswith("<Bundle m.tflite.int8 for local, ")
    assert len(repr(Bundle.parse(pack(manifest(), FILES)))) < 100


def test_an_output_of_integers_is_read_by_hand() -> None:
    """0.5 * (-3 - -3) = 0 and 0.5 * (1 - -3) = 2."""
    spec = TensorSpec.int8(2, 0.5, -3)
    assert spec.values(np.array([-3, 1], np.int8)).tolist() == [0.0, 2.0]


@pytest.mark.parametrize(
    ("path", "most", "over"),
    [
        ("model.name", "n" * 512, "n" * 513),
        ("model.digest", "0" * 64, "0" * 65),
        ("artifact.size", 512 << 20, (512 << 20) + 1),
        ("artifact.size", 0, -1),
        ("artifact.output.zero_point", 127, 128),
        ("artifact.output.zero_point", -128, -129),
        ("label_offset", 0, -1),
        ("artifact.input.shape", [1, 8, 8, 4096], [1, 8, 8, 4097]),
    ],
)
def test_what_is_as_large_as_a_bound_passes(path: str, most: Any, over: Any) -> None:
    assert Manifest.parse(changed(path, most), "x")
    with pytest.raises(BundleError, match=path):
        Manifest.parse(changed(path, over), "x")


@pytest.mark.parametrize(("side", "fits"), [(4096, True), (4097, False), (8, True), (7, False)])
def test_pictures_have_sides_from_8_to_4096(side: int, fits: bool) -> None:
    whole = changed("artifact.input.shape", [1, side, 8, 3])
    whole["preprocessing"]["size"] = [side, 8]
    if fits:
        assert Manifest.parse(whole, "x").artifact.input.shape == (1, side, 8, 3)
    else:
        with pytest.raises(BundleError):
            Manifest.parse(whole, "x")


@pytest.mark.parametrize(("classes", "fits"), [(8_000_000, True), (8_000_001, False), (2, True), (1, False)])
def test_there_are_up_to_eight_million_values(classes: int, fits: bool) -> None:
    whole = changed("artifact.output.classes", classes)
    whole["labels"] = []
    if fits:
        assert Manifest.parse(whole, "x").class_names == ()
    else:
        with pytest.raises(BundleError, match="classes"):
            Manifest.parse(whole, "x")


def test_a_background_class_has_no_label_and_a_name() -> None:
    whole = changed("labels", list("abcd"))
    whole["label_offset"] = 1
    assert Manifest.parse(whole, "x").class_names == ("background", "a", "b", "c", "d")
    assert Manifest.parse(changed("label_offset", 0), "x").class_names == tuple("abcde")


def test_what_is_not_said_is_schema_1_and_one_output() -> None:
    whole = changed("tool", "edgenet")
    del whole["schema"], whole["artifact"]["output"]["label"], whole["artifact"]["output"]["meaning"]
    read = Manifest.parse(whole, "x")
    assert (read.schema, read.artifact.output.label, read.artifact.output.meaning) == (1, False, "logits")
    assert not TensorSpec.float32(3).label
    assert not TensorSpec.int8(3, 0.5, 0).label


HOSTILE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.just([]), st.just({}),
    st.just([1, "x", None]), st.just({"file": "../x"}), st.just(10**400), st.just("\ud800"),
)  # fmt: skip


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within a JSON document."""
    found = [path] if path else []
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in items:
        found += places(value, (*path, key))
    return found


PLACES = places(manifest())


@given(st.lists(st.tuples(st.sampled_from(PLACES), HOSTILE), min_size=1, max_size=3), st.booleans())
@settings(max_examples=400)
def test_any_change_is_read_or_refused_in_one_line(changes: list[tuple[Any, Any]], drop: bool) -> None:
    whole = manifest()
    for path, value in changes:
        part: Any = whole
        try:
            for key in path[:-1]:
                part = part[key]
            if drop:
                del part[path[-1]]
            else:
                part[path[-1]] = copy.deepcopy(value)  # the strategies give the same objects again
        except (TypeError, KeyError, IndexError):
            continue
    try:
        text = json.dumps(whole)
        bundle = Bundle.parse(remanifest(pack(manifest(), FILES), **json.loads(text)))
    except BundleError as error:
        if "\n" in str(error):
            raise
        return
    assert bundle.name
    assert Manifest.parse(bundle.manifest.to_table(), "again") == bundle.manifest


@pytest.mark.parametrize(
    ("parts", "scale", "message"),
    [
        ([], None, r"artifact.output.parts is 0, not outputs of 5 values together"),
        ([(4, 0.5)], None, r"artifact.output.parts is 1, not outputs of 5 values together"),
        ([(0, 0.5), (5, 0.5)], None, r"artifact.output.parts\[0\].values is 0"),
        ([(-1, 0.5), (6, 0.5)], None, r"artifact.output.parts\[0\].values is -1"),
        ([(4, 0.5), (1, None)], None, "artifact.output.scale is None, not what int8 has"),
        ([(4, 0.5), (1, 0.5)], 0.5, "artifact.output.scale is 0.5, not null beside parts"),
    ],
)
def test_parts_are_the_whole_output_and_have_its_scales(
    parts: list[tuple[int, float | None]], scale: float | None, message: str
) -> None:
    output = {
        "meaning": "logits",
        "classes": 5,
        "dtype": "int8",
        "scale": scale,
        "zero_point": None if scale is None else 0,
        "parts": [
            {"name": "a", "values": values, "scale": own, "zero_point": None if own is None else 0}
            for values, own in parts
        ],
    }
    with pytest.raises(BundleError, match=message):
        Manifest.parse(changed("artifact.output", output), "x")
