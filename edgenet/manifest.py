"""What ``manifest.json`` of a bundle says, read and bounded once (docs/bundle.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent.tasks import real
from edgenet.drift import CLASSIFICATION, Conversion
from edgenet.errors import BundleError, ModelError
from edgenet.json_value import Length, Where, Within
from edgenet.preprocessing import Preprocessing
from edgenet.record import Record
from edgenet.task import Task, load_task
from edgenet.tasks import task_names

__all__ = [
    "AGAIN", "ArtifactSpec", "FileSpec", "GoldenImage", "GoldenSpec", "InputSpec", "Manifest", "ModelSpec",
    "PartSpec", "ReferenceSpec", "TensorSpec",
]  # fmt: skip

AGAIN = "compile the model again"
Name = Annotated[str, Length(512)]
Digest = Annotated[str, Length(64)]
Bytes = Annotated[int, Within(least=0, most=512 << 20)]
Side = Annotated[int, Within(least=1, most=4096)]
DTYPES = ("float32", "int8")
Values = Annotated[int, Within(least=1, most=8_000_000)]
Scale = Annotated[float, Within(above=0.0, most=1e9)]
ZeroPoint = Annotated[int, Within(least=-128, most=127)]


@dataclass(frozen=True, kw_only=True)
class PartSpec(Record):
    """One of several outputs: its values, and its own scale and zero point where it is int8."""

    name: Name
    values: Values
    scale: Scale | None
    zero_point: ZeroPoint | None


@dataclass(frozen=True, kw_only=True)
class TensorSpec(Record):
    """How an artifact's output is read: ``value = scale * (raw - zero_point)`` where it is int8.

    Attributes:
        meaning: In the task's words: "logits", "probabilities", "embedding" ….
        classes: Number of values: classes, the background class included, or dimensions.
        dtype: "float32" or "int8", of every output.
        scale: Real value of one step; ``None`` for float32.
        zero_point: Raw value of real zero; ``None`` for float32.
        label: Whether a second output gives the index of the largest value.
        parts: The outputs of several heads in their order, which one after another are the values; each has
            a scale of its own, and ``scale`` and ``zero_point`` are ``None``.
    """

    meaning: Name = "logits"
    classes: Values
    dtype: Name
    scale: Scale | None
    zero_point: ZeroPoint | None
    label: bool = False
    parts: tuple[PartSpec, ...] | None = None

    @classmethod
    def float32(cls, classes: int, meaning: str = "logits", label: bool = False) -> TensorSpec:
        """An output whose values are real numbers as they are."""
        return cls(
            meaning=meaning, classes=classes, dtype="float32", scale=None, zero_point=None, label=label
        )

    @classmethod
    def int8(
        cls, classes: int, scale: float, zero_point: int, meaning: str = "logits", label: bool = False
    ) -> TensorSpec:
        """Quantized values."""
        return cls(
            meaning=meaning, classes=classes, dtype="int8", scale=scale, zero_point=zero_point, label=label
        )

    @classmethod
    def of_heads(cls, parts: Sequence[PartSpec], meaning: str, label: bool = False) -> TensorSpec:
        """An artifact with these outputs, all of them int8 or none; one alone is an output as any other."""
        first, count = parts[0], sum(item.values for item in parts)
        if len(parts) == 1 and (first.scale is None or first.zero_point is None):
            return cls.float32(count, meaning, label)
        if len(parts) == 1 and first.scale is not None and first.zero_point is not None:
            return cls.int8(count, first.scale, first.zero_point, meaning, label)
        dtype = "float32" if first.scale is None else "int8"
        shared: dict[str, Any] = {"meaning": meaning, "classes": count, "dtype": dtype, "label": label}
        return cls(scale=None, zero_point=None, parts=tuple(parts), **shared)

    def check(self, where: Where) -> None:
        """An int8 output has a scale and a zero point, a float one neither; parts are all of it."""
        _one_of(where.at("dtype"), self.dtype, DTYPES)
        told = (
            [(self.scale, self.zero_point)]
            if self.parts is None
            else [(p.scale, p.zero_point) for p in self.parts]
        )
        for scale, zero in told:
            if {scale is None, zero is None} != {self.dtype == "float32"}:
                raise where.at("scale").refuse(scale, f"what {self.dtype} has")
        if self.parts is None:
            return
        if self.scale is not None or self.zero_point is not None:
            raise where.at("scale").refuse(self.scale, "null beside parts")
        if sum(item.values for item in self.parts) != self.classes:
            raise where.at("parts").refuse(len(self.parts), f"outputs of {self.classes} values together")

    def values(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        """What the raw values [..., values] mean, shape kept."""
        return real(raw, *self._affine)

    @property
    def step(self) -> NDArray[np.float64]:
        """The real value of one step of each value: [values], or one number for all; 0 for float32."""
        scale = self._affine[0]
        return np.asarray(0.0 if scale is None else scale, np.float64)

    @property
    def _affine(self) -> tuple[Any, Any]:
        """Scale and zero point of all values, or of each."""
        if not self.parts or self.dtype == "float32":
            return self.scale, self.zero_point
        counts = [item.values for item in self.parts]
        told = [item.scale for item in self.parts], [item.zero_point for item in self.parts]
        scale, zero = (np.repeat(np.array(item, np.float32), counts) for item in told)
        return scale, zero


@dataclass(frozen=True, kw_only=True)
class InputSpec(Record):
    """The pixels that an artifact takes: [1, H, W, 3]."""

    dtype: Name
    layout: Name
    color: Name
    shape: tuple[Side, Side, Side, Side]


@dataclass(frozen=True, kw_only=True)
class ArtifactSpec(Record):
    """The file that the board runs or finishes; ``build`` says how it is finished there, if it is."""

    file: Name
    sha256: Digest
    size: Bytes
    input: InputSpec
    output: TensorSpec
    build: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Record):
    """The user's model: name, identity, task, what it gives, and what its card says for the task alone."""

    name: Name
    digest: Digest
    output: Name
    task: Name = CLASSIFICATION
    settings: Mapping[str, Any] = field(default_factory=dict)

    def check(self, where: Where) -> None:
        """The task and the output are ones that we know to read."""
        _one_of(where.at("task"), self.task, task_names())
        kind = load_task(self.task)
        _one_of(where.at("output"), self.output, kind.outputs)
        kind.read_settings(self.settings, lambda what, _: where.at("settings").refuse(what, "valid"))


