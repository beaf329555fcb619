"""The orientation that a camera wrote into a JPEG, PNG or WebP, without any library (Exif 2.32, 4.6.5)."""

import struct

import numpy as np

_TAG, _SHORT, _LONG = 0x0112, 3, 4
_MARK = b"Exif\0\0"


def orientation(data: bytes) -> int:
    """How an image is to be turned to stand upright: 2 to 8 as Exif counts; 1 where nothing says it.

    Damaged data says nothing.
    """
    if data[:2] == b"\xff\xd8":
        tags = _of_jpeg(data)
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        tags = _of_chunks(data, 8, ">I4s", b"eXIf", True)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        tags = _of_chunks(data, 12, "<4sI", b"EXIF", False)
    else:
        return 1
    try:
        return _of_tags(tags[len(_MARK) :] if tags.startswith(_MARK) else tags)
    except struct.error:
        return 1


def upright(image: np.ndarray, turned: int) -> np.ndarray:
    """An image [height, width, channels] turned as its orientation says."""
    if turned in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if turned in (3, 4, 7, 8):
        image = image[::-1]
    if turned in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image


def _of_jpeg(data):
    """The Exif data in the segments before the picture."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes
            at += 1
            continue
        if marker in (0xD9, 0xDA):
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # without a length
            at += 2
            continue
        (size,) = struct.unpack_from(">H", data, at + 2)
        if marker == 0xE1 and data[at + 4 : at + 10] == _MARK:
            return data[at + 10 : at + 2 + size]
        at += 2 + max(size, 2)
    return b""


def _of_chunks(data, at, form, wanted, checked):
    """The chunk of a name; PNG's have the size first, and a checksum; WebP's are padded to even sizes."""
    while at + 8 <= len(data):
        head = struct.unpack_from(form, data, at)
        size, name = head if checked else (head[1], head[0])
        if name == wanted:
            return data[at + 8 : at + 8 + size]
        at += 8 + size + (4 if checked else size & 1)
    return b""


def _of_tags(tags: bytes) -> int:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(tags[:4]))
    if order is None:
        return 1
    (first,) = struct.unpack_from(order + "I", tags, 4)
    (count,) = struct.unpack_from(order + "H", tags, first)
    for index in range(count):
        tag, kind, number = struct.unpack_from(order + "HHI", tags, first + 2 + 12 * index)
        if tag == _TAG and number == 1 and kind in (_SHORT, _LONG):
            form = "H" if kind == _SHORT else "I"
            (value,) = struct.unpack_from(order + form, tags, first + 10 + 12 * index)
            return int(value) if 1 <= value <= 8 else 1
    return 1
