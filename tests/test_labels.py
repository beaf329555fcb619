"""Files of class names, in the forms that training tools write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenet.errors import ModelError
from edgenet.labels import ClassNames, read_labels

FLOWERS = ("daisy", "red rose", "tulips")
# As TensorFlow's Object Detection API writes them; the name is often a code.
LABEL_MAP = """# made by create_tf_record
item {
  id: 2
  name: '/m/06m11'
  display_name: "red rose"
}
item: { name: "/m/01xyhv", id: 1, display_name: 'daisy', keypoints { id: 1 label: "leaf" } }
item { id: 3 name: "/m/07" display_name: "tulips" frequency: RARE }
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lines.txt", "daisy\nred rose\n\ntulips\n\n"),
        ("teachable-machine.txt", "0 daisy\n1 red rose\n2 tulips\n"),
        ("coral.txt", "0  daisy\n2  tulips\n1  red rose"),
        ("colons.txt", "0: daisy\n1: red rose\n2: tulips"),
        ("bare.csv", "0,daisy\n1,red rose\n2,tulips"),
        ("header.csv", "class_index,name\n2,tulips\n0,daisy\n1,red rose\n"),
        ("semicolons.txt", "Class_Index;class_name;wnid\n0; daisy;x\n1;red rose\n2;tulips;"),
        ("excel.csv", 'sep=;\nclass_index;name\n0;"daisy"\n1;"red rose"\n2;tulips'),
        ("tabs.tsv", "name\tclass_index\ndaisy\t0\nred rose\t1\ntulips\t2\n"),
        ("list.json", '["daisy", "red rose", "tulips"]'),
        ("names.txt", '{"0": "daisy", "2": "tulips", "1": "red rose"}'),
        ("indices.json", '{"tulips": 2, "daisy": 0, "red rose": 1}'),
        (
            "keras.json",
            '{"0": ["n11939491", "daisy"], "1": ["n00000001", "red rose"], "2": ["n00000002", "tulips"]}',
        ),
        ("config.json", '{"model_type": "x", "id2label": {"0": "daisy", "1": "red rose", "2": "tulips"}}'),
        ("label_map.pbtxt", LABEL_MAP),
        ("label_map.txt", LABEL_MAP),
        ("from0.pbtxt", "".join(f"item {{ id: {i} name: '{n}' }}\n" for i, n in enumerate(FLOWERS))),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_form_gives_the_same_names(
    tmp_path: Path, name: str, text: str, end: str, encoding: str
) -> None:
    path = tmp_path / name
    path.write_bytes(text.replace("\n", end).encode(encoding))
    assert read_labels(path) == FLOWERS


@pytest.mark.parametrize("lines", ["0\n1\n2", "1st\n2nd", "2-door\n4-door", "1.5 mm\n3 mm", "daisy\n1 rose"])
def test_names_that_begin_with_numbers_stay_names(tmp_path: Path, lines: str) -> None:
    (tmp_path / "l.txt").write_text(lines)
    assert read_labels(tmp_path / "l.txt") == tuple(lines.split("\n"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.txt", "", "no class names in it"),
        ("l.txt", "0 daisy\n0 rose", "class index 0 is there twice"),
        ("l.txt", "1 daisy\n2 rose", "not 0 to 1: 0 is missing"),
        ("l.txt", "0 daisy\n2 rose", "not 0 to 1: 1 is missing"),
        ("l.txt", "index,name\n0,daisy\n1,rose", "the header is 'index,name', without 'class_index'"),
        (
            "l.csv",
            "id;name\n0;daisy\n1;rose",
            "the header is 'id;name', without 'class_index': write class_in",
        ),
        ("l.csv", "daisy\nrose", "the header is 'daisy', without 'class_index'"),
        ("l.csv", "class_index,label\n0,daisy", "columns are class_index, label, without 'name'"),
        ("l.csv", "class_index,name\n0,daisy\n1,rose\n1,tulip", "line 4: class index 1 is there twice"),
        ("l.csv", "class_index,name\n0,daisy\n,rose", "line 3: class index '' is not an integer"),
        ("l.csv", "class_index,name\n0,daisy\n²,rose", "line 3: class index '²' is not an integer"),
        ("l.csv", "class_index,name\n0,daisy\n1", "class 1 has no name"),
        ("l.json", '["daisy", 1]', "neither a list of names nor"),
        ("l.json", '"daisy"', "neither a list of names nor"),
        ("l.json", "[]", "no class names"),
        ("l.json", '{"0": "daisy", "0": "rose"}', "'0' is there twice"),
        ("l.json", '{"0": "daisy", "2": "rose"}', "1 is missing"),
        ("l.json", '{"daisy": true, "rose": false}', "neither"),
        ("l.json", "[" * 200_000, "not JSON"),
        ("l.txt", '{"0": "daisy"', "not JSON"),
        ("l.json", '{"daisy": ' + "9" * 5000 + "}", "not JSON"),
        ("l.pbtxt", "item { id: 1 name: 'daisy'", "not a label map"),
        ("l.pbtxt", "item { id: 1 name: 'a' } item { id: 3 name: 'b' }", "1 is missing"),
        ("l.pbtxt", "item { id: 5 name: 'a' }", "ids begin at 5"),
        ("l.pbtxt", "item { id: 1 }", "class 0 has no name"),
        ("l.pbtxt", "item { a " + "{ a " * 50_000, "not a label map"),
        ("l.txt", "daisy\n\x1b[31mrose", r"class 1, '\\x1b\[31mrose'"),
        ("l.txt", "daisy\n" + "x" * 600, "class 1.*too long"),
        ("l.txt", "daisy\0\n", "line 1: a NUL"),
        ("l.txt", b"daisy\nr\xf6slein", "line 2: byte 0xf6 is not UTF-8"),
        ("l.txt", b"x" * (8 << 20) + b"\n", "at most 8.39 MB are read"),
    ],
)
def test_what_is_not_clear_is_refused(tmp_path: Path, name: str, text: str | bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ModelError, match=message) as caught:
        read_labels(path)
    assert len(str(caught.value)) < 600


NAME = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12)


@given(st.lists(NAME.filter(lambda name: name.strip(' "')), min_size=1, max_size=8), st.randoms())
@settings(max_examples=100)
def test_json_names_go_there_and_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], random
) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.getbasetemp() / "names.json"
    pairs = [(str(index), name) for index, name in enumerate(names)]
    random.shuffle(pairs)
    for value in (names, dict(pairs)):
        path.write_text(json.dumps(value))
        assert read_labels(path) == tuple(names)


@given(st.binary(max_size=120), st.sampled_from([".txt", ".csv", ".json", ".pbtxt"]))
@settings(max_examples=300)
def test_any_bytes_are_names_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(data)
    told = ""
    try:
        assert all(read_labels(path))
    except ModelError as error:
        told = str(error)
    assert len(told.splitlines()) <= 1


def test_names_are_found_as_people_write_them() -> None:
    names = ClassNames(["Red  Rose", "Caf\u00e9", "crane", "crane"])
    assert [list(names.classes(name)) for name in ("red rose", "cafe\u0301", "crane", "x")] == [
        [0],
        [1],
        [2, 3],
        [],
    ]
    assert (names.nearest("red rise"), names.nearest("zzz")) == ("Red  Rose", "")
