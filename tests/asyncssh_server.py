"""A small ssh server for machines without sshd; ``sshd.py`` starts it with a folder and a port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import asyncssh


async def serve_process(process: asyncssh.SSHServerProcess) -> None:
    forced = os.environ.get("FORCED")
    environment = {**os.environ, "SSH_ORIGINAL_COMMAND": process.command or ""}
    child = await asyncio.create_subprocess_shell(
        forced or process.command or "sh",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    # asyncssh's own way to stdin ends the whole connection where the child no longer reads.
    feeding = asyncio.ensure_future(feed(process, child.stdin))
    await process.redirect(stdout=child.stdout, stderr=child.stderr)
    status = await child.wait()
    await asyncio.sleep(0.1)  # what it said last is still on its way
    feeding.cancel()
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


async def main(folder: Path, port: int) -> None:
    server = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_host_keys=[str(folder / "host_key")],
        authorized_client_keys=str(folder / "authorized_keys"),
        process_factory=serve_process,
        encoding=None,
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
