"""A demo that runs on a board: its events, its page on this machine's loopback, and its end."""

from __future__ import annotations

import contextlib
import functools
import hmac
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from edgenet.agent import wire
from edgenet.agent.demo.gate import Gate, bearer
from edgenet.agent.tunnel import Tunnel
from edgenet.devices.answers import DemoEnd
from edgenet.devices.channel import Channel
from edgenet.devices.events import DemoPicture, DemoReady, DemoTick, ProgressEvent
from edgenet.errors import DeviceError

__all__ = ["Live", "LiveEvent", "OnLive", "PortForward"]

STOP_AGAIN_S = 0.5

# What a demo tells while it runs; a picture comes with its bytes.
LiveEvent = ProgressEvent | DemoReady | DemoTick | DemoPicture
# What a listener returns is why it could not keep a picture.
OnLive = Callable[[LiveEvent, bytes], str | None]
_EVENTS: dict[str, type[LiveEvent]] = {
    "progress": ProgressEvent,
    "ready": DemoReady,
    "tick": DemoTick,
    "save": DemoPicture,
}
# Sends a request, with what it needs first; gives the reply and its body.
Ask = Callable[[str, Mapping[str, Any]], tuple[dict[str, Any], bytes]]


class Live:
    """Runs one demo on a board.

    Args:
        channel: To its agent; nothing else may use it meanwhile.
        ask: Sends the request over it.
        on_event: Called with ``progress``, ``ready``, ``tick`` and ``save`` (docs/agent-protocol.md, Demo).
        stop: Set by anybody to end the demo with a summary.
    """

    def __init__(self, channel: Channel, ask: Ask, on_event: OnLive, stop: threading.Event) -> None:
        self._channel, self._ask, self._on_event, self._stop = channel, ask, on_event, stop
        self._over = threading.Event()

    def run(self, request: Mapping[str, Any], door: PortForward | None = None) -> Mapping[str, Any]:
        """Until it ends.

        Args:
            request: ``models``, ``source``, ``page``, ``port``, ``seconds``, ``log``.
            door: Where the page is reached here, where the board's loopback is not this machine's.

        Returns:
            The summary.

        Raises:
            BoardError: ``source``, ``port``, ``died``, ``load``, ``import``, ``run``.
            ConnectionLost: The board went away.
        """
        oob_handlers = self._channel.oob_handlers
        for name, kind in _EVENTS.items():
            oob_handlers[name] = functools.partial(self._tell, kind)
        if door is not None:
            oob_handlers[wire.STREAM] = door.carry(self._channel)
        alive = threading.Thread(target=self._keep_alive, daemon=True)
        alive.start()
        try:
            reply, _ = self._ask(wire.DEMO, request)
            return self._channel.parsed(DemoEnd, reply).summary
        finally:
            self._over.set()
            oob_handlers.clear()

    def _tell(self, kind: type[LiveEvent], header: Mapping[str, Any], body: bytes) -> None:
        why = self._on_event(self._channel.parsed(kind, header), body)
        if why is not None:
            self._channel.say({"type": wire.UNKEPT, "kind": str(header.get("kind")), "why": why})

    def _keep_alive(self) -> None:
        """Say that this end is there, and pass on that the demo shall stop."""
        with contextlib.suppress(DeviceError):
            told = False
            while not self._over.is_set():
                if self._stop.is_set() and not told:
                    self._channel.hurry("the demo to end")
                    told = True
                # Again and again: the first one may come before there is anything to stop.
                self._channel.say({"type": wire.STOP if self._stop.is_set() else wire.ALIVE})
                if self._stop.is_set():
                    self._over.wait(STOP_AGAIN_S)
                else:
                    self._stop.wait(wire.ALIVE_S)


class PortForward:
    """A port of this machine's loopback behind which lies the page on the board's.

    Args:
        port: 0 for any free one.

    Attributes:
        port: Which one it is.
        key: Who brings it as a bearer is let in; the others are few, and gone in seconds.

    Raises:
        DeviceError: It is taken.
    """

    def __init__(self, port: int) -> None:
        try:
            listener = socket.create_server(("127.0.0.1", port), backlog=64)
        except OSError as error:
            raise DeviceError(
                f"port {port} on this machine cannot be used ({error.strerror})",
                "choose another with --port, or leave it out for any free one",
            ) from None
        self.port = int(listener.getsockname()[1])
        self.key = ""
        self._gate = Gate(listener, self._take)
        self._tunnel: Tunnel | None = None

    def carry(self, channel: Channel) -> Callable[[dict[str, Any], bytes], None]:
        """Begin to carry connections over a channel; what takes the frames that come back."""

        def send(header: dict[str, Any], body: bytes) -> None:
            try:
                channel.say(header, body)
            except DeviceError as error:
                raise OSError(str(error)) from None

        self._tunnel = Tunnel(send)
        self._gate.start()
        return self._tunnel.receive

    def _take(self, connection: socket.socket, head: bytes) -> None:
        if self.key and hmac.compare_digest(bearer(head), self.key.encode()):
            self._gate.let_in(connection)
        if self._tunnel is not None:
            self._tunnel.open(connection, head)

    def close(self) -> None:
        """Close the port and every connection."""
        self._gate.close()
        if self._tunnel is not None:
            self._tunnel.close()
