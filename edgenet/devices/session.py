"""A loaded model on a board: measure it, or let it answer images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgenet.agent import wire
from edgenet.devices.answers import Bench, Loaded, Replay, Roof, RuntimeLayer, Tap, Turns
from edgenet.devices.channel import REMEDY, Channel, OnEvent
from edgenet.errors import DataError, DeviceError
from edgenet.frame import FORMS, Frame
from edgenet.measured import Sensors
from edgenet.report import WarmUp

__all__ = ["Answer", "BenchResult", "Session", "Tensor", "TurnForm", "TurnsResult"]

BATCH = 4 * 1024 * 1024
_DTYPES = ("int8", "uint8", "float32", "float16", "int32", "int64", "float64")


@dataclass(frozen=True, eq=False)
class BenchResult:
    """What a bench measured.

    Attributes:
        model_ms: float64 [runs]; ms of each invocation of the model.
        pipeline_ms: float64 [runs]; ms of each frame from bytes to label; empty where not asked for.
        parts_ms: Mean ms of a frame's ``decode``, ``fit``, ``invoke``, ``post``.
        parts_absent: Which of them is not there, and why.
        memory_mb: ``import``, ``load``, ``first_run`` (growth), ``peak``, MB of 1e6 bytes; None if unknown;
            ``gpu`` (scratch memory of one run) where the runtime tells.
        sensors: ``before``, ``after`` and the list ``during``.
        warmup: Per stage: ``seconds``, ``runs``, ``steady``.
        label: The last frame's label.
        layers: ``name``, ``op`` and ``ms`` (or ``until_ms``, the layers before it included) of each layer.
        layers_absent: Why there are none.
        stride: Per stage: every how many runs one sample was kept.
        profiled_ms: Fastest run of the whole model while the runtime profiled itself, where it did.
        arena_absent: Why ``memory_mb`` has no ``arena``.
        roof: ``copy_gb_s`` and ``sgemm_gmac_s`` of the board, where the protocol asks.
    """

    model_ms: NDArray[np.float64]
    pipeline_ms: NDArray[np.float64]
    parts_ms: Mapping[str, float]
    memory_mb: Mapping[str, float | None]
    sensors: Sensors
    warmup: Mapping[str, WarmUp]
    label: str | None
    layers: Sequence[RuntimeLayer] = ()
    layers_absent: str | None = None
    stride: Mapping[str, int] = field_(default_factory=dict)
    profiled_ms: float | None = None
    arena_absent: str | None = None
    roof: Roof | None = None
    parts_absent: Mapping[str, str] = field_(default_factory=dict)


class TurnForm(NamedTuple):
    """One of the forms that take turns.

    Attributes:
        frame: Size and form.
        pictures: Frames of it; the first that are together at most 8 MiB are used.
        decode: In place of what the model's card says, where it is not ``None``.
    """

    frame: Frame
    pictures: Sequence[bytes]
    decode: str | None = None


@dataclass(frozen=True, eq=False)
class TurnsResult:
    """Several forms of frames, measured in turn.

    Attributes:
        ms: float64 [rounds, forms]; ms from bytes to label.
        parts_ms: Of each form, as in :class:`BenchResult`.
    """

    ms: NDArray[np.float64]
    parts_ms: Sequence[Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Tensor:
    """The value of an inner tensor for one image, and the scale and zero point that make it real."""

    value: NDArray[Any]
    scale: float | None
    zero_point: int | None


@dataclass(frozen=True, eq=False)
class Answer:
    """One image's answer: the raw output [classes], and the sha256 of the pixels the model saw."""

    output: NDArray[Any]
    pixels_sha256: str


