"""Frames: whatever was written is read; whatever else arrives raises WireError and nothing else."""

import io
import struct

import pytest
from edgenet_agent import wire
from hypothesis import given
from hypothesis import strategies as st

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
headers = st.dictionaries(st.text(), values, max_size=5)


class Dribble(io.RawIOBase):
    """A stream that gives one byte at a time, like a slow link."""

    def __init__(self, data):
        self.data = io.BytesIO(data)

    def read(self, size=-1):
        return self.data.read(min(size, 1))


@given(st.lists(st.tuples(headers, st.binary(max_size=200)), max_size=4))
def test_what_was_written_is_read(frames):
    stream = io.BytesIO()
    for header, body in frames:
        assert wire.write_frame(stream, header, body) == len(wire.pack(header, body))
    slow = Dribble(stream.getvalue())
    for header, body in frames:
        assert wire.read_frame(slow) == (header, body)
    assert wire.read_frame(slow) is None


@given(st.binary(max_size=100))
def test_noise_is_refused(data):
    stream = io.BytesIO(data)
    try:
        while wire.read_frame(stream) is not None:
            pass
    except wire.WireError:
        pass


@given(headers, st.binary(max_size=50), st.data())
def test_any_cut_is_refused(header, body, data):
    whole = wire.pack(header, body)
    cut = data.draw(st.integers(1, len(whole) - 1))
    with pytest.raises(wire.WireError, match="ended inside"):
        wire.read_frame(io.BytesIO(whole[:cut]))


@given(st.binary(max_size=60))
def test_a_header_that_is_not_an_object_is_refused(text):
    frame = struct.pack(">4sII", b"EDG1", len(text), 0) + text
    try:
        header, _ = wire.read_frame(io.BytesIO(frame))
    except wire.WireError:
        return
    assert isinstance(header, dict)


@pytest.mark.parametrize(
    "text", [b"[]", b"null", b"", b"\xff", b'{"a": NaN}', b'{"a": Infinity}', b"[" * 100000]
)
def test_bad_headers(text):
    with pytest.raises(wire.WireError):
        wire.read_frame(io.BytesIO(struct.pack(">4sII", b"EDG1", len(text), 0) + text))


class Unread(io.BytesIO):
    """Fails if more than the prefix is asked for: an oversized frame must be refused before it is read."""

    def read(self, size=-1):
        assert size <= 12
        return super().read(size)


@pytest.mark.parametrize(
    ("header", "body"), [((1 << 20) + 1, 0), (2, (8 << 20) + 1), (0xFFFFFFFF, 0xFFFFFFFF)]
)
def test_oversized_frames_are_refused_unread(header, body):
    with pytest.raises(wire.WireError, match="limit"):
        wire.read_frame(Unread(struct.pack(">4sII", b"EDG1", header, body)))


def test_oversized_frames_are_not_written():
    with pytest.raises(wire.WireError, match="limit"):
        wire.pack({}, bytes((8 << 20) + 1))
    with pytest.raises(wire.WireError, match="limit"):
        wire.pack({"text": "x" * (1 << 20)})


@pytest.mark.parametrize(("header", "body"), [((1 << 20), 0), (11, 8 << 20)])
def test_what_is_as_large_as_the_limit_passes(header, body):
    """``{"text":""}`` is 11 bytes."""
    frame = {"text": "x" * (header - 11)}
    data = wire.pack(frame, bytes(body))
    assert data[:12] == struct.pack(">4sII", b"EDG1", header, body)
    assert wire.read_frame(io.BytesIO(data)) == (frame, bytes(body))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_not_written(value):
    with pytest.raises(ValueError, match="JSON"):
        wire.pack({"value": value})


def test_numbers_are_those_of_the_protocols_page():
    """Both ends must have the same ones, and docs/agent-protocol.md tells them."""
    assert (wire.PROTOCOL, wire.ALIVE_S, wire.GONE_S, wire.BEAT_S) == (1, 2.0, 10.0, 5.0)


def test_the_name_of_a_runtime_is_the_sha256_of_its_wheels():
    """printf 'a\\nb' | sha256sum."""
    expected = "7e18f737311b2dc3b2f269dd78396b0351f14fb66efa879f768cb23181883c78"
    assert wire.runtime_digest(["b", "a"]) == expected


def test_the_name_of_a_runtime_does_not_depend_on_the_order():
    assert wire.runtime_digest(["b", "a"]) == wire.runtime_digest(["a", "b"]) != wire.runtime_digest(["a"])
