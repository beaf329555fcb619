"""Which board this is: a random name that it gave itself, so that two names of one board are told apart."""

import binascii
import json
import os
import re

from .home import one_writer, read_json, write_atomic

_NAME = re.compile(r"[0-9a-f]{32}\Z")
_FILE = "board.json"


def board_id(store, serial_file="/proc/device-tree/serial-number"):
    """The name of this board, made once; another one on a copied card, ``None`` where it cannot be kept.

    Args:
        store: The board's.
        serial_file: What a copied card does not take along.
    """
    path, serial = store.path(_FILE), _checksum(serial_file)
    known = _known(path, serial)
    if known is not None:
        return known
    try:
        with one_writer(store.path("board.lock")):
            return _known(path, serial) or _made(path, serial)
    except OSError:
        return None


def _known(path, serial):
    found = read_json(path)
    if isinstance(found, dict) and found.get("serial") == serial and _NAME.match(str(found.get("id"))):
        return found["id"]
    return None


def _made(path, serial):
    name = binascii.hexlify(os.urandom(16)).decode("ascii")
    write_atomic(path, json.dumps({"id": name, "serial": serial}).encode("ascii"))
    return name


def _checksum(path):
    """Of the board's own number, which stays unsaid; ``None`` where it has none."""
    try:
        with open(path, "rb") as stream:
            return binascii.crc32(stream.read(64)) & 0xFFFFFFFF
    except OSError:
        return None
