"""A bundle at work on a board: frames, labels and figures while it runs, a summary when it ends."""

from __future__ import annotations

import contextlib
import io
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from edgenet.board import Board, BoardLike, board_of
from edgenet.bundle import Bundle
from edgenet.devices.agent import Agent
from edgenet.devices.archive import demo_archive
from edgenet.devices.blobs import Blob
from edgenet.devices.connect import connect
from edgenet.devices.events import DemoPicture, DemoReady, DemoTick, ProgressEvent
from edgenet.devices.live import LiveEvent, OnLive, PortForward
from edgenet.drift import CLASSIFICATION
from edgenet.errors import PlanError
from edgenet.imageset import ImageSet
from edgenet.live.recorder import Recorder
from edgenet.live.source import SYNTHETIC, SourceOrder, source_order
from edgenet.notebook import Shown
from edgenet.progress import Progress, silent
from edgenet.steps.chain import check_chain
from edgenet.steps.embedded_bundles import embedded_bundles
from edgenet.steps.events import board_events
from edgenet.steps.gallery import gallery
from edgenet.steps.stage import stage
from edgenet.steps.taken import BundleLike, bundle_of

__all__ = ["DemoOptions", "Ready", "Watch", "demo"]


# What may stand in the address that a browser is told to open.
_TOKEN = re.compile(r"[\w-]{8,128}", re.ASCII)


class Ready(NamedTuple):
    """A demo that runs.

    Attributes:
        url: Where a browser of this machine sees it; its token works once. ``None`` without a page.
        phone: The same with another token, where one was asked for.
        metrics: Where Prometheus scrapes it, and with which bearer.
        source: ``name``, ``size``, ``fps``.
        models: ``name``, ``backend``, ``runtime`` … of each.
    """

    url: str | None
    phone: str | None
    metrics: tuple[str, str] | None
    source: Mapping[str, Any]
    models: Sequence[Mapping[str, Any]]


class Watch(NamedTuple):
    """Who is told: once that it runs, then four times a second how (docs/demo.md, state)."""

    ready: Callable[[Ready], None] = lambda _: None
    tick: Callable[[Mapping[str, Any]], None] = lambda _: None


@dataclass(frozen=True)
class DemoOptions(Shown):
    """What to look at, for how long, and what to keep of it.

    Attributes:
        task: Of the embedded model, where there is no bundle.
        against: A second bundle that answers the same frames.
        then: A second bundle that looks at what the first finds, cut out and aligned by its points.
        source: See :func:`edgenet.live.source.source_order`; without one the board's camera, without a
            bundle the synthetic one.
        size: (width, height) to ask of the source.
        fps: Frames a second to ask of the source.
        gallery: Folder of pictures that an embedding's answers are the nearest of; the bundle's own few
            pictures if ``None``.
        loop: Whether files begin again.
        threads: Of each runtime; 0 for all cores.
        page: Whether a browser can look.
        port: For the page on this machine's loopback; 0 for any free one.
        phone: Whether a second address is wanted, for a phone.
        seconds: How long; without end if ``None``.
        keep: Folder for snapshots and collected images; made when the first one comes.
        answers: File or open stream for every frame's answer, one JSON object a line.

    Examples:
        >>> edgenet.DemoOptions(source="synthetic", seconds=5, page=False).source
        'synthetic'
    """

    task: str = CLASSIFICATION
    against: BundleLike | None = None
    then: BundleLike | None = None
    source: str | None = None
    gallery: ImageSet | Path | str | None = None
    size: tuple[int, int] | None = None
    fps: float | None = None
    loop: bool = False
    threads: int = 0
    page: bool = True
    port: int = 0
    phone: bool = False
    seconds: float | None = None
    keep: Path | str = "edgenet-demo"
    answers: Path | str | TextIO | None = None


