"""An SSH server for machines without sshd, started by ``sshd.py`` with a folder, a port, a forced command."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import signal
import sys
from pathlib import Path

import asyncssh


async def serve_process(
    variables: dict[str, str], forced: str | None, process: asyncssh.SSHServerProcess
) -> None:
    environment = {**os.environ, **variables, "SSH_ORIGINAL_COMMAND": process.command or ""}
    child = await asyncio.create_subprocess_shell(
        forced or process.command or "sh",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    # asyncssh's own redirection ends the connection where the child no longer reads, or says much at once.
    feeding = asyncio.ensure_future(feed(process, child.stdin))
    telling = [
        asyncio.ensure_future(tell(child.stdout, process.stdout)),
        asyncio.ensure_future(tell(child.stderr, process.stderr)),
    ]
    status = await child.wait()
    await asyncio.wait(
        telling, timeout=1
    )  # what it said last is still on its way; its own children may go on
    for task in (feeding, *telling):
        task.cancel()
    process.exit(status)


async def feed(process: asyncssh.SSHServerProcess, stdin: asyncio.StreamWriter) -> None:
    """Carry what the client sends, at the child's pace; what a dead child does not take is dropped."""
    try:
        with contextlib.suppress(asyncssh.Error):
            while piece := await process.stdin.read(65536):
                with contextlib.suppress(OSError):
                    stdin.write(piece)
                    await stdin.drain()
    finally:
        stdin.close()


async def tell(stream: asyncio.StreamReader, client: asyncssh.SSHWriter) -> None:
    """Carry what the child says, at the client's pace."""
    with contextlib.suppress(asyncssh.Error, OSError):
        while piece := await stream.read(65536):
            client.write(piece)
            await client.drain()


async def main(folder: Path, port: int, forced: str | None = None) -> None:
    variables = json.loads((folder / "variables.json").read_text())
    server = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_host_keys=[str(folder / "host_key")],
        authorized_client_keys=str(folder / "authorized_keys"),
        process_factory=functools.partial(serve_process, variables, forced),
        encoding=None,
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
