"""The board's events as progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgenet.progress import REMARK, Progress

__all__ = ["board_events"]

# An event's stage, a word of the protocol, as people read it; others are shown as they are.
WORDS = {
    "build": "building the engine there (steps)",
    "fetch": "fetching",
    "frames": "camera frames",
    "model": "the model",
    "pipeline": "the pipeline",
    "replay": "running the images there (images)",
    "send": "sending",
    "try": "trying",
    "unpack": "unpacking there (files)",
}


def board_events(progress: Progress, total: int | None = None) -> Callable[[Mapping[str, Any]], None]:
    """What hands the events of the agent's and the host's board side on to ``progress``.

    Args:
        progress: Called with stage, done and total; bytes in kB, times in seconds.
        total: Where an event does not say how much there is.
    """

    def on_event(event: Mapping[str, Any]) -> None:
        stage = WORDS.get(str(event.get("stage")), str(event.get("stage")))
        if "of_bytes" in event:
            progress(f"{stage} (kB)", int(event["bytes"]) // 1000, int(event["of_bytes"]) // 1000)
        elif "of_seconds" in event:
            progress(f"measuring {stage} (s)", int(event["seconds"]), int(event["of_seconds"]))
        elif "wheel" in event:
            progress(f"{stage} {event['wheel']}", 0, REMARK if event.get("remark") else None)
        else:
            progress(stage, int(event.get("done", 0)), event.get("of", total))

    return on_event
