"""The agent as one file, a zip that Python runs, and its demo as another; the same bytes every time."""

from __future__ import annotations

import functools
import io
import zipfile
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from edgenet.files import sha256

__all__ = ["MAX_SIZE", "Archive", "agent_archive", "demo_archive"]

MAX_SIZE = 64 * 1024
_PACKAGE = "edgenet_agent"
# Sent only to a board that runs a demo.
_DEMO = "demo"
_MAIN = b"import sys\n\nfrom edgenet_agent.main import main\n\nsys.exit(main(sys.argv[1:]))\n"
_DATE = (1980, 1, 1, 0, 0, 0)


class Archive(NamedTuple):
    """The bytes of a zip and their sha256."""

    data: bytes
    digest: str


@functools.cache
def agent_archive() -> Archive:
    """The agent of this edgenet."""
    files = {"__main__.py": _MAIN}
    _collect(_source(), _PACKAGE, files)
    return _packed(files)


@functools.cache
def demo_archive() -> Archive:
    """The rest of this edgenet's agent: what runs a demo, and its page."""
    files: dict[str, bytes] = {}
    folder = _source().joinpath(_DEMO)
    _collect(folder, f"{_PACKAGE}/{_DEMO}", files)
    files[f"{_PACKAGE}/{_DEMO}/page.html"] = folder.joinpath("page.html").read_bytes()
    return _packed(files)


def _source() -> Traversable:
    return resources.files("edgenet").joinpath("agent")


def _packed(files: dict[str, bytes]) -> Archive:
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
        if entry.is_dir() and entry.name not in ("__pycache__", _DEMO):
            _collect(entry, f"{name}/{entry.name}", files)
        elif entry.name.endswith(".py"):
            files[f"{name}/{entry.name}"] = entry.read_bytes()
