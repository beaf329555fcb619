"""`edgenet init`: what the file says is read, what it does not say is asked, and nothing is written over."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

from edgenet.card import read_card
from edgenet.cards.preset import presets
from edgenet.errors import EdgenetError, LibraryError, ModelError
from edgenet.library import names
from edgenet.model import Model
from edgenet.steps.init import Card, init
from tests.original.files import CLASSIFIER, WEIGHTS, network, random
from tests.painted import COLORS, painted, pictures, saved

node = helper.make_node
HEAD = CLASSIFIER[:4]


def ended(*nodes: NodeProto, classes: int = 5) -> Any:
    weights = {**WEIGHTS, "d": random(4, classes, seed=2), "e": random(classes, seed=3)}
    return network((*HEAD, node("Gemm", ["f", "d", "e"], ["z"], name="dense"), *nodes), weights)


def scaled(*constants: tuple[str, Sequence[float]], shape: Sequence[int] = (1, 3, 16, 12)) -> Any:
    """The classifier behind operators with constants at its input."""
    made, last, held = [], "x", {}
    for at, (operator, values) in enumerate(constants):
        held[f"k{at}"] = np.asarray(values, np.float32).reshape(1, -1, 1, 1)
        made.append(node(operator, [last, f"k{at}"], [f"s{at}"]))
        last = f"s{at}"
    first = node("Conv", [last, "w", "b"], ["c"], name="conv", pads=[1] * 4)
    return network((*made, first, *CLASSIFIER[1:]), {**WEIGHTS, **held}, shape)


def drafted(folder: Path, proto: Any, **options: Any) -> tuple[Card, dict[str, Any]]:
    card = init(saved(folder, proto), **options)
    table = tomllib.loads(card.path.read_text())
    return card, {**table, **table["preprocessing"]}


@pytest.mark.parametrize(
    ("proto", "read"),
    [
        (ended(node("Identity", ["z"], ["y"])), {"task": "classification", "output": "logits"}),
        (ended(node("Softmax", ["z"], ["y"], axis=1)), {"task": "classification", "output": "probabilities"}),
        (ended(node("LogSoftmax", ["z"], ["y"], axis=1)), {"output": "probabilities"}),
        (ended(node("Sigmoid", ["z"], ["y"])), {"task": "multilabel", "output": "probabilities"}),
        (ended(node("Sigmoid", ["z"], ["y"]), classes=1), {"task": "binary", "output": "probabilities"}),
        (ended(node("Identity", ["z"], ["y"]), classes=1), {"task": "binary", "output": "logits"}),
        (ended(node("LpNormalization", ["z"], ["y"], axis=1)), {"task": "embedding", "output": "normalized"}),
        (ended(node("Identity", ["z"], ["y"]), classes=1001), {"label_offset": "?"}),
        (ended(node("Identity", ["z"], ["y"])), {"size": [16, 12], "mean": "?", "color": "?"}),
        (scaled(("Div", [127.5]), ("Sub", [1.0])), {"mean": [0, 0, 0], "std": [1, 1, 1], "color": "?"}),
        (scaled(("Sub", [0.5]), ("Div", [0.5])), {"mean": [0, 0, 0], "std": [255, 255, 255]}),
        (scaled(("Sub", [0.485, 0.456, 0.406]), ("Div", [0.229, 0.224, 0.225])),
         {"mean": [0, 0, 0], "std": [255, 255, 255], "color": "rgb"}),
        (scaled(("Sub", [103.939, 116.779, 123.68])), {"mean": [0, 0, 0], "std": [1, 1, 1], "color": "bgr"}),
        (network(weights={**WEIGHTS, "w": random(4, 1, 3, 3)}, shape=(1, 1, 16, 12)), {"color": "gray"}),
        (network(shape=(1, 3, "h", "w")), {"size": "?"}),
    ],
)  # fmt: skip
def test_what_the_file_says_is_read(tmp_path: Path, proto: Any, read: dict[str, Any]) -> None:
    _, table = drafted(tmp_path, proto)
    assert {key: table.get(key) for key in read} == read


def test_gray_with_its_normalization_inside(tmp_path: Path) -> None:
    held = {**WEIGHTS, "w": random(4, 1, 3, 3), "k": np.float32(127.5), "one": np.float32(1)}
    nodes = (
        node("Div", ["x", "k"], ["s"]), node("Sub", ["s", "one"], ["t"]),
        node("Conv", ["t", "w", "b"], ["c"], name="conv", pads=[1] * 4), *CLASSIFIER[1:],
    )  # fmt: skip
    _, table = drafted(tmp_path, network(nodes, held, (1, 1, 16, 12)))
    assert (table["color"], table["mean"], table["std"]) == ("gray", [0, 0, 0], [1, 1, 1])


def test_bytes_are_fed_as_they_are(tmp_path: Path) -> None:
    nodes = (node("Cast", ["x"], ["f0"], to=TensorProto.FLOAT), node("Conv", ["f0", "w", "b"], ["c"],
             name="conv", pads=[1] * 4), *CLASSIFIER[1:])  # fmt: skip
    _, table = drafted(tmp_path, network(nodes, kind=TensorProto.UINT8))
    assert (table["mean"], table["std"]) == ([0, 0, 0], [1, 1, 1])


@pytest.mark.parametrize("preset", names("preset"))
def test_every_preset_answers_all_or_leaves_a_question(tmp_path: Path, preset: str) -> None:
    model = saved(tmp_path, network(shape=(1, 3, 224, 224)))
    card = init(model, like=preset)
    if card.open:
        assert card.open == ("color",)  # of OpenCV, where the trainer's code says it
        with pytest.raises(ModelError, match=r'color is an open question.*write "rgb" or "bgr"'):
            read_card(card.path)
        return
    found, told = Model.load(model), next(item for item in presets() if item.name == preset)
    assert found.preprocessing.color == told.table["color"]
    assert list(found.preprocessing.mean) == told.table["mean"]
    assert list(found.preprocessing.std) == told.table["std"]


def test_each_open_question_is_refused_by_its_line_until_all_are_answered(tmp_path: Path) -> None:
    answers = {
        "color": '"bgr"', "mean": "[1, 2, 3]", "std": "[4, 5, 6]", "resize": '"short-side"',
        "resize_to": "20", "interpolation": '"bilinear"',
    }  # fmt: skip
    card = init(saved(tmp_path, network()))
    assert card.open == tuple(answers)
    for key, answer in answers.items():
        with pytest.raises(ModelError, match=rf"line \d+: {key} is an open question") as caught:
            Model.load(tmp_path / "painted.onnx")
        lines = card.path.read_text().splitlines()
        number = int(caught.value.what.partition(", line ")[2].partition(":")[0])
        assert lines[number - 1].startswith(f"{key} = ")
        lines[number - 1] = f"{key} = {answer}"
        card.path.write_text("\n".join(lines))
    found = Model.load(tmp_path / "painted.onnx").preprocessing
    assert (found.color, found.mean, found.std, found.resize_to) == ("bgr", (1, 2, 3), (4, 5, 6), 20)


def test_resize_to_may_stay_open_where_nobody_reads_it(tmp_path: Path) -> None:
    card = init(saved(tmp_path, network()))
    text = card.path.read_text()
    for key, answer in (("color", '"rgb"'), ("mean", "[0,0,0]"), ("std", "[1,1,1]"), ("resize", '"stretch"'),
                        ("interpolation", '"nearest"')):  # fmt: skip
        text = text.replace(f'\n{key} = "?"', f"\n{key} = {answer}")
    card.path.write_text(text)
    assert read_card(card.path).preprocessing.resize == "stretch"


def test_resize_to_stays_a_question_where_it_is_read(tmp_path: Path) -> None:
    """Not of "short-side" alone: a preset of one's own may squash as timm does."""
    (tmp_path / "squash.toml").write_text(
        'name = "squash"\nsummary = "timm"\n[preprocessing]\ncolor = "rgb"\nresize = "squash"\n'
        'interpolation = "bilinear-antialias"\nmean = [0, 0, 0]\nstd = [1, 1, 1]\n',
        encoding="utf-8",
    )
    card = init(saved(tmp_path, network()), like=str(tmp_path / "squash.toml"))
    assert card.open == ("resize_to",)
    with pytest.raises(ModelError, match="resize_to is an open question"):
        read_card(card.path)
    card.path.write_text(card.path.read_text().replace('resize_to = "?"', "resize_to = 20"))
    how = read_card(card.path).preprocessing
    assert (how.resize, how.resize_to) == ("squash", 20)


