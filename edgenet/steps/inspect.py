"""A file in any form → what it is, what is inside, and on which backends it would run; no card is needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgenet.backend import backend_names, load_backend
from edgenet.cards.draft import Draft
from edgenet.drift import CLASSIFICATION
from edgenet.errors import EdgenetError, ModelError, PlanError
from edgenet.graph.cost import cost
from edgenet.graph.given.take import take_given
from edgenet.graph.passes.prepare import prepare
from edgenet.library import names
from edgenet.model import Model
from edgenet.network import Network
from edgenet.quantize.quantized import Quantized
from edgenet.shell import command_line
from edgenet.steps.first_draft import first_draft, own_task
from edgenet.steps.plan import PRECISIONS, given_plan, plan_for
from edgenet.steps.source import model_path, read_quantized, read_source
from edgenet.target import Target
from edgenet.task import load_task

__all__ = ["Build", "Inspected", "inspect_model"]


@dataclass(frozen=True)
class Build:
    """Whether one backend takes a model.

    Attributes:
        backend: Its name.
        possible: Whether the float graph, or the one that came quantized, was written in its format just now.
        precisions: Those that some board of edgenet's runs with it.
        why: The reason where it is not possible.
        remedy: What to do then.
    """

    backend: str
    possible: bool
    precisions: tuple[str, ...] = ()
    why: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Inspected:
    """What a model's file is.

    Attributes:
        network: What the file says by itself.
        draft: The card as far as the file tells it.
        model: The model with its card; ``None`` without one that can be used.
        card: What is the matter with its card; empty where there is nothing.
        builds: One a backend.
        next: What to do now.
    """

    network: Network
    draft: Draft
    model: Model | None
    card: str
    builds: tuple[Build, ...]
    next: str

    def to_table(self) -> dict[str, Any]:
        """JSON-ready."""
        network, model, lines = self.network, self.model, self.draft.lines
        task = model.task if model else own_task(network)
        size = model.preprocessing.size if model else network.size
        return {
            "name": network.path.stem,
            "form": network.form,
            "digest": network.digest,
            "precision": "int8" if network.quantized else "fp32",
            **network.facts,
            "classes": network.values,
            **_counted(network),
            "size": None if network.free and model is None else list(size),
            "channels": 1 if network.gray else 3,
            "layout": "NHWC" if network.nhwc else "NCHW",
            "task": task.name if task else None,
            "output": task.output if task else None,
            "preprocessing": model.preprocessing.to_table() if model else None,
            "card": self.card or None,
            "read": {key: line.value for key, line in lines.items() if line.why.startswith("read")},
            "open": list(self.draft.open),
            "operators": dict(Counter(node.op_type for node in network.proto.graph.node).most_common()),
            "builds": [asdict(item) for item in self.builds],
            "notes": list(network.notes),
            "next": self.next,
        }


def inspect_model(path: Path | str) -> Inspected | Quantized:
    """Read a model's file in any form, with the card beside it or without.

    Args:
        path: The file, or the name of an embedded model; what ``edgenet quantize`` wrote is returned as it
            is.

    Raises:
        ModelError: It cannot be read.
    """
    named, path = path, model_path(path)
    quantized = read_quantized(path) if path.is_file() else None
    if quantized is not None:
        return quantized
    network = Network.read(path)
    model, card, remedy = None, "", ""
    try:
        source = read_source(path)
        model = source if isinstance(source, Model) else None
    except ModelError as error:
        card, remedy = error.what.removeprefix(f"{path}: "), error.remedy
    builds = _builds(network, model)
    if model is not None:
        remedy = f"edgenet compile {command_line([str(named)])} --target T --calibration DIR"
    if not any(item.possible for item in builds):
        remedy = next(item.remedy for item in builds)
    return Inspected(network, first_draft(network), model, card, builds, remedy)


def _counted(network: Network) -> dict[str, int | None]:
    """Parameters and multiply-adds; ``None`` of a graph whose shapes do not tell them."""
    try:
        total = cost(network.proto)
    except ModelError:
        return {"parameters": None, "multiply_adds": None}
    return {"parameters": total.parameters, "multiply_adds": total.macs}


def _builds(network: Network, model: Model | None) -> tuple[Build, ...]:
    """Every backend, with the model as its card says or, without one, with pixels as they are."""
    backends = backend_names()
    try:
        given = model or network.checked(own_task(network) or _classifier())
        prepared = take_given(given) if given.precision == "int8" else prepare(given)
    except EdgenetError as error:
        return tuple(Build(name, False, (), error.what, error.remedy) for name in backends)
    boards = [Target.load(name) for name in names("target")]
    return tuple(_build(name, prepared, boards, given.precision == "int8") for name in backends)


def _classifier() -> Any:
    kind = load_task(CLASSIFICATION)
    return kind(kind.outputs[0])


def _build(backend: str, prepared: Model, boards: list[Target], given: bool) -> Build:
    runs = {board.name: _precisions(backend, board, given) for board in boards if backend in board.backends}
    precisions = tuple(item for item in PRECISIONS if any(item in able for able in runs.values()))
    if not precisions:
        return Build(backend, False, (), "no board of edgenet's runs it so", "choose another backend")
    board = next(item for item in boards if runs.get(item.name))
    try:
        load_backend(backend).lower(prepared, board)
    except EdgenetError as error:
        return Build(backend, False, (), error.what, error.remedy)
    return Build(backend, True, precisions)


def _precisions(backend: str, board: Target, given: bool) -> tuple[str, ...]:
    found = []
    for precision in PRECISIONS:
        try:
            given_plan(board, backend, precision) if given else plan_for(board, backend, precision)
        except PlanError:
            continue
        found.append(precision)
    return tuple(found)
