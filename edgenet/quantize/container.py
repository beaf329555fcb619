"""An int8 graph with all that belongs to it, in one ONNX file that any ONNX tool opens.

What is not graph stands in the model's ``metadata_props``: ``edgenet.facts``, a JSON table, and one entry
``edgenet.file:NAME`` a file, in base64, whose digest and size the table names. What is read is not trusted.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import onnx
from google.protobuf.message import DecodeError

from edgenet.errors import ModelError
from edgenet.files import sha256
from edgenet.text import cause

__all__ = ["AGAIN", "FACTS", "SCHEMA", "is_container", "pack", "unpack"]

SCHEMA = 1
AGAIN = "quantize the model again"
FACTS = "edgenet.facts"
FILE = "edgenet.file:"


def is_container(proto: onnx.ModelProto) -> bool:
    """Whether a model was written by :func:`pack`."""
    return any(item.key == FACTS for item in proto.metadata_props)


def pack(graph: onnx.ModelProto, facts: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """The bytes of the file; the same inputs give the same ones.

    Args:
        graph: The int8 model.
        facts: JSON-ready.
        files: Name → contents.
    """
    listed = {name: {"sha256": sha256(data), "size": len(data)} for name, data in sorted(files.items())}
    table = {"schema": SCHEMA, "graph": _graph_digest(graph), **facts, "files": listed}
    whole = onnx.ModelProto()
    whole.CopyFrom(graph)
    whole.metadata_props.add(key=FACTS, value=json.dumps(table, sort_keys=True, allow_nan=False))
    for name, data in sorted(files.items()):
        whole.metadata_props.add(key=FILE + name, value=base64.b64encode(data).decode())
    return bytes(whole.SerializeToString(deterministic=True))


def unpack(data: bytes, where: str) -> tuple[onnx.ModelProto, dict[str, Any], dict[str, bytes]]:
    """The graph, the facts and the files of what :func:`pack` wrote.

    Args:
        data: The file.
        where: Its name, for messages.

    Raises:
        ModelError: It is no such file, of another schema, damaged, or its graph was changed since.
    """
    try:
        proto = onnx.load_model_from_string(data)
    except DecodeError:
        raise ModelError(f"{where}: not an ONNX file, or a truncated one", AGAIN) from None
    found = {item.key: item.value for item in proto.metadata_props}
    if FACTS not in found:
        raise ModelError(f"{where}: was not written by edgenet quantize", AGAIN)
    try:
        facts = json.loads(found[FACTS])
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where}: {FACTS} is not JSON ({cause(error)})", AGAIN) from None
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA:
        told = facts.get("schema") if isinstance(facts, dict) else None
        raise ModelError(f"{where}: schema {told!r}, this edgenet reads {SCHEMA}", AGAIN)
    files = _files(found, facts.get("files"), where)
    kept = [item for item in proto.metadata_props if item.key != FACTS and not item.key.startswith(FILE)]
    del proto.metadata_props[:]
    proto.metadata_props.extend(kept)
    if _graph_digest(proto) != facts.get("graph"):
        raise ModelError(f"{where}: its graph was changed after it was quantized", AGAIN)
    return proto, facts, files


def _files(found: Mapping[str, str], listed: Any, where: str) -> dict[str, bytes]:
    """Every file that the table names, of the size and digest it names."""
    if not isinstance(listed, dict):
        raise ModelError(f"{where}: {FACTS} lists no files", AGAIN)
    files = {}
    for name, item in listed.items():
        try:
            files[name] = base64.b64decode(found.get(FILE + name, ""), validate=True)
        except ValueError:
            raise ModelError(f"{where}: {name} is not base64", AGAIN) from None
        if not isinstance(item, dict) or item.get("sha256") != sha256(files[name]):
            raise ModelError(f"{where}: {name} has another digest than {FACTS} says", AGAIN)
    return files


def _graph_digest(graph: onnx.ModelProto) -> str:
    return sha256(graph.SerializeToString(deterministic=True))
