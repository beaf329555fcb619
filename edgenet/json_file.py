"""JSON files that edgenet writes and reads back: reports and sweeps, which nobody vouches for."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgenet.errors import ReportError
from edgenet.files import read_regular, write_output
from edgenet.text import cause

__all__ = ["check_schema", "json_bytes", "read_json", "write_json"]


def read_json(path: Path, noun: str, most: int, again: str) -> Any:
    """What a file holds.

    Args:
        path: Of the file.
        noun: What it should be, "report".
        most: Bytes that are read at most.
        again: How another one is had.

    Raises:
        ReportError: It cannot be read, is larger, or is not JSON.
    """
    try:
        return json.loads(read_regular(path, most).decode())
    except OSError as error:
        raise ReportError(f"{path}: cannot be read ({error.strerror})", f"give a {noun}.json") from None
    except RecursionError:
        raise ReportError(f"{path}: not a {noun} (nested too deeply)", again) from None
    except ValueError as error:
        raise ReportError(f"{path}: not a {noun}, or truncated ({cause(error)})", again) from None


def check_schema(values: Any, schema: int, path: Path, again: str) -> None:
    """Refuse a file of another form.

    Raises:
        ReportError: Its ``schema`` is another, or none.
    """
    found = values.get("schema") if isinstance(values, dict) else None
    if found != schema or isinstance(found, bool):
        raise ReportError(f"{path}: schema {reprlib.repr(found)}, this edgenet reads {schema}", again)


def write_json(path: Path, table: Mapping[str, Any]) -> None:
    """Write a file, all of it or nothing.

    Raises:
        DataError: It cannot be written.
    """
    write_output(path, json_bytes(table))


def json_bytes(table: Mapping[str, Any]) -> bytes:
    """The file's content."""
    return (json.dumps(table, indent=1) + "\n").encode()
