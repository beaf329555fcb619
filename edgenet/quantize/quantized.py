"""A quantized model and everything a bundle needs of it: one file, for every backend and board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import onnx

from edgenet import __version__
from edgenet.card import ModelCard
from edgenet.drift import CLASSIFICATION
from edgenet.errors import ModelError
from edgenet.files import write_output
from edgenet.golden import Golden
from edgenet.json_value import Length, Where, Within
from edgenet.library import Table
from edgenet.manifest import GoldenSpec
from edgenet.model import Model
from edgenet.notebook import Shown
from edgenet.preprocessing import Preprocessing
from edgenet.quantize.container import AGAIN, FACTS, pack, unpack
from edgenet.quantize.result import Quantization
from edgenet.recipe import Recipe
from edgenet.record import Record
from edgenet.soundness import check_tensors
from edgenet.task import Task, load_task
from edgenet.tasks import task_names
from edgenet.text import cause

__all__ = ["SUFFIX", "Calibration", "Quantized"]

SUFFIX = ".int8.onnx"
REFERENCE = "reference.onnx"


@dataclass(frozen=True, kw_only=True)
class Calibration(Record):
    """The images that a model was quantized with.

    Attributes:
        digest: sha256 over names and contents of all that were to be used.
        skipped: Those left out, with reasons.
    """

    digest: Annotated[str, Length(64)]
    skipped: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Quantized(Shown):
    """What quantizing made, of which any backend makes its artifact.

    Attributes:
        original: The float model as the user gave it: the reference that builds are held to.
        model: The prepared model with Q/DQ inside: ``pixels``, uint8 [1, H, W, 3], to float32 [1, values].
        recipe: How it was quantized.
        account: What that did and cost, when it was computed.
        calibration: The images; ``None`` where there were none.
        golden: The golden set, with the float model's answers.
        cached: Whether it came out of the cache.
        input_notes: What a user should know of the card and the images; no part of the file.

    Examples:
        >>> made = edgenet.quantize_model("signs", "int8-minmax", "signs")
        >>> made, len(made.account.layers)
        (<Quantized signs, int8-minmax>, 28)
    """

    original: Model
    model: Model
    recipe: Recipe
    account: Quantization
    calibration: Calibration | None
    golden: Golden
    cached: bool = False
    input_notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Quantized {self.original.name}, {self.recipe.name}>"

    def _title(self) -> str:
        return f"{self.original.name} {self.model.precision}"

    def _rows(self) -> Mapping[str, Any]:
        account = self.account
        worst = min((item for item in account.layers if item.get("sqnr_db")), key=_sqnr, default=None)
        return {
            "recipe": self.recipe.name,
            "images": account.images,
            "layers": len(account.layers),
            **({"noisiest layer": f"{worst['name']}, {worst['sqnr_db']:.1f} dB"} if worst else {}),
            "took": "nothing, it was done before" if self.cached else f"{account.seconds:.1f} s",
            "notes": (*self.input_notes, *account.notes),
        }

    def to_table(self) -> dict[str, Any]:
        """What it is and what it cost, JSON-ready."""
        height, width = self.original.preprocessing.size
        return {
            "model": {"name": self.original.name, "digest": self.original.digest},
            "precision": self.model.precision,
            "size": [height, width],
            "classes": self.original.classes,
            "recipe": self.recipe.to_table(),
            "calibration": self.calibration.to_table() if self.calibration else None,
            "quantization": {**self.account.to_table(), "cached": self.cached},
        }

    def write(self, path: Path | str) -> Path:
        """Write one ONNX file, all of it or nothing; the same inputs give the same graph in it.

        Raises:
            DataError: It cannot be written.
        """
        return write_output(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """The bytes of the file (docs/quantization.md)."""
        facts = {
            "tool": f"edgenet {__version__}",
            "name": self.original.name,
            "digest": self.original.digest,
            "task": self.original.task_name,
            "settings": dict(self.original.settings),
            "output": self.original.output,
            "label_offset": self.original.label_offset,
            "labels": list(self.original.labels),
            "preprocessing": self.original.preprocessing.to_table(),
            "recipe": self.recipe.to_table(),
            "account": self.account.to_table(),
            "calibration": self.calibration.to_table() if self.calibration else None,
            "golden": self.golden.to_table(),
        }
        reference = self.original.proto.SerializeToString(deterministic=True)
        return pack(self.model.proto, facts, {REFERENCE: reference, **self.golden.files()})

    @classmethod
    def load(cls, path: Path | str) -> Quantized:
        """Read and check a file that :meth:`write` wrote.

        Raises:
            ModelError: Not such a file, of another schema, damaged, or its parts do not fit each other.
            LibraryError: Its recipe is not valid.
        """
        try:
            return cls.parse(Path(path).read_bytes(), str(path))
        except OSError as error:
            raise ModelError(
                f"{path}: cannot be read ({error.strerror})", f"give a file *{SUFFIX} of edgenet quantize"
            ) from None

    @classmethod
    def parse(cls, data: bytes, where: str) -> Quantized:
        """Check the bytes of such a file; see :meth:`load`."""
        proto, table, files = unpack(data, where)
        place = Where(where, FACTS, ModelError, AGAIN)
        facts = _Facts.from_table(table, place)
        if REFERENCE not in files:
            raise ModelError(f"{where}: no {REFERENCE} in it", AGAIN)
        card = ModelCard(facts.reader, facts.preprocessing)
        original = Model.parse(files[REFERENCE], facts.name, facts.digest, card, f"{where}: {REFERENCE}")
        recipe = Recipe.from_table(Table(facts.recipe, f"{where}: {FACTS} recipe"))
        check_tensors(proto, where)
        _check_graph(proto, original, where)
        return cls(
            original=original,
            model=replace(original, proto=proto, output=original.task.outputs[0], precision=recipe.precision),
            recipe=recipe,
            account=Quantization.from_table(facts.account, place.at("account")),
            calibration=facts.calibration,
            golden=_golden(facts, files, original, where),
        )


@dataclass(frozen=True, kw_only=True)
class _Facts(Record):
    """The JSON table of the file."""

    tool: Annotated[str, Length(512)]
    name: Annotated[str, Length(512)]
    digest: Annotated[str, Length(64)]
    task: Annotated[str, Length(64)] = CLASSIFICATION
    settings: Mapping[str, Any] = field(default_factory=dict)
    output: Annotated[str, Length(16)]
    label_offset: Annotated[int, Within(least=0, most=1)]
    labels: tuple[Annotated[str, Length(512)], ...]
    preprocessing: Preprocessing
    recipe: Mapping[str, Any]
    account: Mapping[str, Any]
    calibration: Calibration | None
    golden: GoldenSpec

    def check(self, where: Where) -> None:
        """Names that later stand in a path are plain, and the output is one that we know to read."""
        if self.task not in task_names():
            raise where.at("task").refuse(self.task, f"one of {', '.join(task_names())}")
        kind = load_task(self.task)
        if self.output not in kind.outputs:
            raise where.at("output").refuse(self.output, " or ".join(kind.outputs))
        kind.read_settings(self.settings, lambda what, _: where.at("settings").refuse(what, "valid"))
        if not self.name or Path(self.name).name != self.name:
            raise where.at("name").refuse(self.name, "the name of a model")

    @property
    def reader(self) -> Task:
        """How the model's answers are read."""
        return load_task(self.task)(self.output, self.labels, self.label_offset, self.settings)


