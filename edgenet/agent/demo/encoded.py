"""What the first bytes of an encoded picture say of it, before anything decodes it."""

import struct

from .. import pnm
from .sources.streams import jpeg_size

_PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def header(data):
    """``(form, (width, height))`` of a JPEG, PNG, PPM or PGM: "jpeg", "png" or "pnm".

    Raises:
        ValueError: It is none of them, or does not say how large it is.
    """
    form, size = "pnm" if pnm.is_pnm(data) else "", None
    if data[:3] == b"\xff\xd8\xff":
        form, size = "jpeg", jpeg_size(data)
    elif data[: len(_PNG)] == _PNG and len(data) >= len(_PNG) + 8:
        form, size = "png", struct.unpack_from(">II", data, len(_PNG))
    elif form:
        size = pnm.size(data)
    if not form:
        raise ValueError("it is neither a JPEG nor a PNG")
    if not size or not all(size):
        raise ValueError("its header is damaged")
    return form, (int(size[0]), int(size[1]))