def demo(
    bundle: BundleLike | None = None,
    device: BoardLike = "local",
    options: DemoOptions | None = None,
    watch: Watch | None = None,
    stop: threading.Event | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Run a live demo until its source ends, its time is over or ``stop`` is set.

    What the board lacks is sent first; its current deployment stays what it is.

    Args:
        bundle: What to run; without one the embedded model, int8 against float32.
        device: A board; "local", ``user@host[:port]`` or an ssh alias.
        options: All the rest.
        watch: Called with how it goes.
        stop: Set by anybody to end it.
        progress: Called for every stage until it runs.

    Returns:
        The summary (docs/demo.md).

    Raises:
        DeviceError: The board cannot run it, has no such camera, or went away.
        DataError: There is no such source, or the gallery cannot be used.

    Examples:
        >>> looked = edgenet.DemoOptions(source="synthetic", seconds=1, page=False)
        >>> summary = edgenet.demo("signs.edgenet", "local", looked)
        >>> summary["device"], summary["kept"]["snapshots"]
        ('local', 0)
    """
    chosen, board = options or DemoOptions(), board_of(device)
    bundles = _bundles(bundle, chosen, progress)
    source = chosen.source or ("camera" if bundle else SYNTHETIC)
    together = bundles[0].manifest.task.together
    wanted = source_order(source, board.device, chosen.size, chosen.fps, chosen.loop, together)
    others = [] if source == SYNTHETIC else [source_order(SYNTHETIC, board.device, together=together)]
    if chosen.then is not None:
        check_chain(*(item.manifest.task for item in bundles))
    pictures = gallery(bundles, chosen.gallery, chosen.then is not None)
    progress(f"connecting to {board}", 0, None)
    lines = Path(chosen.answers) if isinstance(chosen.answers, str) else chosen.answers
    keeper = Recorder(Path(chosen.keep), lines)
    with connect(board, board_events(progress)) as agent, keeper, _door(chosen, board) as door:
        request = _request(agent, bundles, board, [wanted, *others], pictures, chosen, progress)
        on_event = _listener(watch or Watch(), keeper, door, progress)
        summary = agent.demo(request, on_event, stop or threading.Event(), door)
    return {"device": str(board), **summary, "kept": keeper.kept()}


def _door(chosen: DemoOptions, board: Board) -> AbstractContextManager[PortForward | None]:
    """The way to the page, where the board's loopback is not this machine's."""
    if chosen.page and board.device != "local":
        return contextlib.closing(PortForward(chosen.port))
    return contextlib.nullcontext()


def _listener(watch: Watch, keeper: Recorder, door: PortForward | None, progress: Progress) -> OnLive:
    def on_event(event: LiveEvent, body: bytes) -> str | None:
        match event:
            case ProgressEvent():
                progress(str(event.stage), 0, None)
            case DemoReady():
                watch.ready(_ready(event, door))
            case DemoTick():
                keeper.answers(event.answers)
                watch.tick(event.state)
            case DemoPicture():
                return keeper.save(event.name, event.frame, event.answers, body)
        return None

    return on_event


def _bundles(bundle: BundleLike | None, chosen: DemoOptions, progress: Progress) -> tuple[Bundle, ...]:
    if chosen.against is not None and chosen.then is not None:
        raise PlanError("one bundle compares, the other looks closer", "leave --against or --then out")
    other = chosen.against or chosen.then
    if bundle is None:
        if other is not None:
            raise PlanError("there is no first bundle for the second", "name two bundles")
        return embedded_bundles(chosen.task, progress)
    if chosen.task != CLASSIFICATION:
        raise PlanError("a bundle says itself what it is for", "leave --task out")
    given = [bundle] if other is None else [bundle, other]
    return tuple(map(bundle_of, given))


def _request(
    agent: Agent,
    bundles: tuple[Bundle, ...],
    board: Board,
    sources: Sequence[SourceOrder],
    pictures: Sequence[tuple[str, Blob]],
    chosen: DemoOptions,
    progress: Progress,
) -> dict[str, Any]:
    """Bring everything to the board; what asks it to run."""
    facts = agent.facts(sorted({bundle.manifest.backend for bundle in bundles}))
    threads = chosen.threads or facts.cores
    staged = [stage(agent, bundle, str(board), progress, to_stay=False) for bundle in bundles]
    archive = demo_archive()
    program = Blob(archive.digest, len(archive.data), lambda: io.BytesIO(archive.data))
    shown = [blob for _, blob in pictures]
    needed = [blob for source in sources for blob in source.blobs]
    agent.send_blobs([program, *needed, *shown], board_events(progress))
    agent.end()
    first, *others = ({**item.order, "blobs": [blob.digest for blob in item.blobs]} for item in sources)
    return {
        "program": program.digest,
        "models": [{"manifest": dict(item.manifest), "threads": threads} for item in staged],
        "chain": chosen.then is not None,
        "source": first,
        "others": others,
        "gallery": [[name, blob.digest] for name, blob in pictures],
        "page": chosen.page,
        "port": chosen.port if board.device == "local" else 0,
        "seconds": chosen.seconds,
        "log": chosen.answers is not None,
        "phone": chosen.phone,
        "keep": str(Path(chosen.keep) / Recorder.DRIFT),
    }


def _ready(event: DemoReady, door: PortForward | None) -> Ready:
    if event.port is None:
        return Ready(None, None, None, event.source, event.models)
    if door is not None:
        door.key = str(event.key)
    base = f"http://127.0.0.1:{door.port if door else event.port}"
    phone = None if event.phone is None else f"{base}/#{event.phone}"
    metrics = (f"{base}/metrics", str(event.key))
    return Ready(f"{base}/#{event.token}", phone, metrics, event.source, event.models)
