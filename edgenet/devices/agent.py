"""The agent on a board: what can be asked of it."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from edgenet.agent import wire
from edgenet.devices.answers import (
    Begun,
    Deployed,
    Deployments,
    Finish,
    Finished,
    Have,
    LackingParts,
    Loaded,
    Probe,
    Runtimes,
    Trial,
    Unpacked,
)
from edgenet.devices.archive import Archive, agent_archive, part_archives
from edgenet.devices.blobs import Blob, Sender, Sent, missing
from edgenet.devices.bootstrap import handshake
from edgenet.devices.channel import Channel, OnEvent
from edgenet.devices.connection import Connection
from edgenet.devices.deadlines import DEADLINES, Deadlines
from edgenet.devices.live import Live, OnLive, PortForward
from edgenet.devices.replies import BoardError, raise_error
from edgenet.devices.session import Session
from edgenet.devices.trust import Trust
from edgenet.devices.upkeep import Upkeep, sender
from edgenet.errors import ConnectionFailed, ConnectionLost
from edgenet.facts import Facts
from edgenet.log import log
from edgenet.record import Record

__all__ = ["Agent"]

_R = TypeVar("_R", bound=Record)


class Agent:
    """A board that answers. A context manager; leaving it ends the agent and what it started.

    Args:
        connection: Not started yet.
        deadlines: How long it may take to answer.
        waiting: As for :func:`edgenet.devices.connect.connect`.

    Attributes:
        name: The board as the user wrote it.
        removed: What was removed there to make room, in words.
        upkeep: The life of its deployments.
        trust: Whose signatures it asks for.

    Raises:
        ConnectionFailed: The board could not be reached or cannot run the agent.
    """

    def __init__(
        self, connection: Connection, deadlines: Deadlines = DEADLINES, waiting: OnEvent | None = None
    ) -> None:
        self.name = connection.name
        self._connection, self._deadlines = connection, deadlines
        self._channel = Channel(connection, deadlines, waiting)
        self._sender = Sender(self._channel)
        self._facts: Facts | None = None
        self._tried: frozenset[str] = frozenset()
        self.removed: list[str] = []
        self.upkeep = Upkeep(self._ask)
        self.trust = Trust(self._ask)
        try:
            self._start()
        except BaseException:
            connection.close()
            raise

    def _start(self) -> None:
        archive = agent_archive()
        self._channel.bytes_sent += self._connection.start(archive.digest, len(archive.data))
        limit = self._deadlines.start()
        try:
            with self._channel.watched(limit, self._connection.cut) as watch, watch.waiting():
                sent, received = handshake(self._connection, archive)
                hello, _ = self._channel.receive()
        except ConnectionLost as error:
            if error is not watch.error:
                raise
            raise self._connection.failed(f"waited {limit.total_s:g} s") from None
        self._channel.bytes_sent += sent
        self._channel.bytes_received += received
        self.agent_sent = sent > 0
        how = f"{sent} B of it sent" if sent else "it was there"
        log.debug("%s: the agent %s answers, %s", self.name, archive.digest[:12], how)
        if "error" in hello:
            raise_error(self.name, hello["error"])
        if hello.get("protocol") != wire.PROTOCOL or hello.get("agent") != archive.digest:
            raise ConnectionFailed(f"another agent answered on {self.name}", "remove ~/.edgenet/agent there")

    @property
    def bytes_sent(self) -> int:
        """Bytes sent to the agent so far, the bootstrap and the agent itself among them."""
        return self._channel.bytes_sent

    @property
    def bytes_received(self) -> int:
        """Bytes received from the agent so far."""
        return self._channel.bytes_received

    def facts(self, backends: Sequence[str] = ()) -> Facts:
        """What the board says about itself (docs/agent-protocol.md, probe); asked once.

        Args:
            backends: Those whose runtimes the board's own Python shall try (``runtimes``,
                ``runtimes_broken``); asked again where one was not tried yet.
        """
        if self._facts is None or not self._tried.issuperset(backends):
            wanted = self._tried.union(backends)
            reply = self._ask(Probe, wire.PROBE, {"backends": sorted(wanted)})
            self._facts, self._tried = reply.facts, wanted
        return self._facts

    def _request(
        self, kind: str, header: Mapping[str, Any], progress: OnEvent | None = None
    ) -> tuple[dict[str, Any], bytes]:
        """A request; where the board lacks parts of the agent for it, once more after sending them."""
        try:
            return self._channel.request(kind, header, progress=progress)
        except BoardError as error:
            if error.kind != wire.PART:
                raise
            known = part_archives()
            lacking = self._channel.parsed(LackingParts, error.facts).parts
            parts = [known[name] for name in lacking if name in known]
        self.send_blobs([_blob(part) for part in parts])
        return self._channel.request(kind, header, progress=progress)

    def _ask(
        self, answer: type[_R], kind: str, header: Mapping[str, Any], progress: OnEvent | None = None
    ) -> _R:
        """:meth:`_request`, with the reply as a type."""
        return self._channel.parsed(answer, self._request(kind, header, progress)[0])

    def begin(self, wait: float = 5.0) -> bool:
        """Take the board's deploy lock, held until ``deploy``, ``end`` or the end of the connection.

        Args:
            wait: How long another deploy may hold it before this one gives up, seconds.

        Returns:
            Whether what becomes current there must be signed.

        Raises:
            BoardError: ``locked``: another deploy holds it for longer.
        """
        return self._channel.ask(Begun, wire.BEGIN, {"wait": wait})[0].signed_only

    def end(self) -> None:
        """Give the deploy lock back without deploying."""
        self._channel.request(wire.END, {})

    def send_blobs(self, blobs: Sequence[Blob], progress: OnEvent | None = None) -> Sent:
        """Send the blobs, or the rests of them, that the board does not have; needs ``begin``.

        Args:
            blobs: What the board must have.
            progress: Called with ``{"stage": "send", "bytes", "of_bytes"}``.

        Raises:
            BoardError: ``no-space`` (nothing was sent), ``damaged``.
        """
        wanted = list({blob.digest: blob for blob in blobs}.values())
        asked = {"blobs": [[blob.digest, blob.size] for blob in wanted]}
        reply, _ = self._channel.ask(Have, wire.HAVE, asked)
        self._tell_removed(reply.removed, progress)
        here = missing(reply, wanted)
        rest = sum(blob.size - here[blob.digest] for blob in wanted if blob.digest in here)
        sent = 0
        for blob in wanted:
            if blob.digest in here:
                for step in self._sender.send(blob, here[blob.digest]):
                    sent += step
                    if progress is not None:
                        progress({"stage": "send", "bytes": sent, "of_bytes": rest})
        self._tell_removed(self._sender.removed, progress)
        self._sender.removed = []
        return Sent(sent, sum(blob.size for blob in wanted) - sent)

    def _tell_removed(self, removed: Sequence[str], progress: OnEvent | None) -> None:
        self.removed += removed
        if removed and progress is not None:
            progress({"stage": f"made room: removed {len(removed)} old things"})

    def finish(self, manifest: Mapping[str, Any], progress: OnEvent | None = None) -> Finished:
        """Have the board finish an artifact, sent before as a blob, or find it finished.

        Args:
            manifest: As for ``deploy``; its ``build`` says how.
            progress: Called with ``{"stage", "done", "of"}``; ``of`` only where the board knows it.

        Raises:
            BoardError: ``memory``, ``load``, ``import``, ``no-space``, ``died``.
        """
        reply = self._ask(Finish, wire.FINISH, {"manifest": dict(manifest)}, progress)
        self._tell_removed(reply.removed, progress)
        return reply.finished

    def deploy(self, manifest: Mapping[str, Any]) -> bool:
        """Make a bundle the board's current one, and give the lock back; needs ``begin`` and its blobs.

        Returns:
            Whether anything changed.
        """
        told = {"manifest": dict(manifest), **sender()}
        reply = self._ask(Deployed, wire.DEPLOY, told)
        self.removed += reply.removed
        return reply.changed_

    def deployments(self) -> Deployments:
        """The digest of the current deployment, and all of them."""
        return self._channel.ask(Deployments, wire.DEPLOYMENTS, {})[0]

    def runtimes(self) -> Runtimes:
        """The digests of the unpacked runtimes on the board, and of those that were found damaged."""
        return self._channel.ask(Runtimes, wire.RUNTIMES, {})[0]

    def unpack(self, wheels: Sequence[tuple[str, str]], progress: OnEvent | None = None) -> str:
        """Unpack wheels, sent before as blobs, into a runtime; needs ``begin``.

        Args:
            wheels: (digest, file name) of each.
            progress: Called with ``{"stage": "unpack", "done", "of"}`` in files.

        Returns:
            The runtime's digest.
        """
        header = {"blobs": [{"digest": digest, "name": name} for digest, name in wheels]}
        reply, _ = self._channel.ask(Unpacked, wire.UNPACK, header, progress=progress)
        self._tell_removed(reply.removed, progress)
        return reply.runtime

    def try_runtime(self, backend: str, runtime: str | None) -> Trial:
        """Import a backend's runtime on the board, in a process of its own.

        Args:
            backend: Its name.
            runtime: The digest of an unpacked runtime, or None for the board's own packages.
        """
        return self._ask(Trial, wire.TRY_RUNTIME, {"backend": backend, "runtime": runtime})

    def open(
        self,
        digest: str | None,
        threads: int,
        manifest: Mapping[str, Any] | None = None,
        progress: OnEvent | None = None,
        cores: Sequence[int] | None = None,
    ) -> Session:
        """Load a deployment in a fresh process on the board.

        Args:
            digest: The bundle's; None for the current one.
            threads: For the runtime.
            manifest: One that is not deployed yet, in place of the digest; its blobs must be there.
            progress: As for ``finish``: a board that was upgraded finishes the artifact again.
            cores: Numbers of the only cores that its process may use; None for all.

        Raises:
            BoardError: ``died`` (with ``facts["signal"]``), ``import``, ``load``, ``run``, ``missing``,
                ``damaged``.
        """
        what = {"digest": digest} if manifest is None else {"manifest": dict(manifest)}
        request = {**what, "threads": threads, **({"cores": list(cores)} if cores else {})}
        return Session(self._channel, self._ask(Loaded, wire.OPEN, request, progress))

    def demo(
        self,
        request: Mapping[str, Any],
        on_event: OnLive,
        stop: threading.Event,
        door: PortForward | None = None,
    ) -> Mapping[str, Any]:
        """Run a demo until it ends; see :class:`edgenet.devices.live.Live`."""
        return Live(self._channel, self._request, on_event, stop).run(request, door)

    def close(self) -> None:
        """End the agent; never raises."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _blob(archive: Archive) -> Blob:
    return Blob(archive.digest, len(archive.data), lambda: io.BytesIO(archive.data))
