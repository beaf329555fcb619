"""Deployment → report: how fast, how much memory, how faithful."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgenet.backends.base import Output
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.device import connect
from edgenet.devices.session import Answer, BenchResult, Session
from edgenet.errors import DataError, DeviceError
from edgenet.graph.layers import layers
from edgenet.imageset import ImageSet
from edgenet.library import image_folder
from edgenet.progress import Progress, silent
from edgenet.protocol import Protocol
from edgenet.report import SCHEMA, Report, latency
from edgenet.steps.drift import drift, kernel, quantization, top1_change
from edgenet.steps.energy import energy
from edgenet.steps.events import board_events
from edgenet.steps.layers import facts as layer_facts
from edgenet.steps.layers import noise, timed
from edgenet.steps.replay import Encoder, Expected, Truth, encoder_for, from_golden, from_set, golden_images
from edgenet.steps.roofline import roofline
from edgenet.steps.special import best_cores, cold_start, settled, several, sweep
from edgenet.steps.verdict import judge
from edgenet.steps.worst import shown

__all__ = ["profile"]

# A Raspberry Pi Zero 2 W, in MB of 1e6 bytes.
SMALL_MB = 512 * 1024**2 / 1e6
HOME = re.compile(r"^(?:/home/[^/]+|/Users/[^/]+|/root)(?=/|$)")


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
    with connect(device, board_events(progress)) as agent:
        facts = agent.facts()
        _check_deployed(agent, bundle, device)
        run = _measure(agent, bundle, rules, images, known, progress)
    found = _drift(bundle, run.expected, run.answers)
    verdict = judge(run.bench, found, min_fps, max_drift, facts.get("emulated") is True)
    return _report(bundle, device, facts, rules, run, found, verdict)


def _report(
    bundle: Bundle,
    device: str,
    facts: Mapping[str, Any],
    rules: Protocol,
    run: _Run,
    found: Mapping[str, Any],
    verdict: Mapping[str, Any],
) -> Report:
    bench, precision, target = run.bench, str(bundle.manifest["precision"]), bundle.manifest["target"]
    emulated = facts.get("emulated") is True
    roof = roofline(bench, run.layers, precision, target, run.threads, emulated)
    return Report(
        schema=SCHEMA,
        bundle=_about(bundle),
        device={"name": device, "target": target, "facts": _anonymous(facts)},
        protocol={**rules.to_table(), "threads_used": run.threads, "warmup": dict(bench.warmup)},
        latency_ms=latency(bench.model_ms, bench.stride.get("model", 1)),
        fps={"model": _fps(bench.model_ms), "pipeline": _fps(bench.pipeline_ms)},
        pipeline_ms=_pipeline(bench),
        memory_mb={
            **bench.memory_mb,
            "of_512_mb": _of_small(bench.memory_mb.get("peak")),
            "arena_absent": bench.arena_absent,
        },
        layers=run.layers,
        drift=found,
        sensors=dict(bench.sensors),
        verdict=verdict,
        layer_facts=run.layer_facts,
        roofline=roof,
        energy={"absent": "an emulated board draws no power"} if emulated else energy(bench),
        more=several({**run.more, "sustained": settled(bench, rules)}),
    )


@dataclass
class _Run:
    """What one session on the board gave."""

    bench: BenchResult
    threads: int
    layers: list[dict[str, Any]]
    layer_facts: dict[str, Any]
    expected: Expected
    answers: list[Answer]
    more: dict[str, Any]


def _measure(
    agent: Agent,
    bundle: Bundle,
    rules: Protocol,
    images: ImageSet | None,
    known: Truth | None,
    tell: Progress,
) -> _Run:
    cores, board = int(agent.facts()["cores"]), board_events(tell)
    threads, more = rules.threads or cores, {}

    def start(count: int, on: Sequence[int] | None = None) -> Session:
        return agent.open(bundle.digest, count, None, board, on)

    if rules.cold_starts:
        more["cold_start"] = cold_start(start, threads, rules.cold_starts, tell)
    session = start(threads)
    encode = encoder_for(session.loaded.get("decodes", []))
    golden = golden_images(bundle, encode)
    if rules.sweep_threads:
        more["threads"] = sweep(start, agent.facts(), golden, tell)
        threads = int(more["threads"]["best"])
        session = start(threads, best_cores(more["threads"]))
    bench = session.bench(rules.to_table(), golden, board)
    reference = onnx.load_model_from_string(bundle.files[bundle.manifest["reference"]["file"]])
    known_layers = layers(reference)
    rows = timed(bench, known_layers, str(bundle.manifest["precision"]))
    about = layer_facts(bench, rows)
    if rows and bundle.manifest["precision"] != "fp32":
        about["noise_absent"] = noise(session, bundle, golden, rows, known_layers, tell)
    expected = _expected(bundle, images, known, encode, tell)
    answers = list(session.replay(expected.encoded, board_events(tell, len(expected.names))))
    return _Run(bench, threads, rows, about, expected, answers, more)


def _of_small(peak_mb: float | None) -> float | None:
    """The share of a board with 512 MB that the model's process takes at its peak."""
    return None if peak_mb is None else peak_mb / SMALL_MB


def _anonymous(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts without the name of the user whose home the board's Python lies in."""
    path = facts.get("python_executable")
    return {**facts, **({"python_executable": HOME.sub("~", path)} if isinstance(path, str) else {})}


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
    output = Output(spec["classes"], spec["dtype"], spec["scale"], spec["zero_point"], spec["meaning"])
    same = sum(a.pixels_sha256 == b for a, b in zip(answers, expected.pixels_sha256, strict=True))
    host, labels, offset = expected.host, expected.labels, bundle.manifest["label_offset"]
    stages = {
        "preprocess": {"images": len(answers), "identical": same},
        "conversion": bundle.manifest["conversion"],
        "quantization": {
            **quantization(output.logits(host), output.comparable(expected.reference)),
            **top1_change(host, expected.reference, labels, offset),
        },
        "kernel": {**kernel(board, host, output.meaning), **top1_change(board, host, labels, offset)},
    }
    found = drift(board, expected.reference, output, labels, offset, expected.names, stages)
    found["worst"] = shown(found["worst"], expected, bundle.manifest)
    return {**found, "source": expected.source, "images_digest": expected.digest}


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
    return {**latency(bench.pipeline_ms, bench.stride.get("pipeline", 1)), "parts": dict(bench.parts_ms)}