def test_a_card_is_written_over_with_force_alone(tmp_path: Path) -> None:
    model = saved(tmp_path, network())
    model.with_suffix(".toml").write_text("mine")
    with pytest.raises(ModelError, match="exists already: give force=True"):
        init(model, like="keras")
    assert model.with_suffix(".toml").read_text() == "mine"
    init(model, like="keras", force=True)
    assert read_card(model.with_suffix(".toml")).preprocessing.resize == "stretch"
    init(model, output=tmp_path / "other.toml")
    assert (tmp_path / "other.toml").is_file()


def test_nothing_is_written_for_what_is_refused(tmp_path: Path) -> None:
    model = tmp_path / "m.onnx"
    model.write_bytes(b"none")
    with pytest.raises(EdgenetError):
        init(model)
    with pytest.raises(LibraryError, match="there is no preset 'kera'.*did you mean keras"):
        init(saved(tmp_path, network()), like="kera")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx", "painted.onnx"]


def test_names_of_folders_and_files_cannot_leave_their_line(tmp_path: Path) -> None:
    given = ('a"b\\', "b]\u3042", "c # d", "d=1", "e'''", "f", "g")
    odd = dict(zip(COLORS, given, strict=True))
    folder = pictures(tmp_path / "photos", names=odd)
    path = saved(tmp_path, painted(), 'x\n task = "binary"\n.onnx')
    card = init(path, like="keras", images=folder)
    found = read_card(card.path)
    assert found.task.labels == tuple(odd.values())
    assert found.task.name == "classification"


