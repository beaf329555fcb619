"""Deployment → report: how fast, how much memory, how faithful."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.backends.base import Output
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.device import connect
from edgenet.devices.session import Answer, BenchResult
from edgenet.errors import DataError, DeviceError
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.progress import Progress, silent
from edgenet.protocol import Protocol
from edgenet.report import SCHEMA, Report, latency
from edgenet.steps.drift import drift, kernel, quantization
from edgenet.steps.events import board_events
from edgenet.steps.replay import Encoder, Expected, Truth, encoder_for, from_golden, from_set, golden_images
from edgenet.steps.verdict import judge

__all__ = ["profile"]


def profile(
    bundle: Bundle | Path | str,
    device: str = "local",
    protocol: Protocol | str = "single-stream",
    val: ImageSet | Path | str | None = None,
    min_fps: float | None = None,
    max_drift: float | None = None,
    progress: Progress = silent,
    known: Truth | None = None,
) -> Report:
    """Measure a deployed bundle on its board.

    Args:
        bundle: The bundle that was deployed there.
        device: "local", ``user@host[:port]`` or an ssh alias.
        protocol: How to measure.
        val: Images to judge accuracy on, with ``labels.csv`` for top-1; else the bundle's few golden ones.
        min_fps: Limit for the pipeline's FPS (the model's, where the protocol has no pipeline).
        max_drift: Limit for the lost top-1 in percentage points, or, without labels, for the share of
            images whose answer changed.
        progress: Told of every stage.
        known: What the float model says on ``val``, to profile several builds of one model without
            running it again.

    Returns:
        The report; its verdict says whether the limits hold.

    Raises:
        DeviceError: The bundle is not deployed there, or the board cannot run it.
        DataError: The validation images cannot be used.
    """
    bundle = bundle if isinstance(bundle, Bundle) else Bundle.load(bundle)
    rules = protocol if isinstance(protocol, Protocol) else Protocol.load(protocol)
    images = ImageSet.load(image_folder(str(val), "val")) if isinstance(val, Path | str) else val
    _check_labels(bundle, images)
    progress("connect", 0, None)
    with connect(device) as agent:
        facts = agent.facts()
        _check_deployed(agent, bundle, device)
        tell = board_events(progress)
        session = agent.open(bundle.digest, rules.threads or int(facts["cores"]), None, tell)
        encode = encoder_for(session.loaded.get("decodes", []))
        bench = session.bench(rules.to_table(), golden_images(bundle, encode), tell)
        expected = _expected(bundle, images, known, encode, progress)
        answers = list(session.replay(expected.encoded, board_events(progress, len(expected.names))))
    found = _drift(bundle, expected, answers)
    return Report(
        schema=SCHEMA,
        bundle=_about(bundle),
        device={"name": device, "target": bundle.manifest["target"], "facts": dict(facts)},
        protocol={**rules.to_table(), "warmup": dict(bench.warmup)},
        latency_ms=latency(bench.model_ms),
        fps={"model": _fps(bench.model_ms), "pipeline": _fps(bench.pipeline_ms)},
        pipeline_ms=_pipeline(bench),
        memory_mb=dict(bench.memory_mb),
        layers=list(bench.layers),
        drift=found,
        sensors=dict(bench.sensors),
        verdict=judge(bench, found, min_fps, max_drift, facts.get("emulated") is True),
    )


def _expected(
    bundle: Bundle, images: ImageSet | None, known: Truth | None, encode: Encoder, progress: Progress
) -> Expected:
    if images is None:
        return from_golden(bundle, encode)
    return from_set(bundle, images, known, encode, progress)


def _check_labels(bundle: Bundle, images: ImageSet | None) -> None:
    known = bundle.manifest["artifact"]["output"]["classes"] - bundle.manifest["label_offset"]
    if images is not None and images.labels is not None and max(images.labels) >= known:
        raise DataError(
            f"{images.folder}: class_index {max(images.labels)} in labels.csv, the model has {known} classes",
            "use the images and labels of this model's task",
        )


def _check_deployed(agent: Agent, bundle: Bundle, device: str) -> None:
    _, there = agent.deployments()
    if all(item.get("digest") != bundle.digest for item in there):
        raise DeviceError(
            f"{bundle.name} ({bundle.digest[:12]}) is not deployed on {device}",
            f"run edgenet deploy BUNDLE --device {device}",
        )


def _drift(bundle: Bundle, expected: Expected, answers: Sequence[Answer]) -> dict[str, Any]:
    board = np.stack([answer.output for answer in answers])
    if board.shape != expected.host.shape or board.dtype != expected.host.dtype:
        raise DeviceError("the board's answers have another shape than here", "deploy the bundle again")
    spec = bundle.manifest["artifact"]["output"]
    output = Output(spec["classes"], spec["dtype"], spec["scale"], spec["zero_point"])
    same = sum(a.pixels_sha256 == b for a, b in zip(answers, expected.pixels_sha256, strict=True))
    stages = {
        "preprocess": {"images": len(answers), "identical": same},
        "conversion": bundle.manifest["conversion"],
        "quantization": quantization(output.real(expected.host), expected.reference),
        "kernel": kernel(board, expected.host),
    }
    found = drift(
        board,
        expected.reference,
        output,
        expected.labels,
        bundle.manifest["label_offset"],
        expected.names,
        stages,
    )
    return {**found, "source": expected.source}


def _about(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "digest": bundle.digest,
        "model": manifest["model"]["name"],
        "model_digest": manifest["model"]["digest"],
        "backend": manifest["backend"],
        "precision": manifest["precision"],
        "recipe": manifest["recipe"]["name"] if manifest["recipe"] else None,
        "size_bytes": len(bundle.artifact),
        "tool": manifest["tool"],
    }


def _fps(samples_ms: NDArray[np.float64]) -> float | None:
    """Frames a second sustained over the samples; ``None`` without any."""
    return 1e3 / float(samples_ms.mean()) if len(samples_ms) else None


def _pipeline(bench: BenchResult) -> dict[str, Any] | None:
    if not len(bench.pipeline_ms):
        return None
    return {**latency(bench.pipeline_ms), "parts": dict(bench.parts_ms)}
