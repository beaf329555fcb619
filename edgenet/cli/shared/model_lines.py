"""What a model's file is, in lines for people: what is asked first comes first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgenet.steps.inspect import Build, Inspected

__all__ = ["build_row", "model_lines"]

Row = tuple[str, str]
# Classes that are named; of more only the first.
NAMED = 5


def model_lines(found: Inspected) -> list[Row]:
    """What it does, how it is fed, how large it is; the digest last."""
    table = found.to_table()
    made = f", made by {table['producer']}" if table["producer"] else ""
    opset = f", opset {table['opset']}" if table["opset"] else ""
    return [
        *(_carded(found, table) if found.model is not None else _uncarded(found, table)),
        ("input", _input(table)),
        *(("output", f"{item['name']!r} {item['dtype']} {_shape(item)}") for item in table["outputs"]),
        ("parameters", _count(table["parameters"])),
        ("multiply-adds", _count(table["multiply_adds"])),
        ("operators", ", ".join(f"{count} {name}" for name, count in table["operators"].items())),
        ("form", f"{table['form']}, {table['precision']}{opset}{made}"),
        ("sha256", str(table["digest"])),
    ]


def build_row(build: Build) -> Row:
    """Whether a backend compiles it."""
    told = ", ".join(build.precisions) if build.possible else f"no: {build.why}; {build.remedy}"
    return build.backend, told


def _carded(found: Inspected, table: Mapping[str, Any]) -> list[Row]:
    feeding = ", ".join(f"{key} {_value(value)}" for key, value in table["preprocessing"].items())
    return [
        ("task", f"{table['task']}, {table['classes']} values as {table['output']}"),
        *_names(found),
        ("preprocessing", feeding),
    ]


def _uncarded(found: Inspected, table: Mapping[str, Any]) -> list[Row]:
    read = [(key, line) for key, line in found.draft.lines.items() if line.why.startswith("read")]
    return [
        ("card", found.card),
        *((key, f"{line.value}  ({line.why.removeprefix('read: ')})") for key, line in read),
        ("open", ", ".join(table["open"]) or "nothing"),
    ]


def _names(found: Inspected) -> list[Row]:
    labels = found.model.labels if found.model else ()
    shown = ", ".join(labels[:NAMED]) + (", …" if len(labels) > NAMED else "")
    return [("classes", f"{len(labels)}: {shown}")] if labels else []


def _value(value: object) -> str:
    return "×".join(map(str, value)) if isinstance(value, list) and len(value) == 2 else str(value)


def _input(table: Mapping[str, Any]) -> str:
    entry, size = table["inputs"][0], table["size"]
    sides = f"{size[0]}x{size[1]}" if size else "any size"
    layout = f", {table['layout']}" if table["form"] == "onnx" else ""
    return f"{entry['name']!r} {entry['dtype']}, {sides}, {table['channels']} channels{layout}"


def _shape(told: Mapping[str, Any]) -> str:
    return "x".join(map(str, told["shape"]))


def _count(number: int | None) -> str:
    return "not known" if number is None else f"{number:,}"