def test_a_folder_that_no_terminal_can_show_is_refused(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "photos", names={name: name + "\x1b[31m" for name in COLORS})
    with pytest.raises(ModelError, match="not printable text"):
        init(saved(tmp_path, painted()), like="keras", images=folder)
    assert not (tmp_path / "painted.toml").exists()


KERAS = Path(os.environ.get("EDGENET_SHARED", "none")) / "data" / "keras"


@pytest.mark.shared
@pytest.mark.parametrize("name", sorted(path.stem for path in KERAS.glob("*.h5")) or [""])
def test_real_keras_files_differ_from_their_authors_cards_in_what_no_file_says(
    tmp_path: Path, name: str
) -> None:
    """The filter that resizes, the names, and whose mean and std: of the preset, not of the file."""
    if not name:
        pytest.skip("no models: set EDGENET_SHARED")
    model = shutil.copy(KERAS / f"{name}.h5", tmp_path)
    card = init(model, like="keras")
    assert card.open == ()
    ours, theirs = read_card(card.path), read_card(KERAS / f"{name}.toml")
    assert ours.task.name == theirs.task.name
    assert ours.task.output == theirs.task.output
    assert (ours.preprocessing.size, ours.preprocessing.color) == (
        theirs.preprocessing.size, theirs.preprocessing.color,
    )  # fmt: skip
    assert card.draft.lines["size"].why.startswith("read")
    assert card.draft.lines["mean"].why == "as keras"
