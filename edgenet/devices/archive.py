"""The agent as one file: a zip that Python runs, the same bytes every time."""

from __future__ import annotations

import functools
import io
import zipfile
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from edgenet.files import sha256

__all__ = ["MAX_SIZE", "Archive", "agent_archive"]

MAX_SIZE = 64 * 1024
_PACKAGE = "edgenet_agent"
_MAIN = b"import sys\n\nfrom edgenet_agent.main import main\n\nsys.exit(main(sys.argv[1:]))\n"
_DATE = (1980, 1, 1, 0, 0, 0)


class Archive(NamedTuple):
    """The bytes of the agent and their sha256."""

    data: bytes
    digest: str


@functools.cache
def agent_archive() -> Archive:
    """The agent of this edgenet."""
    files = {"__main__.py": _MAIN}
    _collect(resources.files("edgenet").joinpath("agent"), _PACKAGE, files)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name], compresslevel=9)
    data = stream.getvalue()
    return Archive(data, sha256(data))


def _collect(folder: Traversable, name: str, files: dict[str, bytes]) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            _collect(entry, f"{name}/{entry.name}", files)
        elif entry.name.endswith(".py"):
            files[f"{name}/{entry.name}"] = entry.read_bytes()
