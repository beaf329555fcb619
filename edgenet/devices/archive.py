"""The agent as one file, a zip that Python runs, and its parts as others; the same bytes every time.

The agent itself, which every board gets, has neither the runtimes' halves nor the demo. A runtime's half is
sent to a board that runs it, the demo to one that shows it. The agent holds the digests of its runtimes'
parts, so they belong together however often each is sent.
"""

from __future__ import annotations

import functools
import io
import json
import zipfile
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from edgenet.files import sha256

__all__ = ["MAX_SIZE", "Archive", "agent_archive", "demo_archive", "runtime_archives"]

# Of each: the agent, its demo, a runtime's half; bytes.
MAX_SIZE = 80 * 1024
_PACKAGE = "edgenet_agent"
_DEMO, _RUNTIMES = "demo", "runtimes"
_MAIN = b"import sys\n\nfrom edgenet_agent.main import main\n\nsys.exit(main(sys.argv[1:]))\n"
_DATE = (1980, 1, 1, 0, 0, 0)


class Archive(NamedTuple):
    """The bytes of a zip and their sha256."""

    data: bytes
    digest: str


@functools.cache
def agent_archive() -> Archive:
    """The agent of this edgenet: what every board gets."""
    files = {"__main__.py": _MAIN}
    for entry in _source().iterdir():
        if entry.name not in (_DEMO, _RUNTIMES, *runtime_archives()):
            _collect(entry, f"{_PACKAGE}/{entry.name}", files)
    folder = f"{_PACKAGE}/{_RUNTIMES}"
    _collect(_source().joinpath(_RUNTIMES, "__init__.py"), f"{folder}/__init__.py", files)
    parts = {name: [part.digest, len(part.data)] for name, part in runtime_archives().items()}
    files[f"{folder}/parts.json"] = json.dumps(parts, sort_keys=True).encode("ascii")
    return _packed(files)


@functools.cache
def runtime_archives() -> Mapping[str, Archive]:
    """The runtimes' halves by the names of their backends.

    Each is a file of the agent's ``runtimes`` and, where only it needs more, the agent's folder of its name.
    """
    found = {}
    for entry in _source().joinpath(_RUNTIMES).iterdir():
        name, _, suffix = entry.name.partition(".")
        if suffix == "py" and name != "__init__":
            files = {f"{_PACKAGE}/{_RUNTIMES}/{entry.name}": entry.read_bytes()}
            if (folder := _source().joinpath(name)).is_dir():
                _collect(folder, f"{_PACKAGE}/{name}", files)
            found[name] = _packed(files)
    return found


@functools.cache
def demo_archive() -> Archive:
    """What runs a demo on the board, and its page."""
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


def _collect(entry: Traversable, name: str, files: dict[str, bytes]) -> None:
    """The Python files of an entry, itself or all below it, under its name."""
    if entry.is_dir() and entry.name != "__pycache__":
        for inner in entry.iterdir():
            _collect(inner, f"{name}/{inner.name}", files)
    elif entry.name.endswith(".py"):
        files[name] = entry.read_bytes()
