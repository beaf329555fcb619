"""How long a board may take: the one place. docs/agent-protocol.md (Deadlines) says the same to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from edgenet.agent import wire

__all__ = ["DEADLINES", "Deadlines", "Limit"]

# A frame in either direction is alive while so many bytes of it move within the limit of silence.
LIVELY_BYTES = 4096
_HOUR = 3600.0


class Limit(NamedTuple):
    """What is waited for, the seconds without a sign of life, and the seconds in all (None: no end)."""

    what: str
    silence_s: float
    total_s: float | None


def _kinds() -> dict[str, tuple[str, float | None]]:
    return {
        wire.PROBE: ("the facts about the board", 900.0),
        wire.BEGIN: ("the deploy lock", 300.0),
        wire.END: ("the deploy lock to be given back", 300.0),
        wire.HAVE: ("the list of what is missing", 900.0),
        wire.PUT: ("a piece of a file to be taken", 900.0),
        wire.RUNTIMES: ("the list of runtimes", 300.0),
        wire.UNPACK: ("the runtime to be unpacked", _HOUR),
        wire.TRY_RUNTIME: ("the runtime to be tried", 300.0),
        wire.FINISH: ("the model to be built", 4 * _HOUR),
        wire.DEPLOY: ("the model to become current", 900.0),
        wire.DEPLOYMENTS: ("the list of deployments", 300.0),
        wire.STATUS: ("the board's status", 300.0),
        wire.PLACE: ("the model to be placed", 900.0),
        wire.CHECK: ("your check on the board", 300.0),
        wire.SWITCH: ("the other model to become current", 4 * _HOUR),
        wire.PRUNE: ("old models to be removed", 900.0),
        wire.REMOVE: ("the model to be removed", 900.0),
        wire.NOTE: ("a line of the history to be kept", 300.0),
        wire.TRUST: ("the list of trusted keys", 300.0),
        wire.PROVE: ("the signature to be verified", 300.0),
        wire.OPEN: ("the model to be loaded", 4 * _HOUR),
        wire.BENCH: ("the measurement", _HOUR),
        wire.FRAMES: ("the frames to be taken", 900.0),
        wire.TURNS: ("the forms of frames to be measured", _HOUR),
        wire.REPLAY: ("the answers to the images", 4 * _HOUR),
        wire.TAP: ("the value of a tensor", 900.0),
        wire.CLOSE: ("the model's process to end", 300.0),
        wire.DEMO: ("the demo", None),
    }


@dataclass(frozen=True)
class Deadlines:
    """The limits of every request.

    Attributes:
        beat_s: The agent says so often that it is there while it works.
        news_s: After so long without anything that tells more than that, people are told what is waited for.
        silence_s: Without a sign of life for so long the connection is given up.
        start_s: From the start of ssh to the agent's first word.
        kinds: Per kind of request: what is waited for, and the seconds it may take in all; to these a bench
            adds twice what its protocol allows, ``begin`` and ``switch`` their ``wait``, ``check`` its time.
    """

    beat_s: float = 5.0
    news_s: float = 10.0
    silence_s: float = 60.0
    start_s: float = 120.0
    kinds: Mapping[str, tuple[str, float | None]] = field(default_factory=_kinds)

    def start(self) -> Limit:
        """Of the first contact: people may have to answer ssh, so silence is none before the end."""
        return Limit("the agent to start", self.start_s, self.start_s)

    def limit(self, kind: str, request: Mapping[str, Any]) -> Limit:
        """Of a request with this header."""
        what, total_s = self.kinds.get(kind, (f"the answer to {kind}", 300.0))
        if total_s is not None:
            total_s += float(request.get("wait", 0.0)) + 2 * _measuring_s(request.get("protocol", {}))
        return Limit(what, self.silence_s, total_s)


def _measuring_s(protocol: Mapping[str, Any]) -> float:
    """The longest that a protocol lets a bench take (docs/agent-protocol.md, bench), seconds."""
    if not protocol:
        return 0.0
    warmup, cooldown, idle, layers, least, most = (
        float(protocol.get(name, otherwise))
        for name, otherwise in (
            ("warmup_s", 0.0),
            ("cooldown_s", 0.0),
            ("idle_s", 0.0),
            ("layers_s", 0.0),
            ("min_seconds", 0.0),
            ("max_seconds", 600.0),
        )
    )
    return idle + layers + 2 * (cooldown + 3 * warmup + max(least, most))


DEADLINES = Deadlines()
