"""Which board this is: a random name that it gave itself, so that two names of one board are told apart."""

import binascii
import json
import os
import re

from .home import read_json, write_atomic

_NAME = re.compile(r"[0-9a-f]{32}\Z")
_FILE = "board.json"


def board_id(store, serial_file="/proc/device-tree/serial-number"):
    """The name of this board, made once; another one on a copied card, ``None`` where it cannot be kept.

    Args:
        store: The board's.
        serial_file: What a copied card does not take along.
    """
    path, serial = store.path(_FILE), _checksum(serial_file)
    known = read_json(path)
    if isinstance(known, dict) and known.get("serial") == serial and _NAME.match(str(known.get("id"))):
        return known["id"]
    name = binascii.hexlify(os.urandom(16)).decode("ascii")
    try:
        write_atomic(path, json.dumps({"id": name, "serial": serial}).encode("ascii"))
    except OSError:
        return None
    return name


def _checksum(path):
    """Of the board's own number, which stays unsaid; ``None`` where it has none."""
    try:
        with open(path, "rb") as stream:
            return binascii.crc32(stream.read(64)) & 0xFFFFFFFF
    except OSError:
        return None
