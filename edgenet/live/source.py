"""What the user names as a source, as the order that the board's agent understands."""

from __future__ import annotations

import functools
import io
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from edgenet.agent.wire import redacted
from edgenet.devices.blobs import Blob
from edgenet.errors import DataError
from edgenet.files import file_digest, sha256
from edgenet.imageset import ImageSet
from edgenet.zoo.signs.drawings import drawings

__all__ = ["SYNTHETIC", "SourceOrder", "source_order"]

SYNTHETIC = "synthetic"

# Kinds that a user may name; "camera" is the first of them that the board has.
CAMERAS = ("camera", "picamera2", "rpicam", "jetson")
DEVICE = re.compile(r"(?:/dev/)?(video\d+)\Z")
ON_BOARD = "board:"


class SourceOrder(NamedTuple):
    """A source for the board: the order, and what must be there first."""

    order: dict[str, Any]
    blobs: list[Blob]


def source_order(
    text: str,
    device: str,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    loop: bool = False,
    together: int = 1,
) -> SourceOrder:
    """Read a ``--source``.

    Args:
        text: "synthetic", "camera", "picamera2", "rpicam", "jetson", "/dev/videoN", a video file, a folder of
            images, an address (rtsp://, http://, https://), or ``board:PATH`` for a file or folder there.
        device: The board; files of this machine are sent to one that is another machine.
        size: (width, height) to ask of the source.
        fps: Pictures a second to ask of it.
        loop: Whether files begin again when they end.
        together: How many signs the synthetic camera shows together.

    Raises:
        DataError: It is none of these.
    """
    order: dict[str, Any] = {"size": list(size) if size else None, "fps": fps, "loop": loop}
    if text == SYNTHETIC:
        data = drawings(*size, together=together) if size else drawings(together=together)
        return SourceOrder({**order, "kind": SYNTHETIC}, [_data_blob(data)])
    if text in CAMERAS:
        return SourceOrder({**order, "kind": text}, [])
    if found := DEVICE.match(text):
        return SourceOrder({**order, "kind": "v4l2", "paths": ["/dev/" + found[1]]}, [])
    if "://" in text:
        return SourceOrder({**order, "kind": "address", "address": _address(text)}, [])
    if text.startswith(ON_BOARD):
        return SourceOrder({**order, "kind": "files", "paths": [text.removeprefix(ON_BOARD)]}, [])
    return _files(Path(text), device == "local", order)


def _address(text: str) -> str:
    scheme, _, rest = text.partition("://")
    try:
        parts = urlsplit(text)
        known = re.match(r"(rtsps?|https?)://[^\s\x00-\x1f\x7f]+\Z", text, re.IGNORECASE)
        if not known or not parts.hostname or parts.port == 0:
            raise ValueError
    except ValueError:
        raise DataError(
            f"no address of a source: {redacted(''.join(text.split()))}",
            "write it as rtsp://USER:PASSWORD@HOST:PORT/PATH, or with http:// or https://; in the password "
            "%40 is @, %2F /, %3A :, %23 #, %3F ?, %20 a blank",
        ) from None
    return f"{scheme.lower()}://{rest}"


def _files(path: Path, here: bool, order: dict[str, Any]) -> SourceOrder:
    if path.is_dir():
        files, kind = list(ImageSet.load(path).files), "folder"
    elif path.is_file():
        files, kind = [path], "video"
    else:
        raise DataError(
            f"{path}: no such source",
            "give camera, synthetic, a video file, a folder of images, /dev/videoN, an rtsp:// or http:// "
            "address, or board:PATH for a file on the board",
        )
    order = {**order, "kind": kind, "name": path.name}
    if here:
        return SourceOrder({**order, "paths": [str(file.resolve()) for file in files]}, [])
    return SourceOrder(order, [_file_blob(file) for file in files])


def _data_blob(data: bytes) -> Blob:
    return Blob(sha256(data), len(data), functools.partial(io.BytesIO, data))


def _file_blob(path: Path) -> Blob:
    return Blob(file_digest(path), path.stat().st_size, lambda: path.open("rb"))
