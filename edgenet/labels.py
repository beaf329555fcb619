"""Names of classes: read from the files that training tools write, and looked up by people's spelling."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from edgenet.csv_table import DELIMITERS, read_csv, shown, whole_number
from edgenet.errors import ModelError
from edgenet.text import UNPRINTABLE
from edgenet.text_file import read_text

__all__ = ["ClassNames", "check_names", "read_labels"]

FORM = "class_index,name"
PLACE = ("latitude", "longitude")
MAX_LABEL_FILE = 8 << 20
# As in a bundle's manifest.
MAX_NAME = 512
NUMBERED = re.compile(r"(\d{1,7})(?:\s*[,;:=]\s*|\s+)(\S.*)", re.ASCII)
LABEL_MAP = re.compile(r"(?:\s|#.*\n)*item\s*:?\s*\{")
SYNSET = re.compile(r"n\d{8}", re.ASCII)


def read_labels(path: Path) -> tuple[str, ...]:
    """Class names, in the order of their indices.

    A text file has one a line, or lines numbered from 0 ("4  tulips"); a CSV has ``class_index`` and
    ``name`` (or ``class_name``), or ``latitude`` and ``longitude`` (and ``name``); JSON is a list,
    ``{"0": "daisy"}`` or ``{"daisy": 0}``; a label map of TensorFlow's Object Detection API
    (``item { id: 1 name: 'daisy' }``) counts from 0, or from 1, where 0 is the background.

    Raises:
        ModelError: The file cannot be read, is none of these, or its class indices are not 0, 1, 2 ….
    """
    text = read_text(path, ModelError, "give a UTF-8 text or CSV file", MAX_LABEL_FILE)
    names = _names(path, text)
    if not names:
        raise ModelError(f"{path}: no class names in it", "write one on each line")
    check_names(names, str(path))
    return names


def check_names(names: Sequence[str], where: str) -> None:
    """Refuse a name that no page or terminal could show.

    Raises:
        ModelError: It is empty, too long or not printable.
    """
    for index, name in enumerate(names):
        if not name.strip():
            raise ModelError(f"{where}: class {index} has no name", "write one name for each class")
        if len(name) > MAX_NAME or UNPRINTABLE.search(name):
            raise ModelError(
                f"{where}: the name of class {index}, {shown(name)}, is too long or not printable text",
                "correct it",
            )


class ClassNames:
    """The labels of a model, found again by the names that people gave to folders and rows.

    Args:
        labels: One a class, in order.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._exact: dict[str, list[int]] = {}
        self._alike: dict[str, list[int]] = {}
        for index, label in enumerate(labels):
            self._exact.setdefault(label, []).append(index)
            self._alike.setdefault(_spelling(label), []).append(index)

    def classes(self, name: str) -> Sequence[int]:
        """Those called exactly so; else those that differ in case and white space alone; any number."""
        return self._exact.get(name) or self._alike.get(_spelling(name), [])

    def nearest(self, name: str) -> str:
        """The label that resembles a name most; empty where none does."""
        near = difflib.get_close_matches(_spelling(name), list(self._alike), 1, 0.5)
        return self._labels[self._alike[near[0]][0]] if near else ""


def _spelling(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).casefold().split())


def _names(path: Path, text: str) -> tuple[str, ...]:
    suffix, begin = path.suffix.lower(), text.lstrip()
    if suffix == ".json" or re.match(r'\{|\[\s*"', begin):
        return _from_json(path, text)
    if suffix == ".pbtxt" or LABEL_MAP.match(text):
        return _from_label_map(path, text)
    first = re.split(r"[\r\n]", begin.removeprefix("sep=").lstrip(DELIMITERS + "\r\n"), maxsplit=1)[0]
    header = [cell.strip(' "').casefold() for cell in re.split(f"[{DELIMITERS}]", first)]
    if "class_index" in header:
        return _from_table(path)
    return _from_lines(path, [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()])


def _from_table(path: Path) -> tuple[str, ...]:
    table = read_csv(path, "class_index", ModelError, FORM)
    if set(PLACE) <= set(table.columns):
        return _ordered(
            path, ((row.cells["class_index"], _place(row.cells), f" line {row.line}") for row in table.rows)
        )
    column = next((name for name in ("name", "class_name") if name in table.columns), None)
    if column is None:
        raise ModelError(
            f"{path}: the columns are {', '.join(table.columns)}, without 'name'", f"write {FORM}"
        )
    return _ordered(
        path, ((row.cells["class_index"], row.cells[column], f" line {row.line}") for row in table.rows)
    )


