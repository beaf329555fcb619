"""The agent as one file, a zip that Python runs, and its parts as others; the same bytes every time.

The agent itself, which every board gets, has neither the halves of runtimes and tasks nor the demo. A half
is sent to a board that needs it, the demo to one that shows it. The agent holds the digests of its parts, so
they belong together however often each is sent.
"""

from __future__ import annotations

import functools
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from edgenet.files import sha256

__all__ = ["MAX_DEMO", "MAX_SIZE", "Archive", "agent_archive", "demo_archive", "part_archives"]

# Of each: the agent, a half of a runtime or task; bytes.
MAX_SIZE = 96 * 1024
# Of the demo; a fifth of it is its page.
MAX_DEMO = 96 * 1024
_PACKAGE = "edgenet_agent"
_DEMO = "demo"
# Folders whose files are parts.
_HALVES = ("runtimes", "tasks", "trust")
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
    apart = {name.partition("/")[2] for name in part_archives()}
    for entry in _source().iterdir():
        if entry.name not in (_DEMO, *_HALVES, *apart):
            _collect(entry, f"{_PACKAGE}/{entry.name}", files)
    for folder in _HALVES:
        name = f"{folder}/__init__.py"
        files[f"{_PACKAGE}/{name}"] = _source().joinpath(name).read_bytes()
    parts = {name: [part.digest, len(part.data)] for name, part in part_archives().items()}
    files[f"{_PACKAGE}/parts.json"] = json.dumps(parts, sort_keys=True).encode("ascii")
    return _packed(files)


@functools.cache
def part_archives() -> Mapping[str, Archive]:
    """The halves of runtimes and tasks: ``runtimes/tflite``, ``tasks/classification``.

    Each is a file of the agent's folder and, where only it needs more, the agent's folder of its name.
    """
    return {f"{folder}/{name}": made for folder in _HALVES for name, made in _halves(folder)}


def _halves(folder: str) -> Iterator[tuple[str, Archive]]:
    for entry in _source().joinpath(folder).iterdir():
        name, _, suffix = entry.name.partition(".")
        if suffix == "py" and name != "__init__":
            files = {f"{_PACKAGE}/{folder}/{entry.name}": entry.read_bytes()}
            if (own := _source().joinpath(name)).is_dir():
                _collect(own, f"{_PACKAGE}/{name}", files)
            yield name, _packed(files)


@functools.cache
def demo_archive() -> Archive:
    """What runs a demo on the board, and its page."""
    files: dict[str, bytes] = {}
    folder = _source().joinpath(_DEMO)
    _collect(folder, f"{_PACKAGE}/{_DEMO}", files)
    files[f"{_PACKAGE}/{_DEMO}/page/page.html"] = _page(folder.joinpath("page"))
    return _packed(files)


def _page(folder: Traversable) -> bytes:
    """The page as one file: its styles and scripts, each file of a kind after the other, in their places."""
    parts = sorted(folder.iterdir(), key=lambda entry: entry.name)
    page = folder.joinpath("page.html").read_text(encoding="utf-8")
    for suffix in ("css", "js"):
        texts = [entry.read_text(encoding="utf-8") for entry in parts if entry.name.endswith(f".{suffix}")]
        page = page.replace("{" + suffix + "}", "".join(texts))
    return page.encode("utf-8")


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