class Session:
    """An open model.

    Attributes:
        loaded: What opening it told.
    """

    def __init__(self, channel: Channel, loaded: Loaded) -> None:
        self._channel = channel
        self.loaded = loaded

    def bench(
        self,
        protocol: Mapping[str, Any],
        images: Sequence[bytes],
        progress: OnEvent | None = None,
        frame: Frame | None = None,
    ) -> BenchResult:
        """Measure the model.

        Args:
            protocol: ``warmup_s``, ``min_seconds``, ``min_runs``, ``max_seconds``, ….
            images: Encoded images, which the board must be able to decode; the first of them that
                are together at most 8 MiB are used.
            progress: Called about five times a second with stage, runs, seconds, of_seconds.
            frame: What the images are where a camera gives them so; ``None`` for images as files hold them.

        Raises:
            BoardError: ``died``, ``run``.
            DataError: The first image is over 8 MiB.
        """
        header, data = _pictures(images, frame)
        request = {"protocol": dict(protocol), **header}
        reply, body = self._channel.ask(Bench, wire.BENCH, request, data, progress)
        samples = _times(body, reply.runs.model + reply.runs.pipeline)
        if not reply.runs.model:
            raise DeviceError("the agent's samples are not times", REMEDY)
        return BenchResult(
            model_ms=samples[: reply.runs.model],
            pipeline_ms=samples[reply.runs.model :],
            parts_ms=reply.parts_ms,
            memory_mb={**self.loaded.memory_mb, **reply.memory_mb, **self._gpu()},
            sensors=reply.sensors,
            warmup=reply.warmup,
            label=reply.label,
            layers=reply.layers,
            layers_absent=reply.layers_absent,
            profiled_ms=reply.profiled_ms,
            arena_absent=reply.arena_absent,
            stride=reply.stride,
            roof=reply.roof,
            parts_absent=reply.parts_absent,
        )

    def turns(
        self,
        protocol: Mapping[str, Any],
        forms: Sequence[TurnForm],
        progress: OnEvent | None = None,
    ) -> TurnsResult:
        """Measure the whole way for several forms of frames, one run of each in turn.

        Args:
            protocol: ``warmup_s``, ``min_seconds``, ``min_runs``, ``max_seconds``; a run is a round here.
            forms: At least one.
            progress: As for :meth:`bench`.

        Raises:
            BoardError: ``died``, ``run``.
        """
        for form in forms:
            header, data = _pictures(form.pictures, form.frame)
            self._channel.request(wire.FRAMES, {**header, "decode": form.decode}, data)
        request = {"protocol": dict(protocol)}
        reply, body = self._channel.ask(Turns, wire.TURNS, request, progress=progress)
        if len(reply.parts_ms) != len(forms):
            raise DeviceError("the agent measured another number of forms than were sent", REMEDY)
        samples = _times(body, reply.rounds * len(forms))
        return TurnsResult(samples.reshape(reply.rounds, len(forms)), reply.parts_ms)

    def _gpu(self) -> dict[str, float | None]:
        """The scratch memory of one run on a GPU, where the runtime tells."""
        told = self.loaded.described.get("gpu_memory_mb")
        return {"gpu": float(told)} if isinstance(told, int | float) else {}

    def tap(self, tensor: str, image: bytes) -> Tensor:
        """The value of one tensor inside the artifact, computed on the board.

        Args:
            tensor: Its name in the artifact.
            image: Encoded.

        Raises:
            BoardError: ``run``: the runtime cannot show it; ``bad-request``: no runtime here can.
        """
        reply, body = self._channel.ask(Tap, wire.TAP, {"tensor": tensor}, image)
        name, shape = reply.dtype, reply.shape
        if name not in _DTYPES or len(body) != np.dtype(name).itemsize * math.prod(shape):
            raise DeviceError("the agent's tensor does not match its size", REMEDY)
        value = np.frombuffer(body, np.dtype(name).newbyteorder("<")).astype(np.dtype(name)).reshape(shape)
        return Tensor(value, reply.scale, reply.zero_point)

    def replay(self, images: Iterable[bytes], progress: OnEvent | None = None) -> Iterator[Answer]:
        """Answer images in order, sent in batches of about 4 MiB.

        Args:
            images: Encoded images, each at most 8 MiB.
            progress: Called after each reply with ``{"stage": "replay", "done"}``.

        Raises:
            BoardError: ``bad-image``, ``died``, ``run``.
            DataError: An image is over 8 MiB.
        """
        done = 0
        for batch in _batches(images, BATCH):
            left = batch
            while left:
                try:
                    answers = self._replay(left)
                except DeviceError as error:
                    index = getattr(error, "facts", {}).get("image")
                    if isinstance(index, int):
                        error.what = error.what.replace(f"image {index}:", f"image {done + index}:", 1)
                    raise
                yield from answers
                done, left = done + len(answers), left[len(answers) :]
                if progress is not None:
                    progress({"stage": "replay", "done": done})

    def _replay(self, batch: Sequence[bytes]) -> Sequence[Answer]:
        """The answers to the first of some images, as many as the board had room for in its reply."""
        sizes = {"sizes": [len(image) for image in batch]}
        reply, body = self._channel.ask(Replay, wire.REPLAY, sizes, b"".join(batch))
        count = len(reply.pixels)
        if reply.dtype not in _DTYPES or not 0 < count <= len(batch):
            raise DeviceError("the agent's answers do not match the images", REMEDY)
        dtype = np.dtype(reply.dtype)
        if len(body) != reply.outputs * dtype.itemsize * count:
            raise DeviceError("the agent's answers do not match their size", REMEDY)
        values = np.frombuffer(body, dtype.newbyteorder("<")).astype(dtype)
        pairs = zip(values.reshape(count, -1), reply.pixels, strict=True)
        return [Answer(output, digest) for output, digest in pairs]

    def close(self) -> None:
        """End the model's process on the board."""
        self._channel.request(wire.CLOSE, {})


def _pictures(pictures: Sequence[bytes], frame: Frame | None) -> tuple[dict[str, Any], bytes]:
    """Header and body of a request: the first of some pictures that are together at most 8 MiB."""
    pictures = next(_batches(pictures, wire.MAX_BODY))
    header: dict[str, Any] = {"sizes": [len(picture) for picture in pictures]}
    if frame is not None:
        header["frame"] = {"kind": FORMS[frame.form].kind, "size": [frame.width, frame.height]}
    return header, b"".join(pictures)


def _times(body: bytes, count: int) -> NDArray[np.float64]:
    """Samples of an agent: float64 [count], ms."""
    if len(body) != 8 * count:
        raise DeviceError("the agent's samples do not match their count", REMEDY)
    samples = np.frombuffer(body, "<f8").astype(np.float64)
    if not np.isfinite(samples).all() or (samples < 0).any():
        raise DeviceError("the agent's samples are not times", REMEDY)
    return samples


def _batches(images: Iterable[bytes], limit: int) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for image in images:
        if len(image) > wire.MAX_BODY:
            raise DataError(
                f"an image of {len(image) / 1e6:.1f} MB is too large to send", "shrink it below 8 MB"
            )
        if batch and size + len(image) > limit:
            yield batch
            batch, size = [], 0
        batch.append(image)
        size += len(image)
    if batch:
        yield batch
