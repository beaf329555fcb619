"""A loaded model on a board: measure it, or let it answer images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.agent import wire
from edgenet.devices.channel import Channel, OnEvent
from edgenet.devices.replies import field, fields
from edgenet.errors import DataError, DeviceError

__all__ = ["Answer", "BenchResult", "Session", "Tensor"]

BATCH = 4 * 1024 * 1024
ROOF = ("copy_gb_s", "sgemm_gmac_s")
_DTYPES = ("int8", "uint8", "float32", "float16", "int32", "int64", "float64")


@dataclass(frozen=True, eq=False)
class BenchResult:
    """What a bench measured.

    Attributes:
        model_ms: float64 [runs]; ms of each invocation of the model.
        pipeline_ms: float64 [runs]; ms of each frame from bytes to label; empty where not asked for.
        parts_ms: Mean ms of a frame's ``decode``, ``fit``, ``invoke``, ``post``.
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
    sensors: Mapping[str, Any]
    warmup: Mapping[str, Any]
    label: str | None
    layers: Sequence[Mapping[str, Any]] = ()
    layers_absent: str | None = None
    stride: Mapping[str, int] = field_(default_factory=dict)
    profiled_ms: float | None = None
    arena_absent: str | None = None
    roof: Mapping[str, float] | None = None


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
        loaded: ``runtime_version``, ``described``, ``decodes``, ``import_ms``, ``load_ms``,
            ``first_run_ms``, ``memory_mb``.
    """

    def __init__(self, channel: Channel, loaded: Mapping[str, Any]) -> None:
        self._channel = channel
        self.loaded = {name: value for name, value in loaded.items() if name not in ("id", "ok")}
        field(self.loaded, "runtime_version", str)
        field(self.loaded, "memory_mb", dict)

    def bench(
        self, protocol: Mapping[str, Any], images: Sequence[bytes], progress: OnEvent | None = None
    ) -> BenchResult:
        """Measure the model.

        Args:
            protocol: ``warmup_s``, ``min_seconds``, ``min_runs``, ``max_seconds``, ….
            images: Encoded images, which the board must be able to decode; the first of them that
                are together at most 8 MiB are used.
            progress: Called about five times a second with stage, runs, seconds, of_seconds.

        Raises:
            BoardError: ``died``, ``run``.
            DataError: The first image is over 8 MiB.
        """
        images = next(_batches(images, wire.MAX_BODY))
        header = {"protocol": dict(protocol), "sizes": [len(image) for image in images]}
        reply, body = self._channel.request(wire.BENCH, header, b"".join(images), progress)
        runs = field(reply, "runs", dict)
        model, pipeline = field(runs, "model", int), runs.get("pipeline", 0)
        if not isinstance(pipeline, int) or len(body) != 8 * (model + pipeline):
            raise DeviceError(
                "the agent's samples do not match their count", "this is a bug: please report it"
            )
        samples = np.frombuffer(body, "<f8").astype(np.float64)
        if not np.isfinite(samples).all() or (samples < 0).any():
            raise DeviceError("the agent's samples are not times", "this is a bug: please report it")
        memory = {**field(self.loaded, "memory_mb", dict), **field(reply, "memory_mb", dict)}
        described = self.loaded.get("described")
        if isinstance(described, dict) and "gpu_memory_mb" in described:
            memory["gpu"] = field(described, "gpu_memory_mb", float)
        roof = reply.get("roof")
        return BenchResult(
            model_ms=samples[:model],
            pipeline_ms=samples[model:],
            parts_ms=reply["parts_ms"] if isinstance(reply.get("parts_ms"), dict) else {},
            memory_mb=memory,
            sensors=field(reply, "sensors", dict),
            warmup=field(reply, "warmup", dict),
            label=_text(reply, "label"),
            layers=fields(reply, "layers", dict),
            layers_absent=_text(reply, "layers_absent"),
            profiled_ms=field(reply, "profiled_ms", float) if reply.get("profiled_ms") is not None else None,
            arena_absent=_text(reply, "arena_absent"),
            stride=stride if isinstance(stride := reply.get("stride"), dict) else {},
            roof={name: field(roof, name, float) for name in ROOF} if isinstance(roof, dict) else None,
        )

    def tap(self, tensor: str, image: bytes) -> Tensor:
        """The value of one tensor inside the artifact, computed on the board.

        Args:
            tensor: Its name in the artifact.
            image: Encoded.

        Raises:
            BoardError: ``run``: the runtime cannot show it; ``bad-request``: no runtime here can.
        """
        reply, body = self._channel.request(wire.TAP, {"tensor": tensor}, image)
        name, shape = field(reply, "dtype", str), fields(reply, "shape", int)
        if name not in _DTYPES or len(body) != np.dtype(name).itemsize * math.prod(shape):
            raise DeviceError("the agent's tensor does not match its size", "this is a bug: please report it")
        value = np.frombuffer(body, np.dtype(name).newbyteorder("<")).astype(np.dtype(name)).reshape(shape)
        if reply.get("scale") is None:
            return Tensor(value, None, None)
        return Tensor(value, field(reply, "scale", float), field(reply, "zero_point", int))

    def replay(self, images: Iterable[bytes], progress: OnEvent | None = None) -> Iterator[Answer]:
        """Answer images in order, sent in batches of about 4 MiB.

        Args:
            images: Encoded images, each at most 8 MiB.
            progress: Called after each batch with ``{"stage": "replay", "done"}``.

        Raises:
            BoardError: ``bad-image``, ``died``, ``run``.
            DataError: An image is over 8 MiB.
        """
        done = 0
        for batch in _batches(images, BATCH):
            try:
                yield from self._replay(batch)
            except DeviceError as error:
                index = getattr(error, "facts", {}).get("image")
                if isinstance(index, int):
                    error.what = error.what.replace(f"image {index}:", f"image {done + index}:", 1)
                    error.args = (str(error.what),)
                raise
            done += len(batch)
            if progress is not None:
                progress({"stage": "replay", "done": done})

    def _replay(self, batch: Sequence[bytes]) -> Iterator[Answer]:
        reply, body = self._channel.request(
            wire.REPLAY, {"sizes": [len(image) for image in batch]}, b"".join(batch)
        )
        name, count = field(reply, "dtype", str), field(reply, "outputs", int)
        pixels = fields(reply, "pixels", str)
        if name not in _DTYPES or len(pixels) != len(batch):
            raise DeviceError(
                "the agent's answers do not match the images", "this is a bug: please report it"
            )
        dtype = np.dtype(name).newbyteorder("<")
        if count < 1 or len(body) != count * dtype.itemsize * len(batch):
            raise DeviceError(
                "the agent's answers do not match their size", "this is a bug: please report it"
            )
        outputs = np.frombuffer(body, dtype).astype(np.dtype(name)).reshape(len(batch), count)
        for output, digest in zip(outputs, pixels, strict=True):
            yield Answer(output, digest)

    def close(self) -> None:
        """End the model's process on the board."""
        self._channel.request(wire.CLOSE, {})


def _text(reply: Mapping[str, Any], name: str) -> str | None:
    return value if isinstance(value := reply.get(name), str) else None


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
