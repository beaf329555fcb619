"""Everything that a profile has the board do: its model opened, measured, and asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx

from edgenet.breakdown import Layer, LayerFacts, More
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.session import Answer, BenchResult, Session
from edgenet.frame import Frame
from edgenet.graph.layers import layers
from edgenet.imageset import ImageSet
from edgenet.measure.camera_case import CameraCase
from edgenet.measure.cold_start import cold_start
from edgenet.measure.layer_profile import facts as layer_facts
from edgenet.measure.layer_profile import noise, timed
from edgenet.measure.plausibility import impossible_layers
from edgenet.measure.thread_sweep import sweep
from edgenet.progress import Progress
from edgenet.protocol import Protocol
from edgenet.steps.events import board_events
from edgenet.verify.expected import (
    Encoder,
    Expected,
    FloatReference,
    encoder_for,
    from_golden,
    from_set,
    golden_images,
)

__all__ = ["BoardRun", "board_run"]


@dataclass
class BoardRun:
    """What the board gave.

    Attributes:
        bench: Samples and what else was measured.
        threads: Of the runtime.
        layers: In the names of the user's model.
        layer_facts: About them.
        expected: What the answers must be.
        answers: The board's.
        more: What only some protocols measure.
        camera: The frames that the pipeline was measured on; ``None`` where it was the images.
    """

    bench: BenchResult
    threads: int
    layers: tuple[Layer, ...]
    layer_facts: LayerFacts
    expected: Expected
    answers: list[Answer]
    more: More
    camera: CameraCase | None


def board_run(
    agent: Agent,
    bundle: Bundle,
    rules: Protocol,
    images: ImageSet | None,
    known: FloatReference | None,
    tell: Progress,
    frame: Frame | None,
    staged: Mapping[str, Any] | None = None,
) -> BoardRun:
    """Have a bundle measured and asked, as :func:`edgenet.steps.profile.profile` says.

    Args:
        agent: Of the board.
        bundle: Deployed there, or staged.
        rules: How to measure.
        images: To be answered; the bundle's own few if ``None``.
        known: What the float model says on them, if that is known.
        tell: Called for every stage.
        frame: The camera's case; ``None`` for the images as they are.
        staged: What the board knows of the bundle where it is not deployed.

    Raises:
        DeviceError: The board cannot run the model, or not take such frames.
        DataError: An image cannot be used.
    """
    cores, board = agent.facts().cores, board_events(tell)
    threads, more = rules.threads or cores, More()

    def start(count: int, on: Sequence[int] | None = None) -> Session:
        return agent.open(bundle.digest, count, staged, board, on)

    if rules.cold_starts:
        more = more.changed(cold_start=cold_start(start, threads, rules.cold_starts, tell))
    session = start(threads)
    encode = encoder_for(session.loaded.decodes, bundle.manifest.preprocessing)
    golden = golden_images(bundle, encode)
    camera = CameraCase.of(frame, bundle, images, session.loaded.decodes) if frame else None
    if rules.sweep_threads:
        swept = sweep(start, agent.facts(), golden, tell)
        more, threads = more.changed(threads=swept), swept.best
        session = start(threads, swept.chosen.cores)
    pictures = camera.pictures if camera else golden
    bench = session.bench(rules.to_table(), pictures, board, frame)
    if camera:
        camera = camera.with_steps(session, agent.facts(), tell, board)
    reference = onnx.load_model_from_string(bundle.reference)
    known_layers = layers(reference)
    rows = timed(bench, known_layers, bundle.manifest.precision)
    about = layer_facts(bench, rows)
    if doubt := impossible_layers(rows):
        rows, about = (), LayerFacts(absent=doubt)
    if rows and bundle.manifest.precision != "fp32":
        rows, why = noise(session, bundle, golden, rows, known_layers, tell)
        about = about.changed(noise_absent=why)
    expected = _expected(bundle, images, known, encode, tell)
    answers = list(session.replay(expected.encoded, board_events(tell, len(expected.names))))
    return BoardRun(bench, threads, rows, about, expected, answers, more, camera)


def _expected(
    bundle: Bundle, images: ImageSet | None, known: FloatReference | None, encode: Encoder, progress: Progress
) -> Expected:
    if images is None:
        return from_golden(bundle, encode)
    return from_set(bundle, images, known, encode, progress)
