"""A package index of the user's own, such as one with wheels for 32-bit boards."""

from __future__ import annotations

import os
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from edgenet.errors import DeviceError

__all__ = ["INDEX", "Index", "own_index"]

# The variable that names it; the option ``--index`` sets it.
INDEX = "EDGENET_INDEX"


class Index(NamedTuple):
    """A package index (PEP 503).

    Attributes:
        url: Its address, which may hold a password.
        shown: The same without user and password.
    """

    url: str
    shown: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """An index from what a user wrote.

        Raises:
            DeviceError: It is not the address of an index; it is not repeated, for a password may be in it.
        """
        try:
            parts = urlsplit(text)
            host = parts.hostname or ""
            port = f":{parts.port}" if parts.port is not None else ""
        except ValueError:
            raise _no_index() from None
        whole = bool(host) if parts.scheme in ("https", "http") else parts.scheme == "file" and not host
        if not whole or not text.isprintable() or any(letter.isspace() for letter in text):
            raise _no_index()
        bare = f"[{host}]" if ":" in host else host
        return cls(text, f"{parts.scheme}://{bare}{port}{parts.path}")


def own_index() -> Index | None:
    """The user's index, where one is named.

    Raises:
        DeviceError: What is named is not the address of an index.
    """
    text = os.environ.get(INDEX, "")
    return Index.parse(text) if text else None


def _no_index() -> DeviceError:
    return DeviceError(
        f"what is given as a package index, or stands in {INDEX}, is not the address of one",
        "give it as https://HOST/simple, or file:///FOLDER for one on this machine",
    )