def _place(cells: Mapping[str, str]) -> str:
    """The label of a cell of the earth, see :class:`edgenet.geography.Place`."""
    return " ".join([*(cells[name].strip() for name in PLACE), cells.get("name", "")]).strip()


def _from_lines(path: Path, lines: Sequence[str]) -> tuple[str, ...]:
    """One name a line, or all lines numbered; a header over numbered lines is none of both."""
    found = [NUMBERED.fullmatch(line) for line in lines]
    if lines and all(found):
        return _ordered(path, ((item[1], item[2], f" line {item[0]!r}") for item in found if item))
    table = path.suffix.lower() in (".csv", ".tsv")
    if table or (len(lines) > 1 and all(found[1:]) and re.search(f"[{DELIMITERS}]", lines[0])):
        header = lines[0] if lines else ""
        raise ModelError(f"{path}: the header is {shown(header)}, without 'class_index'", f"write {FORM}")
    return tuple(lines)


def _from_json(path: Path, text: str) -> tuple[str, ...]:
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not JSON ({error})", "write a list of class names") from None
    if isinstance(value, dict) and isinstance(value.get("id2label"), dict):
        value = value["id2label"]  # the config.json of a Hugging Face model
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(value, dict) and value:
        if all(type(item) is int for item in value.values()):
            return _ordered(path, ((str(index), name, "") for name, index in value.items()))
        names = {key: _json_name(item) for key, item in value.items()}
        if None not in names.values():
            return _ordered(path, ((key, name or "", "") for key, name in names.items()))
    raise ModelError(
        f'{path}: neither a list of names nor {{"0": "daisy", …}} nor {{"daisy": 0, …}}',
        "write a list of class names",
    )


def _json_name(item: Any) -> str | None:
    """A name, alone or as Keras' ImageNet index has it, behind its synset: ["n01440764", "tench"]."""
    if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and SYNSET.fullmatch(item[0]):
        item = item[1]
    return item if isinstance(item, str) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"{shown(key)} is there twice")
        made[key] = value
    return made


def _from_label_map(path: Path, text: str) -> tuple[str, ...]:
    """Items of a ``StringIntLabelMap``; ``display_name`` counts where every item has one."""
    try:
        items = text_format.Parse(text, _label_map()(), allow_unknown_field=True).item
    except (text_format.ParseError, UnicodeError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{path}: not a label map ({reason})", "write item { id: 1 name: 'daisy' }"
        ) from None
    field = "display_name" if all(item.display_name for item in items) else "name"
    first = min((item.id for item in items), default=0)
    if first not in (0, 1):
        raise ModelError(f"{path}: ids begin at {first}", "number the items from 1, or from 0")
    return _ordered(path, ((str(item.id - first), getattr(item, field), "") for item in items))


@cache
def _label_map() -> Any:
    """The message of ``object_detection/protos/string_int_label_map.proto``, as far as it names classes."""
    file = FileDescriptorProto(name="edgenet_label_map.proto", package="edgenet", syntax="proto2")
    text, whole = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_INT32
    item, labels = DescriptorProto(name="Item"), DescriptorProto(name="LabelMap")
    for name, number, kind in (("name", 1, text), ("id", 2, whole), ("display_name", 3, text)):
        item.field.add(name=name, number=number, type=kind, label=FieldDescriptorProto.LABEL_OPTIONAL)
    labels.field.add(
        name="item", number=1, type=FieldDescriptorProto.TYPE_MESSAGE, type_name=".edgenet.Item",
        label=FieldDescriptorProto.LABEL_REPEATED,
    )  # fmt: skip
    file.message_type.extend([item, labels])
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("edgenet.LabelMap"))


def _ordered(path: Path, rows: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
    """Names by their indices, of (index, name, where it stands).

    Raises:
        ModelError: The indices are not 0, 1, 2 …, each once.
    """
    names: dict[int, str] = {}
    for cell, name, place in rows:
        index = whole_number(cell.strip())
        if index is None:
            raise ModelError(f"{path}{place}: class index {shown(cell)} is not an integer", "correct it")
        if index in names:
            raise ModelError(
                f"{path}{place}: class index {index} is there twice", "write one row for each class"
            )
        names[index] = name.strip()
    missing = next((index for index in range(len(names)) if index not in names), None)
    if missing is not None:
        raise ModelError(
            f"{path}: class indices are not 0 to {len(names) - 1}: {missing} is missing",
            f"number the classes from 0, one row each, as in {FORM}",
        )
    return tuple(names[index] for index in range(len(names)))
