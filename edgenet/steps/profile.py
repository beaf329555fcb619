"""Deployment → report: how fast, how much memory, how faithful."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgenet.board import Board, BoardLike, board_of
from edgenet.breakdown import More
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.connect import connect
from edgenet.devices.session import Answer, BenchResult
from edgenet.drift import Drift, Preprocess
from edgenet.errors import DeviceError, ReportError
from edgenet.facts import Facts
from edgenet.frame import Frame
from edgenet.imageset import ImageSet
from edgenet.json_value import Where
from edgenet.measure.artifact_drift import artifact_drift
from edgenet.measure.energy import energy
from edgenet.measure.full_decode import full_decode
from edgenet.measure.plausibility import impossible_pipeline
from edgenet.measure.roofline import roofline
from edgenet.measure.steady_state import settled
from edgenet.measure.verdict import judge
from edgenet.measure.worst_images import shown
from edgenet.measured import Energy, Fps, Memory, latency
from edgenet.pipeline import PipelineLatency
from edgenet.progress import Progress, silent
from edgenet.protocol import Protocol
from edgenet.report import SCHEMA, Built, Measured, Report, Rules, Verdict
from edgenet.shell import command_line
from edgenet.steps.asked import Asked, asked_of, check_images
from edgenet.steps.board_run import BoardRun, board_run
from edgenet.steps.events import board_events
from edgenet.steps.input_notes import image_notes
from edgenet.steps.noted import note_report
from edgenet.steps.stage import brought
from edgenet.steps.taken import BundleLike, bundle_of
from edgenet.text import plain
from edgenet.verify.expected import Expected, FloatReference

__all__ = ["measured", "profile"]

# A Raspberry Pi Zero 2 W, in MB of 1e6 bytes.
SMALL_MB = 512 * 1024**2 / 1e6


def profile(  # noqa: PLR0913
    bundle: BundleLike,
    device: BoardLike = "local",
    protocol: Protocol | Path | str = "single-stream",
    val: ImageSet | Path | str | None = None,
    min_fps: float | None = None,
    max_drift: float | None = None,
    progress: Progress = silent,
    known: FloatReference | None = None,
    frame: Frame | str | None = None,
    *,
    deployed: bool = True,
) -> Report:
    """Measure a bundle on a board; the report's verdict says whether the limits hold.

    Args:
        bundle: What `compile` made, or its file.
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        protocol: How to measure.
        val: Images to judge accuracy on, with ``labels.csv`` for what is true of them; else the bundle's few
            golden ones.
        min_fps: Limit for the pipeline's FPS (the model's, where the protocol has no pipeline).
        max_drift: Limit for what the task's headline measure lost in percentage points, or, without labels,
            for the share of images whose answer changed.
        progress: Called for every stage.
        known: What the float model says on ``val``, to profile several builds of one model without
            running it again.
        frame: The camera's case: the pipeline is measured on frames of this size and form ("640x480:yuyv"),
            made of ``val``, else of the bundle's images, and with it what would be faster.
        deployed: Whether it must have been deployed there; else it is brought there to be measured, and what
            is deployed stays so.

    Raises:
        DeviceError: The bundle is not deployed there, the board cannot run it, or what it told is no
            measurement.
        DataError: The validation images cannot be used, or there is no such frame.
        LibraryError: The protocol measures no pipeline, and ``frame`` asks for one.

    Examples:
        >>> report = edgenet.profile("signs.edgenet", "local", "quick", val="signs")
        >>> report.drift.labelled, report.over_limit
        (True, False)
        >>> report.write("report.json")
    """
    file = str(bundle) if isinstance(bundle, str | Path) else "BUNDLE"
    bundle = bundle_of(bundle)
    asked = replace(asked_of(protocol, val, min_fps, max_drift, frame), known=known)
    check_images(asked, bundle)
    board = board_of(device)
    progress(f"connecting to {board}", 0, None)
    with connect(board, board_events(progress)) as agent:
        if deployed:
            _check_deployed(agent, bundle, file, board)
        staged = None if deployed else brought(agent, bundle, str(board), progress)
        return measured(agent, bundle, asked, str(board), progress, staged)


def measured(
    agent: Agent,
    bundle: Bundle,
    asked: Asked,
    name: str,
    progress: Progress = silent,
    staged: Mapping[str, Any] | None = None,
) -> Report:
    """Measure a bundle on a board that answers, as :func:`profile` does.

    Args:
        agent: On the board.
        bundle: Deployed there, or staged.
        asked: What is to be measured.
        name: The board's, for the report and for messages.
        progress: Called for every stage.
        staged: What the board knows of the bundle where it is not deployed.

    Raises:
        DeviceError: The board cannot run it, or what it told is no measurement.
        DataError: The validation images cannot be used.
    """
    facts = agent.facts([bundle.manifest.backend])
    run = board_run(agent, bundle, asked.rules, asked.images, asked.known, progress, asked.frame, staged)
    found = _drift(bundle, run.expected, run.answers)
    verdict = judge(run.bench, found, asked.min_fps, asked.max_drift, facts.emulated)
    verdict = verdict.changed(notes=(*verdict.notes, *_notes(bundle, run, asked.images)))
    report = _checked(lambda: _report(bundle, name, facts, asked.rules, run, found, verdict), name)
    note_report(agent, bundle, report)
    return report


def _checked(make: Callable[[], Report], device: str) -> Report:
    """A report that holds what was measured and nothing else."""
    try:
        return Report.from_table(plain(make().to_table()), device)
    except ReportError as error:
        raise DeviceError(
            f"what the board reported is not a measurement, {error.what}", "measure again"
        ) from None


def _notes(bundle: Bundle, run: BoardRun, images: ImageSet | None) -> tuple[str, ...]:
    """What a user should know of the card, the labels, the images and the frames."""
    told = (*_doubt(bundle, run.expected), *image_notes(images, bundle.manifest.preprocessing))
    return told + (run.camera.notes if run.camera else ())


def _report(
    bundle: Bundle,
    device: str,
    facts: Facts,
    rules: Protocol,
    run: BoardRun,
    found: Drift,
    verdict: Verdict,
) -> Report:
    bench, precision, target = run.bench, bundle.manifest.precision, bundle.manifest.target
    whole = np.empty(0) if impossible_pipeline(bench) else bench.pipeline_ms
    emulated = facts.emulated
    roof, rows = roofline(bench, run.layers, precision, target, run.threads, emulated)
    long = settled(bench, rules)
    more = run.more.changed(sustained=long) if long else run.more
    warmup = {name: item.to_table() for name, item in bench.warmup.items()}
    return Report(
        schema=SCHEMA,
        bundle=_about(bundle),
        device=Measured(name=device, target=target, facts=facts.anonymous().to_table()),
        protocol=Rules.from_table(
            {**plain(rules.to_table()), "threads_used": run.threads, "warmup": warmup},
            Where(device, "protocol"),
        ),
        latency_ms=latency(bench.model_ms, bench.stride.get("model", 1)),
        fps=Fps(model=1e3 / float(bench.model_ms.mean()), pipeline=_fps(whole)),
        pipeline_ms=_pipeline(run, whole),
        memory_mb=_memory(bench, device),
        layers=rows,
        drift=found,
        sensors=bench.sensors,
        verdict=verdict,
        layer_facts=run.layer_facts,
        roofline=roof,
        energy=Energy(absent="an emulated board draws no power") if emulated else energy(bench),
        more=more if more != More() else None,
    )


def _memory(bench: BenchResult, device: str) -> Memory:
    """What the board told, and the share of a board with 512 MB that the process takes at its peak."""
    found = Memory.from_table(bench.memory_mb, Where(device, "memory_mb"))
    share = None if found.peak is None else found.peak / SMALL_MB
    return found.changed(of_512_mb=share, arena_absent=bench.arena_absent)


def _check_deployed(agent: Agent, bundle: Bundle, file: str, board: Board) -> None:
    if all(item.digest != bundle.digest for item in agent.deployments().deployments):
        raise DeviceError(
            f"{bundle.name} ({bundle.digest[:12]}) is not deployed on {board}",
            f"run {command_line(['edgenet', 'deploy', file, '--device', board.device])}",
        )


def _drift(bundle: Bundle, expected: Expected, answers: Sequence[Answer]) -> Drift:
    raw = np.stack([answer.output for answer in answers])
    if raw.shape != expected.host.shape or raw.dtype != expected.host.dtype:
        raise DeviceError("the board's answers have another shape than here", "deploy the bundle again")
    if none := int((~np.isfinite(raw).all(axis=1)).sum()):
        raise DeviceError(
            f"on {none} of {len(raw)} images the board's answer is NaN or infinity",
            "compile in another precision: the runtime there overflows in this one",
        )
    same = sum(a.pixels_sha256 == b for a, b in zip(answers, expected.pixels_sha256, strict=True))
    pixels = Preprocess(images=len(answers), identical=same, full_decode=full_decode(bundle, expected))
    found = artifact_drift(bundle, expected, raw, pixels)
    return found.changed(worst=shown(found.worst, expected, bundle.manifest.task))


def _doubt(bundle: Bundle, expected: Expected) -> tuple[str, ...]:
    """What the float model's answers say of the card or the labels, where they are nearly all wrong."""
    if expected.truth is None:
        return ()
    found = bundle.manifest.task.doubt(expected.reference, expected.truth)
    return (found.told,) if found else ()


def _about(bundle: Bundle) -> Built:
    manifest = bundle.manifest
    return Built.of(
        digest=bundle.digest,
        model=manifest.model.name,
        model_digest=manifest.model.digest,
        backend=manifest.backend,
        precision=manifest.precision,
        recipe=str(manifest.recipe.get("name")) if manifest.recipe else None,
        size_bytes=len(bundle.artifact),
        tool=manifest.tool,
    )


def _fps(samples_ms: NDArray[np.float64]) -> float | None:
    """Frames a second sustained over the samples; ``None`` without any."""
    return 1e3 / float(samples_ms.mean()) if len(samples_ms) else None


def _pipeline(run: BoardRun, samples_ms: NDArray[np.float64]) -> PipelineLatency | None:
    if not len(samples_ms):
        return None
    bench = run.bench
    whole = latency(samples_ms, bench.stride.get("pipeline", 1))
    absent = bench.parts_absent or None
    about = run.camera.about() if run.camera else {}
    return PipelineLatency.of_latency(whole, parts=bench.parts_ms, parts_absent=absent, **about)