@dataclass(frozen=True, kw_only=True)
class GoldenImage(Record):
    """One image of the golden set, and the sha256 of the pixels that the network sees of it."""

    file: Name
    pixels_sha256: Digest


@dataclass(frozen=True, kw_only=True)
class GoldenSpec(Record):
    """The golden set; ``source`` is "calibration" or "synthetic"."""

    source: Name
    images: tuple[GoldenImage, ...]


@dataclass(frozen=True, kw_only=True)
class FileSpec(Record):
    """A file of the bundle."""

    sha256: Digest
    size: Bytes


@dataclass(frozen=True, kw_only=True)
class ReferenceSpec(Record):
    """The model as the user gave it, to which drift is measured: "fp32", or "int8" if it came quantized."""

    file: Name
    precision: Name = "fp32"


@dataclass(frozen=True, kw_only=True)
class Manifest(Record):
    """Everything a bundle says about itself; see docs/bundle.md for each field.

    ``recipe``, ``calibration`` and ``quantization`` are what made it, kept for people; ``None`` for float.
    """

    schema: int = 1
    tool: Name
    model: ModelSpec
    target: Name
    backend: Name
    precision: Name
    built: Name
    artifact: ArtifactSpec
    preprocessing: Preprocessing
    labels: tuple[Name, ...]
    label_offset: Annotated[int, Within(least=0, most=1)]
    reference: ReferenceSpec
    recipe: Mapping[str, Any] | None
    calibration: Mapping[str, Any] | None
    quantization: Mapping[str, Any] | None
    golden: GoldenSpec
    conversion: Conversion
    files: Mapping[str, FileSpec] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: object, where: str) -> Manifest:
        """Read a manifest.

        Raises:
            BundleError: A field is missing, of another type or out of bounds; it is named.
        """
        try:
            return cls.from_table(value, Where(where, error=BundleError, remedy=AGAIN))
        except ModelError as error:
            raise BundleError(error.what, AGAIN) from None

    def check(self, where: Where) -> None:
        """Every file that is named is there, and shapes and counts fit each other."""
        named = [self.artifact.file, self.reference.file, *(item.file for item in self.golden.images)]
        for name in named:
            if name not in self.files:
                raise where.refuse(name, "a manifest whose files are all in the bundle")
        _, *sides, _ = self.artifact.input.shape
        if tuple(sides) != self.preprocessing.size:
            raise where.at("artifact").at("input").refuse(sides, f"the size {self.preprocessing.size}")
        output, task = self.artifact.output, self.task
        _one_of(where.at("artifact").at("output").at("meaning"), output.meaning, task.outputs)
        if wrong := task.check(output.classes):
            raise where.at("labels").refuse(wrong[0], "one of each class")

    @property
    def task(self) -> Task:
        """How the answers are read."""
        how = (self.model.output, self.labels, self.label_offset, self.model.settings)
        return load_task(self.model.task)(*how)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The label of each output value, "background" where the network has that class; or none at all."""
        return (("background",) * self.label_offset + self.labels) if self.labels else ()


def _one_of(where: Where, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise where.refuse(value, " or ".join(known))
