"""An ssh whose board is hostile: it starts no shell, says it is the agent, and answers from a JSON file.

``python hostile_ssh.py ANSWERS …``: {request type: [header, …]}, of which the last is the reply.
"""

import json
import sys
from pathlib import Path

from edgenet.agent import wire
from edgenet.devices.archive import agent_archive


class Frames:
    """What comes after the bootstrap's script."""

    def __init__(self, stream):
        self._stream, self._rest, begun = stream, b"", False
        while not begun:
            piece = stream.read1(65536)
            self._rest += piece
            begun = wire.MAGIC in self._rest or not piece
        self._rest = self._rest[self._rest.find(wire.MAGIC) :]

    def read(self, size):
        """As of a file."""
        if not self._rest:
            return self._stream.read1(size)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def main() -> None:
    """Answer until nobody asks."""
    answers = json.loads(Path(sys.argv[1]).read_text())
    out = sys.stdout.buffer
    sys.stderr.write(answers.get("stderr", ""))
    sys.stderr.flush()
    out.write(answers.get("banner", "").encode() + b"\nEDGENET ready\n")
    wire.write_frame(out, {"hello": "edgenet", "protocol": wire.PROTOCOL, "agent": agent_archive().digest})
    frames = Frames(sys.stdin.buffer)
    while frame := wire.read_frame(frames):
        request = frame[0]
        for header in answers.get(request["type"], [{"error": answers["error"]}]):
            wire.write_frame(out, {**header, "id": request["id"]})


if __name__ == "__main__":
    main()
