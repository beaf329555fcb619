"""The JSON of an architecture, Keras 2's and Keras 3's, as one form: layers, and how each is called."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from edgenet.errors import ModelError
from edgenet.text import UNPRINTABLE

__all__ = [
    "AGAIN",
    "INPUT",
    "MODELS",
    "Call",
    "Entry",
    "Network",
    "Ref",
    "parse_network",
    "plain_value",
    "references",
]

FUNCTIONAL, SEQUENTIAL = ("Functional", "Model"), ("Sequential",)
MODELS = (*FUNCTIONAL, *SEQUENTIAL)
INPUT = "InputLayer"
MAX_LAYERS, MAX_NAME = 5000, 1024
CONSTANT = "_CONSTANT_VALUE"
AGAIN = 'save the model again: model.save("model.keras")'


class Ref(NamedTuple):
    """A tensor: what a layer gave at one of its calls."""

    layer: str
    call: int = 0
    tensor: int = 0


class Call(NamedTuple):
    """One call of a layer; a ``Ref`` stands for every tensor among the values."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One layer, operation or inner model.

    Attributes:
        name: The user's.
        kind: Its class.
        config: What Keras saved of it, not checked yet.
        calls: In the order in which Keras counts them.
        first: Number of the first call: 1 where Keras left one out, that with which a model was made.
        custom: Whether the class is the user's own.
        operation: Whether it is a function of ``keras.ops``.
    """

    name: str
    kind: str
    config: Mapping[str, Any]
    calls: tuple[Call, ...] = ()
    first: int = 0
    custom: bool = False
    operation: bool = False


@dataclass(frozen=True)
class Network:
    """A model: its layers, the tensors it takes and those it gives."""

    name: str
    entries: tuple[Entry, ...]
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]


def parse_network(kind: Any, config: Any, where: str) -> Network:
    """Read the config of a Functional or Sequential model.

    Raises:
        ModelError: It is damaged, or a model of another kind.
    """
    if not isinstance(kind, str):
        raise _damaged(where, "no class of the model")
    if kind not in MODELS:
        raise ModelError(
            f"{where}: the model is a {kind}, a custom class, and its code is not in the file",
            "build the same network with keras.Model(inputs, outputs) and save that",
        )
    sequential = kind in SEQUENTIAL
    layers = config if sequential and isinstance(config, list) else _get(config, "layers", list, where)
    if len(layers) > MAX_LAYERS:
        raise _damaged(where, f"{len(layers)} layers")
    name = config.get("name", "model") if isinstance(config, dict) else "model"
    name = _name(name, "model", where)
    entries = [_entry(layer, where) for layer in layers]
    names = {entry.name for entry in entries}
    if len(names) < len(entries) or not entries:
        raise _damaged(where, "layers of one name" if entries else "no layers")
    if sequential:
        return _chained(name, entries, config)
    calls = [_calls(layer.get("inbound_nodes", []), names, where) for layer in layers]
    entries = [replace(entry, calls=tuple(found)) for entry, found in zip(entries, calls, strict=True)]
    inputs = _ends(_get(config, "input_layers", (list, dict), where), names, where)
    outputs = _ends(_get(config, "output_layers", (list, dict), where), names, where)
    return Network(name, _numbered(entries, (*inputs, *outputs)), inputs, outputs)


def references(value: Any) -> list[Ref]:
    """The tensors in the values of a call, in their order."""
    if isinstance(value, Ref):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [ref for item in value for ref in references(item)] if isinstance(value, list | tuple) else []


def plain_value(value: Any) -> Any:
    """A value of a setting or a call; of an array, as Keras 3 writes it, its numbers."""
    if not isinstance(value, dict) or value.get("class_name") not in ("__numpy__", "__tensor__"):
        return value
    config = value.get("config")
    return config.get("value") if isinstance(config, dict) else None


def _entry(layer: Any, where: str) -> Entry:
    kind, config = _get(layer, "class_name", str, where), _get(layer, "config", (dict, list), where)
    held = config if isinstance(config, dict) else {}
    name = _name(layer.get("name", held.get("name")), f"layer of class {kind}", where)
    module, registered = str(layer.get("module") or ""), str(layer.get("registered_name") or "")
    foreign = bool(module) and module.partition(".")[0] not in ("keras", "tf_keras", "tensorflow", "builtins")
    return Entry(
        name=name,
        kind=kind.rpartition(">")[2],
        config=held if isinstance(config, dict) else {"name": name, "layers": config},
        custom=foreign or ">" in kind or ">" in registered,
        operation=".ops." in module,
    )


def _chained(name: str, entries: list[Entry], config: Any) -> Network:
    """A Sequential model as one whose layers call each other."""
    first = entries[0]
    if first.kind != INPUT:
        shape = first.config.get("batch_input_shape") or first.config.get("batch_shape")
        built = config.get("build_input_shape") if isinstance(config, dict) else None
        made = Entry(f"{first.name}_input", INPUT, {"batch_shape": shape or built})
        entries = [made, *entries]
    chained = [entries[0]]
    for before, entry in itertools.pairwise(entries):
        chained.append(replace(entry, calls=(Call((Ref(before.name),), {}),)))
    return Network(name, tuple(chained), (Ref(chained[0].name),), (Ref(chained[-1].name),))


def _numbered(entries: Sequence[Entry], ends: Sequence[Ref]) -> tuple[Entry, ...]:
    """Entries with the number of their first call, the least that anybody names."""
    least: dict[str, int] = {}
    named = [ref for entry in entries for call in entry.calls for ref in references(call)]
    for ref in (*named, *ends):
        least[ref.layer] = min(least.get(ref.layer, ref.call), ref.call)
    return tuple(replace(entry, first=least.get(entry.name, 0)) for entry in entries)


def _calls(nodes: Any, names: set[str], where: str) -> list[Call]:
    if not isinstance(nodes, list):
        raise _damaged(where, "the calls of a layer are no list")
    return [_call(node, names, where) for node in nodes]


def _call(node: Any, names: set[str], where: str) -> Call:
    if isinstance(node, dict) and isinstance(node.get("args"), list):
        kwargs = node.get("kwargs") or {}
        if not isinstance(kwargs, dict):
            raise _damaged(where, "the arguments of a call are no table")
        args = tuple(_keras3(item, where) for item in node["args"])
        return Call(args, {key: _keras3(item, where) for key, item in kwargs.items()})
    if isinstance(node, list) and node and isinstance(node[0], str):
        value, kwargs = _keras2(node, names, where)
        return Call((value,), kwargs)
    if isinstance(node, list) and node and all(isinstance(item, list) and item for item in node):
        found = [_keras2(item, names, where) for item in node]
        values = [value for value, _ in found]
        return Call((values[0] if len(values) == 1 else values,), found[0][1])
    raise _damaged(where, "a call of a layer has an unknown form")


def _keras2(item: Sequence[Any], names: set[str], where: str) -> tuple[Any, dict[str, Any]]:
    """``[layer, call, tensor, kwargs]``, or the same with a constant in place of the tensor."""
    kwargs = item[3] if len(item) > 3 else {}
    if len(item) < 3 or not isinstance(kwargs, dict):
        raise _damaged(where, "a call of a layer has an unknown form")
    read = {key: _inner2(value, names, where) for key, value in kwargs.items()}
    return (item[2] if item[0] == CONSTANT else _ref(item[:3], where)), read


def _inner2(value: Any, names: set[str], where: str) -> Any:
    if not isinstance(value, list):
        return value
    if len(value) in (3, 4) and isinstance(value[0], str):
        if value[0] == CONSTANT:
            return value[2]
        if value[0] in names:
            return _ref(value[:3], where)
    return [_inner2(item, names, where) for item in value]


def _keras3(value: Any, where: str) -> Any:
    if isinstance(value, list):
        return [_keras3(item, where) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__keras_tensor__":
        return _ref(_get(value.get("config"), "keras_history", list, where), where)
    return plain_value(value)


def _ref(item: Sequence[Any], where: str) -> Ref:
    if len(item) == 3 and isinstance(item[0], str):
        numbers = [number for number in item[1:] if type(number) is int and 0 <= number < MAX_LAYERS]
        if len(numbers) == 2:
            return Ref(item[0], *numbers)
    raise _damaged(where, "a call names no tensor")


def _ends(value: list[Any] | dict[str, Any], names: set[str], where: str) -> tuple[Ref, ...]:
    """The ends of a model: a list of tensors, a table of them, or one alone."""
    value = list(value.values()) if isinstance(value, dict) else value
    if value and isinstance(value[0], str):
        value = [value]
    found = tuple(_ref(item if isinstance(item, list) else (), where) for item in value)
    if not found or any(ref.layer not in names for ref in found):
        raise _damaged(where, "its inputs or outputs are no layers of it")
    return found


def _name(value: Any, what: str, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or UNPRINTABLE.search(value):
        raise _damaged(where, f"a {what} has no printable name")
    return value


def _get(table: Any, key: str, kind: type | tuple[type, ...], where: str) -> Any:
    value = table.get(key) if isinstance(table, dict) else None
    if not isinstance(value, kind):
        raise _damaged(where, f"no {key!r} where one was expected")
    return value


def _damaged(where: str, what: str) -> ModelError:
    return ModelError(f"{where}: the architecture is damaged ({what})", AGAIN)
