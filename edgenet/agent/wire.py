"""The wire: frames of a JSON header and an optional binary body, and the names on both ends.

A frame is ``EDG1``, the header's and the body's length (unsigned 32 bit, big endian), the header
(a JSON object in UTF-8) and the body. See docs/agent-protocol.md.

Python 3.6 syntax: host and board read this same file.
"""

import hashlib
import json
import re
import struct
from typing import Any, BinaryIO, Dict, Iterable, Optional, Tuple

Frame = Tuple[Dict[str, Any], bytes]

PROTOCOL = 1

MAGIC = b"EDG1"
PREFIX = struct.Struct(">4sII")
MAX_HEADER = 1 << 20
MAX_BODY = 8 << 20

# What a text line of the bootstrap must begin with; everything else before the frames is skipped.
MARK = b"EDGENET "

# Requests.
PROBE = "probe"
BEGIN = "begin"
END = "end"
HAVE = "have"
PUT = "put"
RUNTIMES = "runtimes"
UNPACK = "unpack"
TRY_RUNTIME = "try_runtime"
FINISH = "finish"
DEPLOY = "deploy"
DEPLOYMENTS = "deployments"
STATUS = "status"
PLACE = "place"
CHECK = "check"
SWITCH = "switch"
PRUNE = "prune"
REMOVE = "remove"
NOTE = "note"
TRUST = "trust"
PROVE = "prove"
OPEN = "open"
BENCH = "bench"
FRAMES = "frames"
TURNS = "turns"
REPLAY = "replay"
TAP = "tap"
CLOSE = "close"
DEMO = "demo"

# Frames that are answered by no reply and may come while a request is under way.
STOP = "stop"
STREAM = "stream"
UNKEPT = "unkept"
ALIVE = "alive"

# What the agent's own processes ask each other, beside ``open``.
SHARE = "share"
ANSWER = "answer"

# An agent that works says ``alive`` so often where its host does not choose, seconds.
BEAT_S = 5.0
# A host that runs a demo says ``alive`` this often, and is given up after that long without a word, seconds.
ALIVE_S = 2.0
GONE_S = 10.0

# Kinds of errors that the host acts on; others are only shown.
NO_SPACE = "no-space"
LOCKED = "locked"
DAMAGED = "damaged"
PART = "part"
DAMAGED_RUNTIME = "damaged-runtime"
DIED = "died"
# Variables with which recent ONNX Runtimes write no device identifier and send nothing anywhere
# (pull requests 27379 and 29843 there); a user who set one has decided.
NO_TELEMETRY = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")

# In place of an answer's index, where the model gave NaN: it agrees with nothing.
NO_ANSWER = -2


# What an address of a camera may hold that only its owner should see: a password, a query (``pwd=…``).
_PASSWORD = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*:/{1,2}[^\s:@]*:)\S*@")
_QUERY = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*:/{1,2}[^\s?]*\?)[^\s'\"]+")


class WireError(ValueError):
    """The bytes are not a frame: wrong magic, over a limit, cut in the middle, or not JSON."""


def pack(header: Dict[str, Any], body: bytes = b"") -> bytes:
    """The bytes of one frame.

    Raises:
        WireError: Header or body is over its limit.
    """
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode("utf-8")
    _check(len(text), len(body))
    return PREFIX.pack(MAGIC, len(text), len(body)) + text + body


def write_frame(stream: BinaryIO, header: Dict[str, Any], body: bytes = b"") -> int:
    """Write one frame and flush it; returns the number of bytes."""
    data = pack(header, body)
    stream.write(data)
    stream.flush()
    return len(data)


def read_frame(stream: Any) -> Optional[Frame]:
    """Read one frame from a blocking binary stream.

    Returns:
        ``(header, body)``: a dict and bytes; or ``None`` where the stream ends between two frames.

    Raises:
        WireError: The stream does not hold a frame, or ends inside one.
    """
    prefix = _read(stream, PREFIX.size, True)
    if prefix is None:
        return None
    magic, header_size, body_size = PREFIX.unpack(prefix)
    if magic != MAGIC:
        raise WireError("not a frame: it begins with {!r}".format(magic))
    _check(header_size, body_size)
    text, body = _read(stream, header_size), _read(stream, body_size)
    try:
        header = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise WireError("the header of a frame is not JSON") from None
    if not isinstance(header, dict):
        raise WireError("the header of a frame is not an object")
    return header, body


def redacted(text: str) -> str:
    """A text whose addresses hold no password and no query: ``rtsp://user:***@host/path?***``."""
    return _QUERY.sub(r"\1***", _PASSWORD.sub(r"\1***@", text))


def runtime_digest(digests: Iterable[str]) -> str:
    """The name of a runtime: the sha256 of its sorted wheels' digests, one a line."""
    return hashlib.sha256("\n".join(sorted(digests)).encode("ascii")).hexdigest()


def _check(header_size: int, body_size: int) -> None:
    if header_size > MAX_HEADER:
        raise WireError("a header of {} bytes is over the limit of {}".format(header_size, MAX_HEADER))
    if body_size > MAX_BODY:
        raise WireError("a body of {} bytes is over the limit of {}".format(body_size, MAX_BODY))


def _no_constant(name: str) -> None:
    raise WireError("the header of a frame holds {}".format(name))


def _read(stream: Any, size: int, end_allowed: bool = False) -> Any:
    pieces, missing = [], size
    while missing:
        piece = stream.read(missing)
        if not piece:
            if end_allowed and missing == size:
                return None
            raise WireError("the stream ended inside a frame")
        pieces.append(piece)
        missing -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