def _golden(facts: _Facts, files: Mapping[str, bytes], original: Model, where: str) -> Golden:
    golden = Golden.from_files(facts.golden, files, original.preprocessing, where)
    if golden.reference.shape[1] != original.classes:
        raise ModelError(
            f"{where}: {golden.reference.shape[1]} values an image, the model gives {original.classes}", AGAIN
        )
    return golden


def _check_graph(proto: onnx.ModelProto, original: Model, where: str) -> None:
    """The int8 graph is valid, and takes and gives what the float model does."""
    if any(onnx.external_data_helper.uses_external_data(item) for item in proto.graph.initializer):
        raise ModelError(f"{where}: weights outside the file", AGAIN)
    try:
        onnx.checker.check_model(proto)
        onnx.shape_inference.infer_shapes(proto, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        reason = cause(error)
        raise ModelError(f"{where}: not a valid ONNX model ({reason})", AGAIN) from None
    height, width = original.preprocessing.size
    kinds = onnx.TensorProto
    found = [
        (item.type.tensor_type.elem_type, [dim.dim_value for dim in item.type.tensor_type.shape.dim])
        for item in [*proto.graph.input, *proto.graph.output]
    ]
    rows = [
        shape[1] for kind, shape in found[1:] if kind == kinds.FLOAT and len(shape) == 2 and shape[0] == 1
    ]
    whole = len(rows) == len(found) - 1 and sum(rows) == original.classes
    if found[:1] != [(kinds.UINT8, [1, height, width, 3])] or not whole:
        raise ModelError(
            f"{where}: its graph does not go from pixels to the model's {original.classes} values", AGAIN
        )


def _sqnr(layer: Mapping[str, Any]) -> float:
    return float(layer["sqnr_db"])
